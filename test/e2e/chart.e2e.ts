import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runHelm, templateChart } from '../deploy/helm.ts';
import { certManagerFolder, helmFolder, helmProgram, monitoringDefinitions } from '../testbed/binaries.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { installedCaBundles } from './ca-injection.ts';

const image = { repository: 'carm-webhook' };
const caBundle = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

/** Every template is rendered by one of them. */
const releases: Readonly<Record<string, object>> = {
  'as it comes': {},
  'with everything turned on': {
    certificates: { provider: 'helm' },
    ack: {
      systemNamespaces: ['ack-system', 'ack-iam=iam'],
      identities: ['ack/s3'],
      everyGroup: true,
      createNamespaces: true,
    },
    verifyRoles: { enabled: true },
    authorizeBindings: { enabled: true },
    labelNamespaces: { enabled: true },
    apiServer: { cidrs: ['10.0.0.0/28', '2001:db8::/64'] },
    networkPolicy: { enabled: true, egress: [{ ports: [{ protocol: 'TCP', port: 443 }] }] },
    webhook: {
      hostNetwork: true,
      port: 10250,
      failurePolicy: 'Ignore',
      namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] },
      matchConditions: [{ name: 'not-mine', expression: "request.namespace != 'mine'" }],
      annotations: { team: 'platform' },
    },
    metrics: {
      serviceMonitor: { enabled: true, interval: '30s', labels: { release: 'prometheus' } },
      prometheusRule: { enabled: true },
      dashboard: { enabled: true },
    },
    imagePullSecrets: [{ name: 'pull' }],
    tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
    affinity: { nodeAffinity: {} },
    podDisruptionBudget: { minAvailable: '50%' },
    service: { ipFamilyPolicy: 'PreferDualStack', annotations: { team: 'platform' } },
    config: { featureGates: { TeamLevelCARM: true }, supportMessage: 'Ask "us" in #help: $(POD_NAMESPACE)' },
    extraEnv: [{ name: 'AWS_REGION', value: 'eu-central-1' }],
    extraVolumes: [{ name: 'ca', configMap: { name: 'api-server-ca' } }],
    extraVolumeMounts: [{ name: 'ca', mountPath: '/etc/ca' }],
    podLabels: { team: 'platform' },
    podAnnotations: { team: 'platform' },
    commonLabels: { team: 'platform' },
    serviceAccount: { annotations: { team: 'platform' } },
  },
  'with as little as there can be': {
    certificates: { provider: 'existing', existing: { secretName: 'mine', caBundle } },
    metrics: { podMonitor: { enabled: true, namespace: 'ack-system' } },
    replicaCount: 1,
    podDisruptionBudget: { enabled: false },
    topologySpreadConstraints: [],
    priorityClassName: '',
    nodeSelector: { 'kubernetes.io/os': null },
    rbac: { reader: false },
    serviceAccount: { create: false, name: 'default' },
  },
};

describe('a release of the chart', () => {
  let plane: ControlPlane;

  before(
    async () => {
      plane = await ControlPlane.start();
      const monitoring = join(helmFolder('v4'), monitoringDefinitions);
      for (const folder of [join(certManagerFolder(), 'crds'), monitoring]) {
        const files = readdirSync(folder).flatMap(file => ['-f', join(folder, file)]);
        await plane.kubectl(['apply', '--server-side', ...files], { timeoutMs: 60_000 });
      }
      for (const name of ['elsewhere', 'ack-system']) await plane.kubectl(['create', 'namespace', name]);
    },
    { timeout: 120_000 },
  );
  after(() => plane?.stop());

  /** What an earlier release has left that calls a webhook, or cannot be changed. */
  async function clear(): Promise<void> {
    await plane.kubectl(['delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', '--all']);
    await plane.kubectl(['delete', 'jobs', '--all', '-n', 'elsewhere']);
  }

  for (const [what, values] of Object.entries(releases)) {
    test(`${what}: every object is taken, each field known`, { timeout: 60_000 }, async () => {
      const input = await templateChart(
        helmProgram(),
        { image, ...values },
        { release: 'mine', namespace: 'elsewhere' },
      );
      const objects = input.match(/^kind: /gm)?.length;
      await clear();
      const flags = ['--server-side', '--force-conflicts', '--validate=strict'];
      const { stdout, stderr } = await plane.kubectl(['apply', ...flags, '-f', '-'], { input });
      assert.equal(stdout.trim().split('\n').length, objects);
      // The one that is allowed is of the namespace that somebody else has created.
      assert.doesNotMatch(stderr, /unknown field|deprecated/);
    });
  }

  test('is installed and removed by Helm, its webhook configurations first', { timeout: 120_000 }, async () => {
    const run = async (...args: readonly string[]) => {
      const env = { KUBECONFIG: plane.adminKubeconfig };
      const { code, stdout, stderr } = await runHelm(helmProgram(), args, { env });
      assert.equal(code, 0, stderr);
      return stdout + stderr;
    };
    await clear();
    // Nothing runs pods here, so not a hook's either.
    await run(
      ...['install', 'release', 'deploy/chart', '--namespace', 'by-helm', '--create-namespace', '--no-hooks'],
      ...['--set', 'image.repository=carm-webhook,certificates.provider=helm'],
    );
    const bundles = () => installedCaBundles(plane);
    const first = await bundles();
    assert.equal(new Set(first.split(' ')).size, 1);
    await run(
      ...['upgrade', 'release', 'deploy/chart', '--namespace', 'by-helm', '--reuse-values', '--no-hooks'],
      ...['--set', 'replicaCount=3'],
    );
    assert.equal(await bundles(), first);

    // What somebody changed by hand, Helm 4 leaves to them, and what they deleted it creates again.
    await plane.kubectl(['scale', 'deployment/release-carm-webhook', '--replicas=4', '-n', 'by-helm']);
    await clear();
    const again = ['release', 'deploy/chart', '--namespace', 'by-helm', '--reuse-values', '--no-hooks'];
    const stopped = await runHelm(helmProgram(), ['upgrade', ...again], { env: { KUBECONFIG: plane.adminKubeconfig } });
    assert.equal(stopped.code, 1);
    assert.match(stopped.stderr, /conflict occurred while applying object .*\.spec\.replicas/s);
    await run('upgrade', ...again, '--force-conflicts');
    assert.equal(await bundles(), first);
    const replicas = ['get', 'deployment', 'release-carm-webhook', '-n', 'by-helm', '-o', 'jsonpath={.spec.replicas}'];
    assert.equal((await plane.kubectl(replicas)).stdout, '3');

    const said = await run('uninstall', 'release', '--namespace', 'by-helm', '--no-hooks', '--debug');
    const kinds = said.match(/\b(?:Mutating|Validating)WebhookConfiguration\b|\bDeployment\b|\bService\b/g) ?? [];
    assert.deepEqual([...new Set(kinds)].slice(0, 2).sort(), [
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
    ]);
    assert.equal(await bundles(), '');
  });
});
