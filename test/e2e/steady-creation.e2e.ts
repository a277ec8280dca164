import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeSelfSigned, type SelfSigned } from '../../src/server/self-signed.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { BoundNamespace, setAccountMap } from './bound-namespace.ts';
import { eventually } from './eventually.ts';
import { FaultyProxy, kubeconfigThrough } from './faulty-proxy.ts';
import { credentialsOf, type PodObject } from './injected-credentials.ts';
import { pointAt, webhookConfigurations } from './manifests.ts';
import { liveReadsIn, sumOf } from './metric-sum.ts';
import { MountedSecret } from './mounted-secret.ts';
import { ReadyBalancer } from './ready-balancer.ts';
import { servedSerialNumber } from './served-certificate.ts';
import { SteadyPods } from './steady-pods.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/team-a`;
/** More than is asked for, so that a busy machine's delays leave enough. */
const podsPerSecond = 25;
const leastPerSecond = 20;
const quietMs = 4000;

describe('pods created steadily, two replicas behind a balancer', () => {
  let plane: ControlPlane;
  let proxy: FaultyProxy;
  let secret: MountedSecret;
  let certificates: readonly SelfSigned[];
  const replicas: WebhookUnderTest[] = [];
  let balancer: ReadyBalancer;
  let team: BoundNamespace;

  before(
    async () => {
      plane = await ControlPlane.start();
      proxy = await FaultyProxy.start(plane.url);
      secret = new MountedSecret();
      certificates = await Promise.all([makeSelfSigned(), makeSelfSigned(), makeSelfSigned()]);
      serve(certificates[0]);
      const kubeconfig = await kubeconfigThrough(plane, proxy);
      for (const _ of ['first', 'second']) {
        const flags = [
          `--tls-cert-file=${secret.path('tls.crt')}`,
          `--tls-private-key-file=${secret.path('tls.key')}`,
          // Many looks of the balancer.
          '--shutdown-delay=2s',
          '--log-level=info',
          // The shortest: a watch that was cut must come back, it does not help to trust it longer.
          '--max-staleness=5s',
        ];
        replicas.push(await WebhookUnderTest.start(plane, { kubeconfig, flags }));
      }
      balancer = await ReadyBalancer.start(replicas);
      const [replica] = replicas;
      assert.ok(replica !== undefined);
      // The API server trusts every certificate of this test from the start, as it does where one CA signs them all.
      const caPem = certificates.map(certificate => certificate.caPem).join('\n');
      await replica.install(
        webhookConfigurations(replica.manifests).map(configuration =>
          pointAt(configuration, ({ clientConfig }) => `${balancer.url}${clientConfig.service?.path ?? ''}`, caPem),
        ),
      );
      await setAccountMap(plane, { [account]: roleArn });
      team = await BoundNamespace.create(plane, 'team-a', { accountId: account });
    },
    { timeout: 120_000 },
  );
  after(async () => {
    for (const replica of replicas) await replica.stop();
    await balancer?.stop();
    await proxy?.stop();
    await plane?.stop();
    secret?.remove();
  });

  function serve(certificate: SelfSigned | undefined): void {
    assert.ok(certificate !== undefined);
    const { certPem, keyPem } = certificate.current;
    secret.write({ 'tls.crt': certPem, 'tls.key': keyPem });
  }

  const restarts = async (): Promise<number> => {
    const texts = await Promise.all(replicas.map(replica => replica.metrics()));
    return texts.reduce((sum, text) => sum + sumOf(text, 'carm_webhook_watch_restarts_total'), 0);
  };

  const liveReads = async (): Promise<number> => {
    const texts = await Promise.all(replicas.map(replica => replica.metrics()));
    return texts.reduce((sum, text) => sum + liveReadsIn(text), 0);
  };

  const reviewsOf = async (replica: WebhookUnderTest): Promise<number> =>
    sumOf(await replica.metrics(), 'carm_webhook_reviews_total');

  async function renewCertificate(certificate: SelfSigned | undefined): Promise<void> {
    serve(certificate);
    const { serialNumber } = new X509Certificate(certificate?.current.certPem ?? '');
    const isServed = async () => {
      // A replica may be away just now.
      const serials = await Promise.all(replicas.map(({ url }) => servedSerialNumber(url).catch(() => undefined)));
      return serials.every(serial => serial === serialNumber) ? true : undefined;
    };
    await eventually('both replicas serve the new certificate', isServed, 30_000);
  }

  /** Stops one replica and starts it again, while the other one takes its calls over. */
  async function replace(replica: WebhookUnderTest, other: WebhookUnderTest): Promise<void> {
    const { pid } = replica;
    const end = await replica.stopProcess();
    assert.deepEqual(end, { code: 0, signal: null });
    const before = await reviewsOf(other);
    await sleep(quietMs);
    assert.ok((await reviewsOf(other)) > before);
    await replica.startProcess();
    assert.notEqual(replica.pid, pid);
    await eventually('the balancer sees the new replica', () => (balancer.isReady(replica) ? true : undefined));
  }

  test('no call fails by the webhook, and no pod is without credentials', { timeout: 230_000 }, async t => {
    const pods = new SteadyPods(team, roleArn, podsPerSecond);
    const phase = async (name: string, run: () => Promise<unknown>) => {
      pods.phase = name;
      await run();
      t.diagnostic(`${name}: ${pods.started} pods so far, ${pods.failures.length} failed`);
      pods.phase = `after: ${name}`;
      await sleep(quietMs);
    };
    const [first, second] = replicas;
    assert.ok(first !== undefined && second !== undefined);
    await pods.during(async () => {
      await sleep(quietMs);
      await phase('watches cut', async () => {
        const before = await restarts();
        for (let cut = 0; cut < 6; cut++) {
          proxy.cut();
          await sleep(500);
        }
        assert.ok((await restarts()) > before);
      });
      await phase('certificate renewed', () => renewCertificate(certificates[1]));
      await phase('first replica replaced', () => replace(first, second));
      await phase('second replica replaced', () => replace(second, first));
      await phase('API server restarted', () =>
        pods.whileApiServerIsAway(
          () => plane.stopApiServer(),
          () => plane.startApiServer(),
        ),
      );
      await phase('API server killed', () =>
        pods.whileApiServerIsAway(
          () => plane.stopApiServer({ abrupt: true }),
          () => plane.startApiServer(),
        ),
      );
      await phase('certificate renewed, and a replica replaced, while watches are cut', async () => {
        const cutting = setInterval(() => proxy.cut(), 300);
        try {
          await Promise.all([renewCertificate(certificates[2]), replace(second, first)]);
        } finally {
          clearInterval(cutting);
        }
      });
    });

    t.diagnostic(
      `${pods.started} pods, ${pods.perSecond.toFixed(1)} a second, the slowest ${Math.round(pods.slowestMs)} ms`,
    );
    t.diagnostic(`by phase: ${[...pods.phases].map(([name, count]) => `${name} ${count}`).join(', ')}`);
    t.diagnostic(
      `${pods.count('api-server-away')} calls that the API server itself did not answer while it was stopped`,
    );
    t.diagnostic(`${pods.failures.length} failed; ${await liveReads()} live reads by the replicas that are there now`);
    assert.deepEqual(pods.failures.slice(0, 5), []);
    assert.equal(pods.count('injected') + pods.count('api-server-away'), pods.started);
    assert.ok(pods.perSecond >= leastPerSecond, `${pods.perSecond} a second`);
    // What the API server did not answer must be the few calls that were open, or tried, at the moment when it went.
    assert.ok(pods.count('api-server-away') < pods.started / 10);
    assert.equal(balancer.refused, 0, 'connections while no replica was ready');

    // Also those whose answer got lost.
    const stored = await plane.request<{ readonly items: readonly PodObject[] }>(
      'GET',
      '/api/v1/namespaces/team-a/pods',
    );
    const { items } = stored.body;
    assert.ok(items.length >= pods.count('injected'));
    const without = items.filter(pod => credentialsOf(pod)?.roleArn !== roleArn);
    assert.deepEqual(
      without.map(({ metadata }) => metadata.name),
      [],
    );
  });
});
