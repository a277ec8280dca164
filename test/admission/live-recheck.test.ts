import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAdmit } from '../../src/admission/admit.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import { injectedEnv, namespaceObject, pod, podWithEnv, tokenVolume, workload } from '../decisions/manifests.ts';
import { type ReviewOptions, readRequest } from '../decisions/review.ts';
import { FakeCluster, type FakeState, good, role } from './fake-cluster.ts';

const deadline = 5_000;

async function ask(cluster: FakeCluster, review: ReviewOptions, endpoint: 'mutate' | 'validate' = 'mutate') {
  const { response, record } = await createAdmit(cluster, defaultConfig)(endpoint, readRequest(review), deadline);
  return { response, record, reason: record.reason };
}

const noMap: FakeState = { ...good, maps: {} };
const noServiceAccount: FakeState = { ...good, serviceAccounts: {} };
const noNamespace: FakeState = { ...good, namespaces: {} };
const stale: FakeState = { ...good, maps: { account: { '111111111111': 'garbage' } } };
const unbound: FakeState = {
  ...good,
  namespaces: { shop: { labels: { 'carm-webhook.dev/inject': 'enabled' } } },
};
const notServed: FakeState = { ...good, namespaces: { shop: {} } };

describe('the hot path', () => {
  test('makes no live read when the caches know the answer, and answers at once', () => {
    const cluster = new FakeCluster(good, new Error('nobody must ask'));
    const result = createAdmit(cluster, defaultConfig)('mutate', readRequest({ object: pod() }), deadline);
    assert.ok(!(result instanceof Promise));
    assert.equal(result.record.reason, 'Injected');
    assert.deepEqual(cluster.reads, []);
  });

  test('denies by what the pod itself says only after a live read: its account may be another by now', async () => {
    const rebound: FakeState = {
      ...good,
      namespaces: { shop: { annotations: { 'services.k8s.aws/owner-account-id': '222222222222' } } },
      maps: { account: { '222222222222': 'arn:aws:iam::222222222222:role/pods' } },
    };
    const object = podWithEnv([{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::222222222222:role/mine' }]);
    const cluster = new FakeCluster(good, rebound);
    assert.equal((await ask(cluster, { object })).reason, 'Injected');
  });
});

test('an opted-out pod is told that it runs without a role only after a live read: the map may just have come', async () => {
  const object = pod({ labels: { 'carm-webhook.dev/inject': 'disabled' } });
  const told = await ask(new FakeCluster(noMap, noMap), { object });
  assert.deepEqual(told.record.warnings, ['RunsWithoutRole']);
  const cluster = new FakeCluster(noMap, good);
  const { response, record } = await ask(cluster, { object });
  assert.deepEqual([record.reason, response.warnings], ['OptedOut', undefined]);
  assert.deepEqual(cluster.reads.toSorted(), ['Namespace shop', 'RoleMap account']);
});

describe('a workload whose ServiceAccount the cache does not have', () => {
  const review = workload('Deployment', pod());
  const asked = ['Namespace shop', 'RoleMap account', 'ServiceAccount shop/default'];

  test('is judged without one only after a live read: it may just have come', async () => {
    const cluster = new FakeCluster(noServiceAccount, noServiceAccount);
    const { response, reason } = await ask(cluster, review, 'validate');
    assert.deepEqual([reason, response.warnings], ['Checked', undefined]);
    assert.deepEqual(cluster.reads.toSorted(), asked);
  });

  test('is judged by what it asks for, if it has come', async () => {
    const annotations = { 'carm-webhook.dev/role': 'arn:aws:iam::999999999999:role/admin' };
    const live: FakeState = { ...good, serviceAccounts: { 'shop/default': annotations } };
    const { response, reason } = await ask(new FakeCluster(noServiceAccount, live), review, 'validate');
    assert.equal(reason, 'RoleOutsideAccount');
    assert.match(
      response.warnings?.[0] ?? '',
      /^carm-webhook: pods of Deployment "web" will not start: ServiceAccount /,
    );
  });
});

test("with --require-pods-key ACK's roles are read live from the map of every ACK system namespace, each once", async () => {
  const maps = { account: { 'pods.111111111111': role, '111111111111': 'arn:aws:iam::111111111111:role/ack' } };
  const cluster = new FakeCluster(undefined, { ...good, maps });
  const ackSystems = [
    { namespace: 'ack-system', services: undefined },
    { namespace: 'ack-iam', services: undefined },
  ] as const;
  const admit = createAdmit(cluster, { ...defaultConfig, requirePodsKey: true, ackSystems });
  const object = podWithEnv([{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111111111111:role/ack' }]);
  const { record } = await admit('mutate', readRequest({ object }), deadline);
  assert.equal(record.reason, 'ControllerRole');
  assert.deepEqual(cluster.reads.toSorted(), [
    'Namespace shop',
    'RoleMap account',
    'RoleMap account',
    'ServiceAccount shop/default',
  ]);
});

describe('a denial from the cache is re-checked live before it is spoken', () => {
  const table: Readonly<Record<string, FakeState | undefined>> = {
    'a miss of the map': noMap,
    'a miss of the ServiceAccount': noServiceAccount,
    'a miss of the namespace': noNamespace,
    'a stale value in the map': stale,
    'a stale binding': unbound,
    'a namespace that memory holds for not served': notServed,
    'an empty memory': {},
    'no memory at all (not there yet, or stale)': undefined,
  };
  for (const [what, memory] of Object.entries(table)) {
    test(`${what}: memory denies, the cluster allows`, async () => {
      const cluster = new FakeCluster(memory, good);
      const { response, reason } = await ask(cluster, { object: pod() });
      assert.equal(reason, 'Injected');
      assert.equal(response.allowed, true);
      assert.equal(response.auditAnnotations?.['role-arn'], role);
    });
  }

  test('the denial is spoken when the cluster denies too, by the words of the live state', async () => {
    const { response, reason } = await ask(new FakeCluster(noMap, stale), { object: pod() });
    assert.equal(reason, 'InvalidRoleArn');
    assert.equal(response.status?.code, 403);
    assert.match(response.status?.message ?? '', /"garbage"/);
  });

  test('each object is read once, and no other than the decision needs', async () => {
    const cluster = new FakeCluster(undefined, good);
    await ask(cluster, { object: pod() });
    assert.deepEqual(cluster.reads.toSorted(), ['Namespace shop', 'RoleMap account', 'ServiceAccount shop/default']);
    assert.deepEqual(new Set(cluster.charged.map(String)), new Set(['shop,5000']), 'namespace and deadline');
  });

  test('the mode is the live one', async () => {
    const softened: FakeState = {
      ...unbound,
      namespaces: { shop: { labels: { 'carm-webhook.dev/inject': 'enabled', 'carm-webhook.dev/mode': 'warn' } } },
    };
    const { record } = await ask(new FakeCluster(unbound, softened), { object: pod() });
    assert.equal(record.outcome, 'warned');
  });

  test('a workload whose pods would be denied is warned of only after a live read', async () => {
    const { object, resource } = workload('Deployment', pod());
    const review = { object, resource, kind: 'Deployment' };
    const { response } = await ask(new FakeCluster(noMap, good), review, 'validate');
    assert.equal(response.warnings, undefined);
  });

  test('a namespace whose binding does not resolve is warned of only after a live read', async () => {
    const object = namespaceObject('shop', { 'services.k8s.aws/owner-account-id': '111111111111' });
    const review = { object, resource: '/v1/namespaces', kind: 'Namespace' };
    const { response, reason } = await ask(new FakeCluster(noMap, good), review);
    assert.equal(reason, 'Labelled');
    assert.equal(response.warnings, undefined);
  });

  test('a debug container that would get no role is warned of only after a live read', async () => {
    const debugged = (ephemeralContainers: readonly Readonly<Record<string, unknown>>[]) =>
      pod({ volumes: [tokenVolume()], ephemeralContainers });
    const review: ReviewOptions = {
      operation: 'UPDATE',
      subResource: 'ephemeralcontainers',
      object: debugged([{ name: 'debugger', image: 'busybox' }]),
      oldObject: debugged([]),
    };
    assert.equal((await ask(new FakeCluster(noMap, good), review)).reason, 'Injected');
  });
});

test('/validate asks live for a ServiceAccount that memory does not have: its audience decides', async () => {
  const live: FakeState = { ...good, serviceAccounts: { 'shop/default': { 'eks.amazonaws.com/audience': 'vault' } } };
  const object = podWithEnv(injectedEnv(role), { volumes: [tokenVolume('sts.amazonaws.com')] });
  const { reason } = await ask(new FakeCluster(noServiceAccount, live), { object }, 'validate');
  assert.equal(reason, 'VolumeConflict');
});
