import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { demoState, runCommand } from '../command-runs.ts';

const inject = (stdin: unknown, ...flags: string[]) =>
  runCommand(['inject', '-f', '-', '--state', demoState, ...flags], { stdin: JSON.stringify(stdin) });

const spec = { containers: [{ name: 'a' }] };
const named = (name: string) => ({ metadata: { name, namespace: 'team-a' } });

describe('an item of a list that names neither kind nor apiVersion has those of the list, as the API server gives it', () => {
  const rows: readonly [apiVersion: string, list: string, kind: string, fields: object][] = [
    ['v1', 'PodList', 'Pod', { spec }],
    ['v1', 'PodTemplateList', 'PodTemplate', { template: { spec } }],
    ['apps/v1', 'DeploymentList', 'Deployment', { spec: { template: { spec } } }],
    ['example.com/v1', 'ThingList', 'Thing', {}],
    ['example.com/v1', 'Thing', 'Thing', {}],
  ];
  for (const [apiVersion, list, kind, fields] of rows) {
    test(`${kind} of ${list}`, async () => {
      const items = ['one', 'two'].map(name => ({ ...named(name), ...fields }));
      const { code, stdout, stderr } = await inject({ apiVersion, kind: list, metadata: {}, items }, '-o', 'json');
      assert.equal(code, 0, stderr);
      const read: { kind: string; apiVersion: string; metadata: { name: string } }[] = JSON.parse(stdout).items;
      const told = read.map(each => [each.apiVersion, each.kind, each.metadata.name]);
      assert.deepEqual(told, [
        [apiVersion, kind, 'one'],
        [apiVersion, kind, 'two'],
      ]);
      assert.equal(stdout.match(/"AWS_ROLE_ARN"/g)?.length ?? 0, 'spec' in fields || 'template' in fields ? 2 : 0);
    });
  }

  test('the list stays one in YAML', async () => {
    const items = [{ ...named('one'), spec }];
    const { stdout } = await inject({ apiVersion: 'v1', kind: 'PodList', items });
    const { kind, items: read } = parse(stdout);
    assert.deepEqual([kind, Object.keys(read[0])], ['PodList', ['metadata', 'spec']]);
    assert.equal(read[0].spec.containers[0].env.length, 6);
  });

  test('an item that names both keeps them', async () => {
    const items = [{ apiVersion: 'example.com/v1', kind: 'Other', ...named('one') }];
    const { stdout } = await inject({ apiVersion: 'v1', kind: 'PodList', items }, '-o', 'json');
    assert.deepEqual(JSON.parse(stdout), items[0]);
  });

  test('a state folder may hold what kubectl get --raw gives', async t => {
    const folder = await mkdtemp(join(tmpdir(), 'carm-raw-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const items = [{ metadata: { name: 'raw', annotations: { 'services.k8s.aws/owner-account-id': '111122223333' } } }];
    await writeFile(join(folder, 'ns.json'), JSON.stringify({ apiVersion: 'v1', kind: 'NamespaceList', items }));
    const { stdout } = await runCommand(['why', 'namespace', 'raw', '--state', folder]);
    assert.match(stdout, /AccountMapMissing/);
  });
});

describe('what kubectl makes nothing of', () => {
  const list = (kind: string, items: unknown) => ({ apiVersion: 'v1', kind, items });
  const pod = { apiVersion: 'v1', kind: 'Pod', ...named('one') };
  const rows: readonly [what: string, list: object, said: string][] = [
    ['an item of a List without either', list('List', [named('one')]), 'the object has no apiVersion or no kind'],
    ['an item without a kind', list('PodList', [{ apiVersion: 'v1' }]), 'the object has no apiVersion or no kind'],
    ['an item without an apiVersion', list('PodList', [{ kind: 'Pod' }]), 'the object has no apiVersion or no kind'],
    ['a List within a List', list('List', [list('List', [pod])]), 'a list within a list'],
    ['a PodList within a List', list('List', [list('PodList', [])]), 'a list within a list'],
    ['items that are no list', list('PodList', 5), 'the items of a "PodList" are not a list'],
  ];
  for (const [what, stdin, said] of rows) {
    test(what, async () => {
      assert.deepEqual(await inject(stdin), { code: 2, stdout: '', stderr: `carm-webhook: stdin:1: ${said}\n` });
    });
  }

  test('items that are null are none', async () => {
    const { code, stderr } = await inject(list('PodList', null));
    assert.deepEqual([code, stderr], [2, 'carm-webhook: there is no object in stdin\n']);
  });
});
