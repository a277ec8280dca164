import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAdmit } from '../../../src/admission/admit.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { findCrossNamespaceReferences } from '../../../src/admission/resources/references.ts';
import { cpuTimeMs } from '../../cpu-time.ts';
import { created, type ResourceOptions, updated } from '../../decisions/resources.ts';
import { readRequest } from '../../decisions/review.ts';
import { account, FakeCluster, type FakeState, good } from '../fake-cluster.ts';

/** One tenant's object, as big as etcd takes it, must not hold up the reviews of the others. */

const state: FakeState = { ...good, maps: { account: { [account]: `arn:aws:iam::${account}:role/ack` } } };
const config: Config = { ...defaultConfig, crossNamespaceReferences: [{ from: '*', to: 'common' }] };
const limitMs = 1_000;

async function reasonOf(before: ResourceOptions | undefined, after: ResourceOptions): Promise<string> {
  const review = before === undefined ? created('DBInstance', after) : updated('DBInstance', before, after);
  const request = readRequest(review);
  const startedAt = cpuTimeMs();
  const { record } = await createAdmit(new FakeCluster(state, state), config)('validate', request, 5_000);
  const tookMs = cpuTimeMs() - startedAt;
  assert.ok(tookMs < limitMs, `${Math.round(tookMs)} ms`);
  return record.reason;
}

const refs = (count: number, namespace: string) =>
  Array.from({ length: count }, (_, index) => ({ from: { namespace, name: `n-${index}` } }));

test('a resource of very many finalizers is judged in time', async () => {
  const own = 'finalizers.rds.services.k8s.aws/DBInstance';
  const before = [...Array.from({ length: 190_000 }, () => 'a/xyz'), own];
  const after = Array.from({ length: 75_000 }, () => own);
  assert.equal(await reasonOf({ finalizers: before }, { finalizers: after }), 'Checked');
});

describe('a resource of very many references is judged in time', () => {
  test('allowed ones, that stay', async () => {
    const spec = { refs: refs(10_000, 'common') };
    assert.equal(await reasonOf({ spec }, { spec: { ...spec, more: true } }), 'Checked');
  });

  test('foreign ones from before, that stay', async () => {
    const spec = { refs: refs(10_000, 'kube-system') };
    assert.equal(await reasonOf({ spec }, { spec: { ...spec, more: true } }), 'Checked');
  });

  test('foreign ones from before, and one more', async () => {
    const spec = { refs: refs(10_000, 'kube-system') };
    const more = [...spec.refs, { from: { namespace: 'kube-system', name: 'one-more' } }];
    assert.equal(await reasonOf({ spec }, { spec: { refs: more } }), 'CrossNamespaceReference');
  });

  test('new ones', async () => {
    assert.equal(await reasonOf(undefined, { spec: { refs: refs(10_000, 'kube-system') } }), 'CrossNamespaceReference');
  });

  test('one in another, many deep', async () => {
    let spec: Readonly<Record<string, unknown>> = {};
    for (let depth = 0; depth < 2_000; depth += 1) spec = { from: { namespace: 'kube-system', spec } };
    assert.equal(await reasonOf({ spec }, { spec: { ...spec, more: true } }), 'Checked');
  });

  test('many, at the bottom of deep lists', () => {
    let spec: unknown = Array.from({ length: 100_000 }, () => ({ namespace: 'kube-system', name: 'n', key: 'k' }));
    for (let depth = 0; depth < 9_000; depth += 1) spec = [spec];
    const startedAt = cpuTimeMs();
    const found = [...findCrossNamespaceReferences({ refs: spec }, 'DBInstance', 'shop')];
    const tookMs = cpuTimeMs() - startedAt;
    assert.deepEqual([found.length, new Set(found.map(({ identity }) => identity)).size], [100_000, 1]);
    assert.ok(tookMs < limitMs, `${Math.round(tookMs)} ms`);
  });
});

test('a reference is found whatever its name is made of', () => {
  const deep = JSON.parse(`${'['.repeat(9_000)}${']'.repeat(9_000)}`) as unknown;
  for (const name of [{ toString: 1 }, deep, null, 1]) {
    const found = [...findCrossNamespaceReferences({ from: { namespace: 'kube-system', name } }, 'DBInstance', 'shop')];
    assert.equal(found.length, 1);
  }
});

test('the path of a reference is a JSON Pointer, and one that looks like another hides none', () => {
  const evil = { from: { namespace: 'kube-system', name: 'x' } };
  const found = [...findCrossNamespaceReferences({ a: { b: evil }, 'a/b': evil, 'a~b': evil }, 'DBInstance', 'shop')];
  assert.deepEqual(found.map(({ path }) => path).toSorted(), [
    '/spec/a/b/from/namespace',
    '/spec/a~0b/from/namespace',
    '/spec/a~1b/from/namespace',
  ]);
});
