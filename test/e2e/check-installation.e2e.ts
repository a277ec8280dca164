import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Finding } from '../../src/cli/check/finding.ts';
import { makeSelfSigned } from '../../src/server/self-signed.ts';
import { installationReasons } from '../cli/check/installation-reasons.ts';
import { runBundle } from '../cli/command-runs.ts';
import { bucketKind, installAckKinds } from './ack-crds.ts';
import { boundNamespace, pod, serviceAccount } from './cluster-objects.ts';
import { asList, deployFolder, type Manifest, only, webhookConfigurations } from './manifests.ts';
import { ServedPlane } from './served-plane.ts';

const account = '111122223333';
const testLimit = { timeout: 60_000 };
const ours = 'zz-carm-webhook';
const reasons: ReadonlySet<string> = new Set(installationReasons);

describe('check of the installation of the webhook itself', () => {
  let served: ServedPlane;
  let job: string;

  before(
    async () => {
      served = await ServedPlane.start({
        map: { [account]: `arn:aws:iam::${account}:role/ack` },
        users: [{ name: 'reader', groups: ['developers'] }],
      });
      const { plane } = served;
      await installAckKinds(plane, [bucketKind]);
      await plane.kubectl(['apply', '-f', join(deployFolder, 'examples', 'check-cronjob.yaml')]);
      job = plane.kubeconfigFor({ token: await plane.tokenFor('carm-webhook', 'carm-webhook-check') });
      const binding = ['carm-webhook-reader', '--clusterrole', 'carm-webhook-reader', '--group', 'developers'];
      await plane.kubectl(['create', 'clusterrolebinding', ...binding]);
    },
    { timeout: 120_000 },
  );
  after(() => served?.stop());

  async function check(kubeconfig = job) {
    const env = { KUBECONFIG: kubeconfig, POD_NAMESPACE: 'carm-webhook' };
    const { stdout, stderr } = await runBundle(['check', '-o', 'json', '--default-region=eu-central-1'], { env });
    const findings: readonly Finding[] = JSON.parse(stdout).findings;
    const inShort = findings
      .filter(({ reason }) => reasons.has(reason))
      .map(({ reason, object: { kind, name }, message }) => `${reason} ${kind} ${name}: ${message}`);
    return { stderr, inShort };
  }

  const apply = (...objects: readonly object[]) =>
    served.plane.kubectl(['apply', '-f', '-'], { input: asList(objects) });

  /** A JSON Patch of one of our configurations, and the way back. */
  async function patched(kind: string, patch: readonly object[], look: () => Promise<void>): Promise<void> {
    await served.plane.kubectl(['patch', kind, ours, '--type=json', '-p', JSON.stringify(patch)]);
    try {
      await look();
    } finally {
      // Not by apply: what somebody else patched away, that leaves away.
      await served.plane.kubectl(['replace', '-f', '-'], { input: asList(served.webhook.configurations()) });
    }
  }

  test(
    'as it is shipped, an API server finds nothing: the ServiceAccount of the CronJob may ask for all',
    testLimit,
    async () => {
      assert.deepEqual(await check(), { stderr: '', inShort: [] });
    },
  );

  test('the reader may not ask for the rights of the webhook, and is told so', testLimit, async () => {
    const { stderr, inShort } = await check(served.plane.kubeconfigFor({ user: 'reader' }));
    assert.deepEqual(inShort, []);
    assert.match(
      stderr,
      /^not checked: cannot read the rights of the webhook: .*403 Forbidden \(you need the right to create subjectaccessreviews\)\n$/,
    );
  });

  test('a configuration that somebody changed', testLimit, async () => {
    const patch = [
      { op: 'test', path: '/webhooks/0/name', value: 'pods.carm-webhook.dev' },
      { op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' },
      { op: 'remove', path: '/webhooks/0/matchConditions' },
      { op: 'remove', path: '/webhooks/0/namespaceSelector/matchExpressions' },
    ];
    await patched('mutatingwebhookconfiguration', patch, async () =>
      assert.deepEqual((await check()).inShort, [
        'WebhookConfigurationDiffers MutatingWebhookConfiguration zz-carm-webhook: pods.carm-webhook.dev is not that of carm-webhook 0.1.0: namespaceSelector, matchConditions not-break-glass (missing), failurePolicy (Ignore instead of Fail)',
      ]),
    );
    await patched('validatingwebhookconfiguration', [{ op: 'remove', path: '/webhooks/0' }], async () =>
      assert.deepEqual((await check()).inShort, [
        'WebhookEntryMissing ValidatingWebhookConfiguration zz-carm-webhook: carm-webhook 0.1.0 has an entry that it lacks: "pods.carm-webhook.dev"',
      ]),
    );
    assert.deepEqual((await check()).inShort, []);
  });

  test(
    'the caBundle of another CA: the API server trusts the certificate as little as check does',
    testLimit,
    async () => {
      const { caPem } = await makeSelfSigned();
      const value = Buffer.from(caPem).toString('base64');
      await patched(
        'mutatingwebhookconfiguration',
        [{ op: 'replace', path: '/webhooks/1/clientConfig/caBundle', value }],
        async () => {
          assert.deepEqual((await check()).inShort, [
            'CertificateNotTrusted MutatingWebhookConfiguration zz-carm-webhook: their caBundle does not lead to the certificate that the webhook serves, so the API server cannot call it: "namespaces.carm-webhook.dev"',
          ]);
          const input = JSON.stringify(boundNamespace('untrusted', account));
          const denied = await served.plane.kubectl(['create', '-f', '-'], { input, expectCode: 1 });
          assert.match(
            denied.stderr,
            /failed calling webhook "namespaces\.carm-webhook\.dev": .*x509: certificate signed by unknown authority/,
          );
        },
      );
    },
  );

  test('a Service: the certificate is that of the Secret of its pods, where that may be read', testLimit, async () => {
    const manifests = served.webhook.manifests;
    const { caPem } = served.webhook;
    const { caPem: otherPem, current } = await makeSelfSigned();
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'carm-webhook-tls', namespace: 'carm-webhook' },
      stringData: { 'tls.crt': current.certPem, 'tls.key': current.keyPem },
    };
    const { spec } = only(manifests, 'Deployment') as Manifest & { readonly spec: { readonly template: object } };
    const replica = {
      apiVersion: 'v1',
      kind: 'Pod',
      ...spec.template,
      metadata: { ...(spec.template as Manifest).metadata, name: 'replica', namespace: 'carm-webhook' },
    };
    await apply(secret, only(manifests, 'Service'), replica);
    const configure = (pem: string) =>
      served.plane.kubectl(['replace', '-f', '-'], {
        input: asList(
          webhookConfigurations(manifests).map(({ webhooks, ...rest }) => ({
            ...rest,
            webhooks: webhooks.map(entry => ({
              ...entry,
              clientConfig: { ...entry.clientConfig, caBundle: Buffer.from(pem).toString('base64') },
            })),
          })),
        ),
      });
    const name = 'the certificate that the webhook serves is not for carm-webhook.carm-webhook.svc';
    const admin = served.plane.adminKubeconfig;
    await configure(otherPem);
    // Its own CA, but made for localhost.
    assert.deepEqual(
      (await check(admin)).inShort.map(line => line.replace(/, so .*/, '')),
      ['Mutating', 'Validating'].map(
        kind => `CertificateNotTrusted ${kind}WebhookConfiguration zz-carm-webhook: ${name}`,
      ),
    );
    await configure(caPem);
    const [first] = (await check(admin)).inShort;
    assert.match(first ?? '', /: their caBundle does not lead to the certificate/);
    const { stderr, inShort } = await check();
    assert.deepEqual(inShort, []);
    assert.match(
      stderr,
      /^not checked: cannot read Secret "carm-webhook\/carm-webhook-tls": .*\(you need the right to get secrets\)\nnot checked: the certificate that is served at carm-webhook\.carm-webhook\.svc:443, which cannot be reached from here\n$/,
    );
    await served.plane.kubectl(['replace', '-f', '-'], { input: asList(served.webhook.configurations()) });
  });

  test('rights of the webhook that somebody took', testLimit, async () => {
    await served.plane.kubectl(['delete', 'rolebinding', 'carm-webhook', '-n', 'ack-system']);
    const patch = [{ op: 'replace', path: '/rules/0/verbs', value: ['get', 'list'] }];
    await served.plane.kubectl(['patch', 'clusterrole', 'carm-webhook', '--type=json', '-p', JSON.stringify(patch)]);
    assert.deepEqual((await check()).inShort, [
      'WebhookRightMissing ServiceAccount carm-webhook: the webhook may not: watch namespaces, watch serviceaccounts, get configmaps/ack-role-account-map in ack-system, list configmaps/ack-role-account-map in ack-system, watch configmaps/ack-role-account-map in ack-system, get configmaps/ack-role-team-map in ack-system, list configmaps/ack-role-team-map in ack-system, watch configmaps/ack-role-team-map in ack-system',
    ]);
    const { manifests } = served.webhook;
    const rights = manifests.filter(
      ({ kind, metadata }) => /Role(Binding)?$/.test(kind) && metadata.name === 'carm-webhook',
    );
    await apply(...rights);
    assert.deepEqual((await check()).inShort, []);
  });

  test(
    'another mutating webhook after ours, and a namespace that the cluster cannot do without',
    testLimit,
    async () => {
      const late = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name: 'zzz-sidecars' },
        webhooks: [
          {
            name: 'sidecars.example.com',
            clientConfig: { url: 'https://127.0.0.1:1/' },
            rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
            namespaceSelector: { matchLabels: { nobody: 'has-this' } },
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      };
      await apply(late, boundNamespace('network', account), serviceAccount('network', 'app'));
      await apply(pod('network', 'cni', { priorityClassName: 'system-node-critical' }));
      const { inShort } = await check();
      assert.deepEqual(
        inShort.map(line => line.split(':')[0]),
        [
          'MutatingWebhookAfterOurs MutatingWebhookConfiguration zzz-sidecars',
          'CriticalNamespaceManaged Namespace network',
        ],
      );
    },
  );

  test('without configurations nothing can be looked at, and that is said', testLimit, async () => {
    for (const kind of ['mutating', 'validating']) {
      await served.plane.kubectl(['delete', `${kind}webhookconfiguration`, ours]);
    }
    const { stderr } = await check();
    assert.equal(stderr, 'not checked: the installation of carm-webhook, since no webhook configuration is its own\n');
  });
});
