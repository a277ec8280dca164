import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { runBundle } from '../cli/command-runs.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { roleMap } from './cluster-objects.ts';
import { asList, type Manifest, ofKinds, only, renderChart } from './manifests.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const checked = 'carm-webhook-startup-check';
const testLimit = { timeout: 60_000 };

interface JobSpec {
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    readonly spec: { readonly serviceAccountName: string; readonly containers: readonly [{ readonly args: string[] }] };
  };
}

/** What the Jobs of the chart run, with the rights that the chart gives them. Nothing runs their pods here. */
describe('the Jobs of a release', () => {
  let plane: ControlPlane;
  let webhook: WebhookUnderTest;
  let jobs: readonly Manifest[];

  before(
    async () => {
      plane = await ControlPlane.start({ controllerManager: true });
      webhook = await WebhookUnderTest.start(plane);
      const on = { enabled: true };
      const manifests = await renderChart({
        startupCheck: { ...on, timeout: '3s' },
        cleanup: on,
        labelNamespaces: on,
        config: { maxStaleness: '2m', logLevel: 'debug', shutdownDelay: '5s' },
      });
      jobs = ofKinds(manifests, 'Job');
      const rights = ofKinds(
        manifests,
        ...['Namespace', 'ServiceAccount', 'Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'],
      );
      await plane.kubectl(['apply', '-f', '-'], { input: asList([...rights, ...jobs]) });
      await plane.kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', checked, '--timeout=20s']);
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  const specOf = (name: string): JobSpec['template'] => {
    return (only(jobs, 'Job', name)['spec'] as JobSpec).template;
  };

  /** Runs what a Job would, as its ServiceAccount. */
  async function run(name: string) {
    const { serviceAccountName, containers } = specOf(name).spec;
    const token = await plane.tokenFor('carm-webhook', serviceAccountName);
    const env = { KUBECONFIG: plane.kubeconfigFor({ token }), POD_NAMESPACE: 'carm-webhook' };
    return runBundle(containers[0].args, { env });
  }

  const metadataOf = async (name: string) =>
    (await plane.request<Manifest>('GET', `/api/v1/namespaces/${name}`)).body.metadata as unknown as {
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
  const ourLabels = async () =>
    Object.keys((await metadataOf(checked)).labels).filter(key => key.startsWith('carm-webhook.dev/'));
  const startup = () => run(checked);

  test('make pods that are restricted, and that the webhook’s Service does not select', testLimit, async () => {
    assert.deepEqual(
      jobs.map(({ metadata }) => metadata.name).sort(),
      ['carm-webhook-cleanup', 'carm-webhook-label', checked].sort(),
    );
    for (const { metadata } of jobs) {
      const template = specOf(metadata.name);
      assert.notEqual(template.metadata.labels['app.kubernetes.io/name'], 'carm-webhook');
      const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: template.spec };
      const made = await plane.request('POST', '/api/v1/namespaces/carm-webhook/pods?dryRun=All', body);
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.deepEqual(made.warnings, []);
    }
  });

  test('startup-check: fails where nothing calls the webhook', testLimit, async () => {
    const { code, stdout, stderr } = await startup();
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /no pod was injected in namespace "carm-webhook-startup-check" within 3s: a pod was created/);
    assert.match(stderr, /the API server does not call the webhook yet$/m);
    assert.deepEqual(await ourLabels(), []);
  });

  test('startup-check: fails where the webhook does not answer', testLimit, async () => {
    await webhook.install();
    await webhook.stopProcess();
    const { code, stderr } = await startup();
    await webhook.startProcess();
    assert.equal(code, 1);
    assert.match(stderr, /within 3s: .*failed calling webhook "namespaces\.carm-webhook\.dev"/);
  });

  test('startup-check: without an account, a pod is denied for that', testLimit, async () => {
    const { code, stdout, stderr } = await startup();
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(
      stdout,
      'The webhook answers: a pod of a namespace that is not bound was denied (no account has a role for pods yet).\n',
    );
    const { labels, annotations } = await metadataOf(checked);
    assert.equal(labels['app.kubernetes.io/name'], 'carm-webhook');
    assert.deepEqual(await ourLabels(), []);
    assert.equal(annotations?.['services.k8s.aws/owner-account-id'], undefined);
  });

  test('startup-check: with an account, a pod gets its role, and nothing stays', testLimit, async () => {
    const input = asList([roleMap({ 'pods.111122223333': 'arn:aws:iam::111122223333:role/app' })]);
    await plane.kubectl(['apply', '-f', '-'], { input });
    const { code, stdout } = await startup();
    assert.equal(code, 0);
    assert.equal(stdout, 'The webhook answers: a pod of account 111122223333 was given its role.\n');
    const { annotations } = await metadataOf(checked);
    assert.deepEqual(await ourLabels(), []);
    assert.equal(annotations?.['services.k8s.aws/owner-account-id'], undefined);
    assert.equal((await plane.kubectl(['get', 'pods', '-n', checked, '-o', 'name'])).stdout, '');
  });

  test('label: labels what was bound while nothing called the webhook', testLimit, async () => {
    const pastTheWebhook = { user: 'break-glass', groups: ['system:masters', 'carm-webhook:break-glass'] };
    const metadata = { name: 'earlier', annotations: { 'services.k8s.aws/owner-account-id': '111122223333' } };
    const input = asList([{ apiVersion: 'v1', kind: 'Namespace', metadata }]);
    await plane.kubectl(['apply', '-f', '-'], { input, as: pastTheWebhook });
    const { code, stdout, stderr } = await run('carm-webhook-label');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /earlier/);
    assert.equal((await metadataOf('earlier')).labels['carm-webhook.dev/inject'], 'enabled');
  });

  test('cleanup: removes both configurations, also where they are gone', testLimit, async () => {
    const kinds = 'mutatingwebhookconfigurations,validatingwebhookconfigurations';
    assert.notEqual((await plane.kubectl(['get', kinds, '-o', 'name'])).stdout, '');
    assert.equal((await run('carm-webhook-cleanup')).code, 0);
    assert.equal((await plane.kubectl(['get', kinds, '-o', 'name'])).stdout, '');
    const again = await run('carm-webhook-cleanup');
    assert.equal(again.code, 0);
    assert.match(again.stdout, /mutatingwebhookconfigurations\/zz-carm-webhook is not there/);
  });
});
