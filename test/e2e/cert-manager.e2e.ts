import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CertManager } from '../testbed/cert-manager.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { BoundNamespace, setAccountMap } from './bound-namespace.ts';
import { installedCas } from './ca-injection.ts';
import { eventually } from './eventually.ts';
import { authority, IssuedCertificates, leaf } from './issued-certificates.ts';
import { deployFolder, type Manifest, only, renderDeploy, webhookConfigurations } from './manifests.ts';
import { SecretKubelet } from './secret-kubelet.ts';
import { servedSerialNumber } from './served-certificate.ts';
import { SteadyPods } from './steady-pods.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const namespace = 'carm-webhook';
const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/team-a`;
const testLimit = { timeout: 60_000 };
const issueLimitMs = 30_000;

describe('the certificates of deploy/ by a real cert-manager', () => {
  let plane: ControlPlane;
  let certManager: CertManager;
  let certificates: IssuedCertificates;
  let manifests: readonly Manifest[];
  let kubelet: SecretKubelet;
  let webhook: WebhookUnderTest;

  before(
    async () => {
      plane = await ControlPlane.start();
      certManager = await CertManager.start(plane);
      certificates = new IssuedCertificates(plane);
      manifests = await renderDeploy();
      await plane.kubectl(['create', 'namespace', 'ack-system']);
      await plane.kubectl(['apply', '-k', deployFolder]);
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await webhook?.stop();
    await kubelet?.stop();
    await certManager?.stop();
    await plane?.stop();
  });

  test('are issued, by a CA of their own, for the name that the API server calls', testLimit, async () => {
    for (const name of [authority, leaf]) {
      await certificates.untilReady(name);
    }
    const ca = new X509Certificate(await certificates.secretValue(authority, 'tls.crt'));
    const served = new X509Certificate(await certificates.secretValue(leaf, 'tls.crt'));
    assert.ok(ca.ca);
    assert.ok(served.verify(ca.publicKey));
    assert.equal(
      served.subjectAltName,
      'DNS:carm-webhook.carm-webhook.svc, DNS:carm-webhook.carm-webhook.svc.cluster.local',
    );
    assert.equal(served.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    const days = (of: X509Certificate) => (of.validToDate.getTime() - of.validFromDate.getTime()) / 86_400_000;
    assert.equal(days(served), 90);
    assert.equal(days(ca), 3_650);
  });

  /** Until every entry of both configurations has the CA that came with the server's certificate; an older one may stay beside it. */
  async function untilCaInjected(): Promise<void> {
    const caPem = (await certificates.secretValue(leaf, 'ca.crt')).trim();
    const count = webhookConfigurations(manifests).flatMap(({ webhooks }) => webhooks).length;
    const found = async () => {
      const cas = await installedCas(plane);
      assert.equal(cas.length, count);
      return cas.every(ca => ca.includes(caPem)) ? true : undefined;
    };
    await eventually('every entry has the CA', found, issueLimitMs);
  }

  test('the CA lands in both configurations, in every entry', testLimit, untilCaInjected);

  test(
    'the webhook serves from the files of the Secret, and the API server calls it by its Service',
    testLimit,
    async () => {
      kubelet = await SecretKubelet.start(plane, namespace, leaf, ['tls.crt', 'tls.key']);
      const { mounted } = kubelet;
      webhook = await WebhookUnderTest.start(plane, {
        flags: [`--tls-cert-file=${mounted.path('tls.crt')}`, `--tls-private-key-file=${mounted.path('tls.key')}`],
      });
      const served = new X509Certificate(await certificates.secretValue(leaf, 'tls.crt'));
      assert.equal(await servedSerialNumber(webhook.url), served.serialNumber);

      // Nothing routes to a ClusterIP here. A Service of type ExternalName is one all the same: the API server calls and verifies
      // carm-webhook.carm-webhook.svc, and dials that name's port.
      // https://kubernetes.io/docs/concepts/services-networking/service/#externalname
      const { name } = only(manifests, 'Service').metadata;
      const port = Number(new URL(webhook.url).port);
      const services = `/api/v1/namespaces/${namespace}/services`;
      await plane.request('DELETE', `${services}/${name}`);
      const spec = { type: 'ExternalName', externalName: 'localhost' };
      const made = await plane.request('POST', services, { metadata: { name }, spec });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      for (const { kind, webhooks } of webhookConfigurations(manifests)) {
        const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s/zz-carm-webhook`;
        const patch = webhooks.map((_, index) => ({
          op: 'replace',
          path: `/webhooks/${index}/clientConfig/service/port`,
          value: port,
        }));
        const options = { contentType: 'application/json-patch+json' };
        const patched = await plane.request('PATCH', path, patch, options);
        assert.equal(patched.status, 200, JSON.stringify(patched.body));
      }
      const isCalled = async () => {
        const probe = { metadata: { name: 'probe', annotations: { 'services.k8s.aws/owner-account-id': account } } };
        const { status, body } = await plane.request<Manifest & { metadata: { labels?: Record<string, string> } }>(
          'POST',
          '/api/v1/namespaces?dryRun=All',
          probe,
        );
        return status === 201 && body.metadata.labels?.['carm-webhook.dev/inject'] === 'enabled' ? true : undefined;
      };
      await eventually('the API server calls the webhook by its Service', isCalled, issueLimitMs);
    },
  );

  test('renewed while pods are created: no call fails', { timeout: 110_000 }, async t => {
    await setAccountMap(plane, { [account]: roleArn });
    const team = await BoundNamespace.create(plane, 'team-a', { accountId: account });
    const pods = new SteadyPods(team, roleArn, 20);
    const firstCa = new X509Certificate(await certificates.secretValue(leaf, 'ca.crt'));
    const serials = new Set([await servedSerialNumber(webhook.url)]);
    await pods.during(async () => {
      // The leaf gets a new key each time; the CA keeps its own, and its renewal alone changes nothing that is served.
      for (const name of [leaf, authority, leaf, leaf]) {
        pods.phase = `renewal of ${name}`;
        await certificates.renew(name);
        const { serialNumber } = new X509Certificate(await certificates.secretValue(leaf, 'tls.crt'));
        await eventually('the renewed certificate is served', async () =>
          (await servedSerialNumber(webhook.url)) === serialNumber ? true : undefined,
        );
        serials.add(serialNumber);
      }
    });
    t.diagnostic(`${pods.started} pods, ${pods.perSecond.toFixed(1)} a second, ${serials.size} certificates served`);
    assert.deepEqual(pods.failures.slice(0, 5), []);
    assert.equal(pods.count('injected'), pods.started);
    assert.ok(pods.started > 0);
    assert.equal(serials.size, 4);
    // The CA that was renewed is the one that vouches at the end.
    const ca = new X509Certificate(await certificates.secretValue(leaf, 'ca.crt'));
    assert.equal(
      ca.serialNumber,
      new X509Certificate(await certificates.secretValue(authority, 'tls.crt')).serialNumber,
    );
    assert.notEqual(ca.serialNumber, firstCa.serialNumber);
    assert.ok(new X509Certificate(await certificates.secretValue(leaf, 'tls.crt')).verify(ca.publicKey));
    await untilCaInjected();
  });

  /** Puts one CA in the place of all that are there. */
  async function replaceCas(caPem: string): Promise<void> {
    const caBundle = Buffer.from(caPem).toString('base64');
    for (const { kind, webhooks } of webhookConfigurations(manifests)) {
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

  test(
    'a server that has what the old CA signed passes by the new CA alone: it has the same key',
    testLimit,
    async () => {
      const team = await BoundNamespace.create(plane, 'team-b', { accountId: account });
      const pods = new SteadyPods(team, roleArn, 20);
      const oldSerial = await servedSerialNumber(webhook.url);
      const oldKey = await certificates.secretValue(authority, 'tls.key');
      kubelet.isLate = true;
      await pods.during(async () => {
        for (const name of [authority, leaf]) await certificates.renew(name);
        assert.equal(await certificates.secretValue(authority, 'tls.key'), oldKey);
        await untilCaInjected();
        // cert-manager keeps the old CA beside the new one since 1.19; before, it put the new one in its place. Stopped, it cannot fix that.
        await certManager.stop();
        await replaceCas(await certificates.secretValue(authority, 'tls.crt'));
        assert.equal(await servedSerialNumber(webhook.url), oldSerial);
        await sleep(1_500);
        kubelet.isLate = false;
        await eventually('the new certificate is served', async () =>
          (await servedSerialNumber(webhook.url)) === oldSerial ? undefined : true,
        );
        await sleep(500);
      });
      assert.deepEqual(pods.failures.slice(0, 5), []);
      assert.ok(pods.count('injected') === pods.started && pods.started > 30, `${pods.started} pods`);
    },
  );
});
