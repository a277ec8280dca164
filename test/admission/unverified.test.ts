import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAdmit } from '../../src/admission/admit.ts';
import { UnverifiedError } from '../../src/admission/cluster.ts';
import { type Config, defaultConfig } from '../../src/admission/config.ts';
import { namespaceObject, pod, podWithEnv, workload } from '../decisions/manifests.ts';
import { type ReviewOptions, readRequest } from '../decisions/review.ts';
import { FakeCluster, type FakeState, good, inMode } from './fake-cluster.ts';

const deployment = workload('Deployment', pod());
const deploymentReview: ReviewOptions = { ...deployment, kind: 'Deployment' };
const noMap: FakeState = { ...good, maps: {} };

async function ask(
  memory: FakeState | undefined,
  error: Error,
  review: ReviewOptions,
  rules: Partial<Config> = {},
  endpoint: 'mutate' | 'validate' = 'mutate',
) {
  const cluster = new FakeCluster(memory, error);
  return createAdmit(cluster, { ...defaultConfig, ...rules })(endpoint, readRequest(review), 5_000);
}

describe('when the cluster cannot be asked', () => {
  for (const status of [429, 503] as const) {
    for (const mode of ['enforce', 'warn', 'audit'] as const) {
      test(`a pod is denied as Unverified with ${status}, also in mode ${mode}`, async () => {
        const error = new UnverifiedError(status, 'the API server did not answer in time');
        const { response, record } = await ask(inMode(mode, noMap), error, { object: pod() }, { defaultMode: mode });
        assert.equal(response.allowed, false);
        assert.equal(response.status?.code, status);
        assert.equal(response.status?.reason, status === 429 ? 'TooManyRequests' : 'ServiceUnavailable');
        assert.match(
          response.status?.message ?? '',
          /^Pod "web" in namespace "shop": .*Retry; if this persists, .*\(Unverified\)$/,
        );
        assert.deepEqual(response.auditAnnotations, { decision: 'deny', reason: 'Unverified', denied: 'Unverified' });
        assert.equal(record.outcome, 'error');
        assert.equal(record.error, error);
      });
    }
  }

  test('a pod is denied when there is no memory either', async () => {
    const { response } = await ask(undefined, new UnverifiedError(503, 'gone'), { object: pod() });
    assert.equal(response.status?.code, 503);
  });

  test('an ephemeral container is denied: its boundary is not known', async () => {
    const review = { object: pod(), oldObject: pod(), operation: 'UPDATE', subResource: 'ephemeralcontainers' };
    const { response } = await ask(undefined, new UnverifiedError(503, 'gone'), review);
    assert.equal(response.status?.code, 503);
  });

  test('a pod that memory allows is not held up', async () => {
    const { record } = await ask(good, new UnverifiedError(503, 'gone'), { object: pod() });
    assert.equal(record.reason, 'Injected');
  });

  for (const endpoint of ['mutate', 'validate'] as const) {
    test(`a pod that opted out and names no role is not held up for a warning: /${endpoint}`, async () => {
      const optedOut = pod({ labels: { 'carm-webhook.dev/inject': 'disabled' } });
      for (const memory of [noMap, undefined]) {
        const { response, record } = await ask(
          memory,
          new UnverifiedError(503, 'gone'),
          { object: optedOut },
          {},
          endpoint,
        );
        assert.equal(response.allowed, true);
        assert.equal(record.reason, 'OptedOut');
        assert.equal(response.warnings, undefined);
      }
    });

    test(`one that names a role is: its boundary is not known: /${endpoint}`, async () => {
      const naming = podWithEnv([{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111111111111:role/x' }], {
        labels: { 'carm-webhook.dev/inject': 'disabled' },
      });
      const { response } = await ask(undefined, new UnverifiedError(503, 'gone'), { object: naming }, {}, endpoint);
      assert.equal(response.status?.code, 503);
    });
  }

  test('a workload is let pass with a warning', async () => {
    const { response, record } = await ask(noMap, new UnverifiedError(429, 'spent'), deploymentReview, {}, 'validate');
    assert.equal(response.allowed, true);
    assert.equal(record.outcome, 'warned');
    assert.match(response.warnings?.[0] ?? '', /\(Unverified\)$/);
  });

  test('with --workloads=deny a workload is denied: never a guess', async () => {
    const { response } = await ask(
      noMap,
      new UnverifiedError(429, 'spent'),
      deploymentReview,
      { workloads: 'deny' },
      'validate',
    );
    assert.equal(response.allowed, false);
    assert.equal(response.status?.code, 429);
  });

  test('a namespace is labelled all the same, and what needs the map is left unsaid', async () => {
    const object = namespaceObject('new', { 'services.k8s.aws/owner-account-id': '111111111111' });
    const review = { object, resource: '/v1/namespaces', kind: 'Namespace' };
    const { response, record } = await ask(undefined, new UnverifiedError(503, 'gone'), review);
    assert.equal(response.allowed, true);
    assert.equal(record.reason, 'Labelled');
    assert.equal(response.warnings, undefined);
  });

  test('the support message ends this answer too', async () => {
    const { response } = await ask(
      undefined,
      new UnverifiedError(503, 'gone'),
      { object: pod() },
      { supportMessage: 'Ask in #platform.' },
    );
    assert.match(response.status?.message ?? '', /\(Unverified\) Ask in #platform\.$/);
  });
});

describe('an internal error follows the mode', () => {
  const broken = new TypeError('secret detail');
  const expected = { enforce: 'error', warn: 'warned', audit: 'audited' } as const;
  for (const mode of ['enforce', 'warn', 'audit'] as const) {
    test(`${mode}, by the namespace's label`, async () => {
      const { response, record } = await ask(inMode(mode, noMap), broken, { object: pod() });
      assert.equal(record.reason, 'InternalError');
      assert.equal(record.outcome, expected[mode]);
      assert.equal(record.error, broken);
      assert.equal(response.allowed, mode !== 'enforce');
      assert.equal(response.status?.code, mode === 'enforce' ? 500 : undefined);
      assert.equal(response.patch, undefined);
      assert.equal(response.warnings?.length, mode === 'warn' ? 1 : undefined);
      assert.ok(!JSON.stringify(response).includes('secret detail'));
    });

    test(`${mode}, by the default where there is no memory`, async () => {
      const { record } = await ask(undefined, broken, { object: pod() }, { defaultMode: mode });
      assert.equal(record.outcome, expected[mode]);
    });
  }

  test('a memory that throws is one InternalError too, never an exception', async () => {
    const cluster = {
      get cache(): never {
        throw broken;
      },
      read: () => Promise.reject(broken),
    };
    const { record } = await createAdmit(cluster, defaultConfig)('mutate', readRequest({ object: pod() }), 5_000);
    assert.equal(record.reason, 'InternalError');
    assert.equal(record.outcome, 'error');
  });
});
