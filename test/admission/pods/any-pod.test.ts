import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Operation } from 'fast-json-patch';
import { createAdmit, type ReviewResult } from '../../../src/admission/admit.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { readSkipList } from '../../../src/injection/skip-list.ts';
import { readPod } from '../../../src/objects/pod.ts';
import { patched, patchOf } from '../../decisions/check-row.ts';
import { type ReviewOptions, readRequest } from '../../decisions/review.ts';
import { propertyRuns } from '../../property-runs.ts';
import { account, FakeCluster, type FakeState, good } from '../fake-cluster.ts';
import { anyPod, shapedPod } from './arbitrary-pod.ts';

const state: FakeState = {
  ...good,
  serviceAccounts: {
    'shop/default': {},
    'shop/audience': { 'eks.amazonaws.com/audience': 'vault', 'eks.amazonaws.com/sts-regional-endpoints': 'f' },
    'shop/wish': { 'carm-webhook.dev/role': 'team/reader' },
  },
};
const regional: Config = {
  ...defaultConfig,
  defaultRegion: 'eu-central-1',
  disableInstanceMetadata: 'always',
  supportMessage: 'Ask in #platform.',
};

async function ask(object: unknown, endpoint: 'mutate' | 'validate' = 'mutate', more: Partial<ReviewOptions> = {}) {
  const admit = createAdmit(new FakeCluster(state, state), regional);
  return admit(endpoint, readRequest({ object, namespace: 'shop', kind: 'Pod', ...more }), 5_000);
}

/** A pod as it came over the wire. */
const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null');

const allowedPath =
  /^\/spec\/(?:initContainers|containers|ephemeralContainers)\/\d+\/(?:env|volumeMounts)(?:\/-)?$|^\/spec\/volumes(?:\/-)?$|^\/metadata(?:\/annotations(?:\/carm-webhook\.dev~1role-arn)?)?$/;

function checkOperations(operations: readonly Operation[], object: unknown): void {
  const { metadata } = object as { metadata?: { annotations?: unknown } | null };
  for (const operation of operations) {
    assert.equal(operation.op, 'add');
    assert.match(operation.path, allowedPath);
    if (operation.path === '/metadata') assert.equal(metadata ?? undefined, undefined);
    if (operation.path === '/metadata/annotations') assert.equal(metadata?.annotations ?? undefined, undefined);
  }
}

/** Every value of `before` stands in `after`, at its place; only lists grow at their end, and our annotation changes. */
function assertKept(before: unknown, after: unknown, path: string): void {
  if (path === '/metadata/annotations/carm-webhook.dev/role-arn') return;
  if (Array.isArray(before)) {
    assert.ok(Array.isArray(after), path);
    for (const [index, item] of before.entries()) assertKept(item, after[index], `${path}/${index}`);
    const mayGrow = /^\/spec\/(?:volumes|(?:initContainers|containers)\/\d+\/(?:env|volumeMounts))$/.test(path);
    if (!mayGrow) assert.equal(after.length, before.length, path);
  } else if (typeof before === 'object' && before !== null) {
    assert.ok(typeof after === 'object' && after !== null, path);
    for (const [key, value] of Object.entries(before)) {
      assert.ok(Object.hasOwn(after, key), `${path}/${key}`);
      const absent = value === null && /^\/(?:metadata|spec)/.test(`${path}/${key}`);
      if (!absent) assertKept(value, Reflect.get(after, key), `${path}/${key}`);
    }
  } else {
    assert.equal(after, before, path);
  }
}

