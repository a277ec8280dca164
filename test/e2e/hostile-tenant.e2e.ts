import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { installAckKinds } from './ack-crds.ts';
import { boundNamespace, deployment, type StoredPod, serviceAccount } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { HostileTenant, list, podOf } from './hostile-tenant.ts';
import { ServedPlane } from './served-plane.ts';

/**
 * A tenant with `edit` in their own namespace makes objects as large as the API server lets them, while another tenant's
 * Deployment is scaled up and down. HOSTILE_SECONDS=300 goes on for longer than there is time for in `make e2e`.
 */
const seconds = Number(process.env['HOSTILE_SECONDS'] ?? 12);
const testLimit = { timeout: (seconds + 120) * 1000 };

const account = '111122223333';
const foreignRole = 'arn:aws:iam::999999999999:role/admin';

describe('a tenant who makes everything as large as they can', () => {
  let served: ServedPlane;
  let tenant: HostileTenant;

  before(
    async () => {
      served = await ServedPlane.start({
        controllerManager: true,
        flags: ['--unbound-resources=deny'],
        nodeFlags: ['--max-old-space-size=256'],
        map: {
          [account]: `arn:aws:iam::${account}:role/ack`,
          [`pods.${account}`]: `arn:aws:iam::${account}:role/pods`,
        },
      });
      tenant = new HostileTenant(served.plane);
      await installAckKinds(served.plane);
      await served.apply([
        boundNamespace('mallory', account),
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'unbound' } },
        boundNamespace('shop', account),
        serviceAccount('shop', 'app'),
        ...['mallory', 'unbound'].map(namespace => HostileTenant.roleBinding(namespace)),
      ]);
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  const post = (path: string, body: object) => tenant.request('POST', path, body);

  /** Pods of another tenant, one after the other, as no client that retries would make them. */
  async function shopPods(
    until: Promise<unknown>,
  ): Promise<{ readonly calls: number; readonly failed: readonly string[] }> {
    let isOver = false;
    void until.finally(() => {
      isOver = true;
    });
    const failed: string[] = [];
    let calls = 0;
    while (!isOver) {
      const startedAt = performance.now();
      const pod = podOf({ generateName: 'shop-' }, { serviceAccountName: 'app' });
      const { status, body } = await served.plane.request<{ readonly message?: string }>(
        'POST',
        '/api/v1/namespaces/shop/pods?dryRun=All',
        pod,
      );
      calls += 1;
      if (status !== 201)
        failed.push(`${status} after ${Math.round(performance.now() - startedAt)} ms: ${body.message}`);
      await sleep(50);
    }
    return { calls, failed };
  }

  /** Scales a Deployment up and down, and waits each time until its pods are there, or gone. */
  async function scaleUntil(over: Promise<unknown>): Promise<number> {
    let isOver = false;
    void over.finally(() => {
      isOver = true;
    });
    await served.apply([deployment('shop', 'web')]);
    const running = async () =>
      (await served.pods('shop')).filter((pod: StoredPod) => pod.metadata.name.startsWith('web-')).length;
    let turns = 0;
    for (; !isOver; turns += 1) {
      const replicas = turns % 2 === 0 ? 12 : 0;
      const scaled = await served.plane.request('PATCH', '/apis/apps/v1/namespaces/shop/deployments/web', {
        spec: { replicas },
      });
      assert.equal(scaled.status, 200);
      // Without kubelets a pod that is deleted goes when it was never scheduled.
      await eventually(`${replicas} pods`, async () => ((await running()) === replicas ? true : undefined), 20_000);
    }
    const { items } = await served.get<{ items: readonly { reason: string; message: string }[] }>(
      '/api/v1/namespaces/shop/events',
    );
    assert.deepEqual(
      items.filter(({ reason }) => reason === 'FailedCreate').map(({ message }) => message),
      [],
    );
    return turns;
  }

  test('pods and ServiceAccounts as large as can be: no call of another tenant fails', testLimit, async () => {
    const { pid } = served.webhook;
    const attacks = tenant.makeLargeObjects(seconds);
    const [, experience, turns] = await Promise.all([attacks, shopPods(attacks), scaleUntil(attacks)]);
    assert.deepEqual(experience.failed, []);
    assert.ok(experience.calls > seconds, `${experience.calls} calls`);
    assert.ok(turns >= 2, `${turns} turns`);
    assert.equal(served.webhook.pid, pid);
    assert.ok(served.webhook.isRunning, 'the webhook ended');
    const ready = await fetch(`${served.webhook.opsUrl}/readyz`, { signal: AbortSignal.timeout(2_000) });
    assert.equal(ready.status, 200);
  });

  test('a large pod is denied by its limit, as kubectl prints it', testLimit, async () => {
    const pod = podOf({ name: 'wide' }, { containers: list(1_001, index => ({ name: `c${index}`, image: 'app' })) });
    const { status, body } = await post('/api/v1/namespaces/mallory/pods', pod);
    assert.equal(status, 403);
    assert.match(body.message ?? '', /1,001 containers, and the limit is 1,000.*\(ObjectTooLarge\)/);
  });

  test("mode audit on their own namespace lets no resource into the controllers' own account", testLimit, async () => {
    const labels = { 'carm-webhook.dev/mode': 'audit' };
    const labelled = await tenant.request('PATCH', '/api/v1/namespaces/unbound', { metadata: { labels } });
    assert.equal(labelled.status, 200);
    const bucket = {
      apiVersion: 's3.services.k8s.aws/v1alpha1',
      kind: 'Bucket',
      metadata: { name: 'loot' },
      spec: { name: 'loot' },
    };
    const { status, body } = await post('/apis/s3.services.k8s.aws/v1alpha1/namespaces/unbound/buckets', bucket);
    assert.equal(status, 403);
    assert.match(body.message ?? '', /\(NamespaceNotBound\)/);
  });

  test('an owner reference of their own making hides no workload', testLimit, async () => {
    const configMap = await tenant.request<{ readonly metadata: { readonly uid: string } }>(
      'POST',
      '/api/v1/namespaces/mallory/configmaps',
      { metadata: { name: 'owner' } },
    );
    assert.equal(configMap.status, 201);
    const { uid } = configMap.body.metadata;
    for (const [apiVersion, kind] of [
      ['v1', 'ConfigMap'],
      ['apps/v1', 'Deployment'],
    ]) {
      const owner = { apiVersion, kind, name: 'owner', uid, controller: true };
      const template = {
        metadata: { labels: { app: 'x' } },
        spec: { containers: [{ name: 'app', image: 'app', env: [{ name: 'AWS_ROLE_ARN', value: foreignRole }] }] },
      };
      const spec = { selector: { matchLabels: { app: 'x' } }, template };
      for (const [plural, workload] of [
        ['deployments', 'Deployment'],
        ['replicasets', 'ReplicaSet'],
      ]) {
        const body = {
          apiVersion: 'apps/v1',
          kind: workload,
          metadata: { generateName: 'x-', ownerReferences: [owner] },
          spec,
        };
        const answer = await post(`/apis/apps/v1/namespaces/mallory/${plural}?dryRun=All`, body);
        assert.match(answer.warnings.join('\n'), /\(RoleOutsideAccount\)/, `${workload} of ${kind}`);
      }
    }
  });
});
