import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CertManager } from '../testbed/cert-manager.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { pastTheWebhook } from './ack-crds.ts';
import { installedCas, untilCaInjected } from './ca-injection.ts';
import { eventually } from './eventually.ts';
import { asList, deployFolder, webhookConfigurations } from './manifests.ts';
import { createNamespace, podSpec } from './match-case.ts';
import { MountedSecret } from './mounted-secret.ts';
import { servedSerialNumber } from './served-certificate.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/shop`;
const testLimit = { timeout: 60_000 };
/** kubelet brings a changed Secret to its pods late: up to a minute and more. What is between is the same at any length. */
const kubeletDelayMs = 1_500;
const podEveryMs = 50;

interface Secret {
  readonly data?: Readonly<Record<string, string>>;
}

interface Certificate {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Pod {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly message?: string;
}

/** The certificates of deploy/, issued by cert-manager; the API server calls by the shipped service reference. */
describe('certificates by cert-manager', () => {
  let plane: ControlPlane;
  let certManager: CertManager;
  let webhook: WebhookUnderTest;
  let mount: MountedSecret;

  before(
    async () => {
      plane = await ControlPlane.start();
      certManager = await CertManager.start(plane);
      await plane.kubectl(['create', 'namespace', 'ack-system']);
      await plane.kubectl(['apply', '-k', deployFolder]);
      const names = ['certificate/carm-webhook-ca', 'certificate/carm-webhook-tls'];
      const ready = ['--for=condition=Ready', '--timeout=25s'];
      await plane.kubectl(['wait', '-n', 'carm-webhook', ...ready, ...names]);
      await untilCaInjected(plane);
      mount = new MountedSecret();
      mount.write(await secret('carm-webhook-tls'));
      webhook = await WebhookUnderTest.start(plane, {
        flags: [`--tls-cert-file=${mount.path('tls.crt')}`, `--tls-private-key-file=${mount.path('tls.key')}`],
      });
      // The webhook that would judge the map does not answer yet.
      const map = ['create', 'configmap', 'ack-role-account-map', '-n', 'ack-system'];
      await plane.kubectl([...map, `--from-literal=${account}=${roleArn}`], { as: pastTheWebhook });
      await leadServiceTo(Number(new URL(webhook.url).port));
      await webhook.install(await shippedAtPort(Number(new URL(webhook.url).port)));
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await webhook?.stop();
    await certManager?.stop();
    await plane?.stop();
    mount?.remove();
  });

  async function secret(name: string): Promise<Record<'tls.crt' | 'tls.key' | 'ca.crt', string>> {
    const { body } = await plane.request<Secret>('GET', `/api/v1/namespaces/carm-webhook/secrets/${name}`);
    const file = (key: string) => Buffer.from(body.data?.[key] ?? '', 'base64').toString('utf8');
    return { 'tls.crt': file('tls.crt'), 'tls.key': file('tls.key'), 'ca.crt': file('ca.crt') };
  }

  /** A Service that leads the API server to the process on this machine: it dials there and asks for the certificate of the Service's name. */
  async function leadServiceTo(port: number): Promise<void> {
    await plane.kubectl(['delete', 'service', 'carm-webhook', '-n', 'carm-webhook']);
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'carm-webhook', namespace: 'carm-webhook' },
      spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
    };
    await plane.kubectl(['apply', '-f', '-'], { input: asList([service]) });
  }

  /** The shipped configurations with another port, and nothing else changed. */
  async function shippedAtPort(port: number) {
    return webhookConfigurations(webhook.manifests).map(configuration => ({
      ...configuration,
      webhooks: configuration.webhooks.map(entry => ({
        ...entry,
        clientConfig: { service: { ...entry.clientConfig.service, port } },
      })),
    }));
  }

  /** As `cmctl renew` does. https://cert-manager.io/docs/reference/cmctl/#renew */
  async function renew(name: string): Promise<void> {
    const path = `/apis/cert-manager.io/v1/namespaces/carm-webhook/certificates/${name}`;
    const { body } = await plane.request<Certificate>('GET', path);
    const old = await secret(name);
    const issuing = {
      type: 'Issuing',
      status: 'True',
      reason: 'ManuallyTriggered',
      message: 'renewed by a test',
      lastTransitionTime: new Date().toISOString(),
    };
    const conditions = [...(body.status?.conditions ?? []), issuing];
    const patched = await plane.request('PATCH', `${path}/status`, { status: { conditions } });
    assert.equal(patched.status, 200, JSON.stringify(patched.body));
    await eventually(
      `${name} is renewed`,
      async () => ((await secret(name))['tls.crt'] === old['tls.crt'] ? undefined : true),
      20_000,
    );
  }