function checkAnswer({ response, record }: ReviewResult): void {
  assert.notEqual(record.reason, 'InternalError');
  assert.equal(typeof response.uid, 'string');
  for (const text of [...(response.warnings ?? []), response.status?.message ?? '']) {
    assert.match(text, /^[\x20-\x7e]*$/);
    assert.ok(text.length <= 1024, `${text.length} bytes`);
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
}

describe('for any JSON in the place of a pod', () => {
  for (const endpoint of ['mutate', 'validate'] as const) {
    test(`/${endpoint} answers, by one readable line where it denies`, async () => {
      await fc.assert(
        fc.asyncProperty(anyPod, async value => checkAnswer(await ask(overTheWire(value), endpoint))),
        { numRuns: propertyRuns(150) },
      );
    });
  }

  test('kubectl debug is answered, whatever the old and the new object', async () => {
    await fc.assert(
      fc.asyncProperty(anyPod, anyPod, async (value, old) => {
        const more = { operation: 'UPDATE', subResource: 'ephemeralcontainers', oldObject: overTheWire(old) };
        const object = overTheWire(value);
        const result = await ask(object, 'mutate', more);
        checkAnswer(result);
        if (result.response.patch !== undefined) checkOperations(patchOf(result.response), object);
      }),
      { numRuns: propertyRuns(150) },
    );
  });

  test('a namespace of any shape is answered, and only its label is touched', async () => {
    await fc.assert(
      fc.asyncProperty(anyPod, async value => {
        const object = overTheWire(value);
        const result = await ask(object, 'mutate', { resource: '/v1/namespaces', name: 'shop', kind: 'Namespace' });
        checkAnswer(result);
        assert.deepEqual(patchOf(result.response), []);
      }),
      { numRuns: propertyRuns(100) },
    );
  });

  test('a workload around it is answered', async () => {
    await fc.assert(
      fc.asyncProperty(anyPod, async template => {
        const object = overTheWire({ metadata: { name: 'web' }, spec: { template } });
        const result = await ask(object, 'validate', { resource: 'apps/v1/deployments', kind: 'Deployment' });
        checkAnswer(result);
        assert.equal(result.response.patch, undefined);
      }),
      { numRuns: propertyRuns(150) },
    );
  });
});

describe('for any pod that is injected', () => {
  test('the patch is valid, only adds, and only where it may', async () => {
    let injected = 0;
    await fc.assert(
      fc.asyncProperty(shapedPod, async value => {
        const object = overTheWire(value);
        const { response, record } = await ask(object);
        if (response.patch === undefined) return;
        if (record.reason === 'Injected') injected += 1;
        checkOperations(patchOf(response), object);
        assertKept(object, patched(object, response), '');
      }),
      { numRuns: propertyRuns(150) },
    );
    assert.ok(injected >= 18, `only ${injected} of the pods were injected: the property says little`);
  });

  test('on its own output the patch is empty', async () => {
    await fc.assert(
      fc.asyncProperty(shapedPod, async value => {
        const object = overTheWire(value);
        const { response } = await ask(object);
        if (!response.allowed) return;
        const again = await ask(patched(object, response));
        assert.equal(again.response.allowed, true, again.response.status?.message);
        assert.deepEqual(patchOf(again.response), []);
      }),
      { numRuns: propertyRuns(150) },
    );
  });

  test('once more without session name and annotation, which come with the pair alone, it is left as it is', async () => {
    type Containers = { env?: { name?: string }[] | null }[] | null;
    const beside = new Set(['AWS_ROLE_SESSION_NAME', 'AWS_EC2_METADATA_DISABLED']);
    let complete = 0;
    await fc.assert(
      fc.asyncProperty(shapedPod, async value => {
        const object = overTheWire(value);
        const { response } = await ask(object);
        if (!response.allowed || response.patch === undefined) return;
        const after = patched(object, response) as {
          metadata?: { annotations?: Record<string, unknown> };
          spec: Record<'containers' | 'initContainers', Containers>;
        };
        const lists = [after.spec.containers, after.spec.initContainers].flatMap(list => list ?? []);
        const isComplete = ({ env }: { env?: { name?: string }[] | null }) =>
          ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_SESSION_NAME'].every(
            name => env?.filter(each => each.name === name).length === 1,
          ) && !JSON.stringify(env).includes('CREDENTIALS_FULL_URI');
        if (
          lists.length === 0 ||
          !lists.every(isComplete) ||
          !JSON.stringify(patchOf(response)).includes('"AWS_ROLE_ARN"')
        )
          return;
        if (lists.some(({ env }) => env?.some(({ name }) => name?.startsWith('aws_')))) return;
        complete += 1;
        for (const container of lists) {
          container.env = container.env?.filter(({ name }) => !beside.has(name ?? '')) ?? [];
        }
        if (after.metadata?.annotations) delete after.metadata.annotations['carm-webhook.dev/role-arn'];
        const again = await ask(after);
        assert.deepEqual(patchOf(again.response), []);
      }),
      { numRuns: propertyRuns(300) },
    );
    assert.ok(complete >= 10, `only ${complete} of the pods were complete: the property says little`);
  });

  test('after another webhook added a sidecar, only the sidecar is touched', async () => {
    await fc.assert(
      fc.asyncProperty(shapedPod, fc.boolean(), async (value, isInit) => {
        const { response } = await ask(overTheWire(value));
        if (!response.allowed || response.patch === undefined) return;
        const object = patched(overTheWire(value), response) as { spec: Record<string, unknown> };
        const field = isInit ? 'initContainers' : 'containers';
        const list = (object.spec[field] ?? []) as unknown[];
        object.spec[field] = [...list, { name: 'a-late-sidecar', image: 'proxy' }];
        const again = await ask(object);
        if (!again.response.allowed) {
          // Only where the sidecar is the first to need the name that a volume of the user's has.
          assert.equal(again.record.reason, 'VolumeConflict');
          assert.ok(!JSON.stringify(patchOf(response)).includes('AWS_WEB_IDENTITY_TOKEN_FILE'));
          return;
        }
        for (const { path } of patchOf(again.response)) {
          // When nobody used the token before, the sidecar brings volume and annotation.
          const shared = /^\/spec\/volumes|^\/metadata/.test(path);
          assert.ok(shared || path.startsWith(`/spec/${field}/${list.length}/`), path);
        }
        const hasVolume = JSON.stringify(object.spec['volumes'] ?? null).includes('"aws-iam-token"');
        if (hasVolume) assert.ok(!patchOf(again.response).some(({ path }) => path.startsWith('/spec/volumes')));
      }),
      { numRuns: propertyRuns(150) },
    );
  });

  test('the final object passes /validate', async () => {
    await fc.assert(
      fc.asyncProperty(shapedPod, async value => {
        const object = overTheWire(value);
        const { response } = await ask(object);
        if (!response.allowed) return;
        const final = await ask(patched(object, response), 'validate');
        assert.equal(final.response.allowed, true, final.response.status?.message);
      }),
      { numRuns: propertyRuns(150) },
    );
  });

  test('no container has a role of another account, and each that has ours has token, mount and volume', async () => {
    type Entry = { name?: string; value?: string; mountPath?: string };
    type Container = { name?: string; env?: Entry[]; volumeMounts?: Entry[] };
    await fc.assert(
      fc.asyncProperty(shapedPod, async value => {
        const object = overTheWire(value);
        const { response, record } = await ask(object);
        if (record.reason !== 'Injected') return;
        const { spec } = patched(object, response) as {
          spec: { containers: Container[]; initContainers?: Container[]; volumes?: Entry[] };
        };
        const { annotations } = readPod(object);
        for (const { name = '', env, volumeMounts } of [...spec.containers, ...(spec.initContainers ?? [])]) {
          const roles = (env ?? []).filter(({ name }) => name === 'AWS_ROLE_ARN');
          for (const { value: arn = '' } of roles) assert.match(arn, new RegExp(`^$|^arn:aws:iam::${account}:role/`));
          // A skipped container gets nothing, whatever it says itself.
          if (readSkipList(annotations).has(name)) continue;
          const ours = (env ?? []).some(({ value: path }) =>
            /eks\.amazonaws\.com.serviceaccount.token$/.test(path ?? ''),
          );
          const isLast = (env ?? []).findLast(({ name }) => name === 'AWS_WEB_IDENTITY_TOKEN_FILE');
          if (!ours || !/eks\.amazonaws\.com.serviceaccount.token$/.test(isLast?.value ?? '')) continue;
          assert.ok(volumeMounts?.some(({ name }) => name === 'aws-iam-token'));
          assert.ok(spec.volumes?.some(({ name }) => name === 'aws-iam-token'));
        }
      }),
      { numRuns: propertyRuns(150) },
    );
  });
});

test('a pod nested 100,000 deep is answered, and its workload compared', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const template = JSON.parse(`{"spec":{"containers":[{"name":"app"}],"future":${deep}}}`);
  const request = { ...readRequest({ object: {}, namespace: 'shop', resource: 'apps/v1/deployments' }) };
  const admit = createAdmit(new FakeCluster(state, state), regional);
  const object = { metadata: { name: 'web' }, spec: { template } };
  const same = { ...request, operation: 'UPDATE' as const, object, oldObject: structuredCloneOf(object) };
  assert.equal((await admit('validate', same, 5_000)).record.reason, 'Checked');
  const asPod = { ...readRequest({ object: {}, namespace: 'shop' }), object: template };
  assert.equal((await admit('mutate', asPod, 5_000)).record.reason, 'Injected');
});

/** A second object that shares the deep part: what compares it must not follow it by recursion. */
function structuredCloneOf(object: { metadata: object; spec: { template: { spec: object } } }) {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  return { ...object, spec: { template: { spec: { ...object.spec.template.spec, future: JSON.parse(deep) } } } };
}