  async function replaceCas(caPem: string): Promise<void> {
    const caBundle = Buffer.from(caPem).toString('base64');
    for (const { kind, webhooks } of webhookConfigurations(webhook.manifests)) {
      const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s/zz-carm-webhook`;
      const patch = webhooks.map((_, index) => ({
        op: 'replace',
        path: `/webhooks/${index}/clientConfig/caBundle`,
        value: caBundle,
      }));
      const { status } = await plane.request('PATCH', path, patch, { contentType: 'application/json-patch+json' });
      assert.equal(status, 200);
    }
    assert.deepEqual(new Set(await installedCas(plane)), new Set([caPem]));
  }

  const served = async (pem: string): Promise<true> =>
    eventually('the certificate is served', async () =>
      (await servedSerialNumber(webhook.url)) === new X509Certificate(pem).serialNumber ? true : undefined,
    );

  /** Creates pods all the time while `meanwhile` runs, and returns how many; each must get its role at the first call. */
  async function whilePodsAreCreated(namespace: string, meanwhile: () => Promise<void>): Promise<number> {
    const pods = `/api/v1/namespaces/${namespace}/pods`;
    const calls: Promise<void>[] = [];
    const failures: string[] = [];
    const create = async (index: number) => {
      const spec = { ...podSpec, serviceAccountName: 'cart' };
      const { status, body } = await plane.request<Pod>('POST', pods, { metadata: { name: `web-${index}` }, spec });
      const role = body.metadata?.annotations?.['carm-webhook.dev/role-arn'];
      if (status !== 201 || role !== roleArn) failures.push(`web-${index}: ${status} ${body.message ?? role}`);
    };
    let over = false;
    const creating = (async () => {
      while (!over) {
        calls.push(create(calls.length));
        await sleep(podEveryMs);
      }
    })();
    try {
      await meanwhile();
    } finally {
      over = true;
      await creating;
      await Promise.all(calls);
    }
    assert.deepEqual(failures, []);
    return calls.length;
  }

  async function shop(name: string): Promise<void> {
    const { method, path, body } = createNamespace(name, {
      annotations: { 'services.k8s.aws/owner-account-id': account },
    });
    assert.equal((await plane.request(method, path, body)).status, 201);
    await plane.kubectl(['create', 'serviceaccount', 'cart', '-n', name]);
  }

  test('are issued by a CA of our own, for the names that the API server calls', testLimit, async () => {
    const leaf = await secret('carm-webhook-tls');
    const ca = await secret('carm-webhook-ca');
    const certificate = new X509Certificate(leaf['tls.crt']);
    const authority = new X509Certificate(ca['tls.crt']);
    assert.equal(
      certificate.subjectAltName,
      'DNS:carm-webhook.carm-webhook.svc, DNS:carm-webhook.carm-webhook.svc.cluster.local',
    );
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.equal(authority.ca, true);
    assert.equal(certificate.verify(authority.publicKey), true);
    const days = (of: X509Certificate) => (of.validToDate.getTime() - of.validFromDate.getTime()) / 86_400_000;
    assert.equal(Math.round(days(certificate)), 90);
    assert.equal(Math.round(days(authority)), 3_650);
  });

  test('the CA is in every entry of both configurations', testLimit, async () => {
    const ca = (await secret('carm-webhook-ca'))['tls.crt'];
    const entries = webhookConfigurations(webhook.manifests).flatMap(({ webhooks }) => webhooks);
    assert.deepEqual(
      await installedCas(plane),
      entries.map(() => ca),
    );
  });

  test('the server serves what the Secret holds, and pods are injected', testLimit, async () => {
    await served((await secret('carm-webhook-tls'))['tls.crt']);
    await shop('served');
    assert.ok((await whilePodsAreCreated('served', () => sleep(500))) > 5);
  });

  test('renewed while pods are created: no failed call', testLimit, async () => {
    await shop('renewed');
    const old = await secret('carm-webhook-tls');
    const pods = await whilePodsAreCreated('renewed', async () => {
      await renew('carm-webhook-tls');
      await sleep(kubeletDelayMs);
      const renewed = await secret('carm-webhook-tls');
      assert.notEqual(renewed['tls.key'], old['tls.key']);
      mount.write(renewed);
      await served(renewed['tls.crt']);
      await sleep(500);
    });
    assert.ok(pods > 40, `${pods} pods`);
  });

  test('the CA renewed, then the certificate, while pods are created: no failed call', testLimit, async () => {
    await shop('renewed-ca');
    const oldCa = await secret('carm-webhook-ca');
    const oldLeaf = await secret('carm-webhook-tls');
    const pods = await whilePodsAreCreated('renewed-ca', async () => {
      await renew('carm-webhook-ca');
      const newCa = await secret('carm-webhook-ca');
      assert.notEqual(newCa['tls.crt'], oldCa['tls.crt']);
      assert.equal(newCa['tls.key'], oldCa['tls.key']);
      await renew('carm-webhook-tls');
      await eventually('the new CA is in every entry', async () =>
        (await installedCas(plane)).every(ca => ca.includes(newCa['tls.crt'].trim())) ? true : undefined,
      );
      // cert-manager keeps the old CA beside the new one since 1.19; before, it put the new one in its place. Stopped, it cannot mend that.
      await certManager.stop();
      await replaceCas(newCa['tls.crt']);
      // From here on the API server knows the new CA only, and the server still has what the old one signed.
      await served(oldLeaf['tls.crt']);
      await sleep(kubeletDelayMs);
      const newLeaf = await secret('carm-webhook-tls');
      mount.write(newLeaf);
      await served(newLeaf['tls.crt']);
      await sleep(500);
    });
    assert.ok(pods > 40, `${pods} pods`);
  });
});
