import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ControlPlane } from '../testbed/control-plane.ts';
import { createNamespace, patchNamespace, podTemplate } from './match-case.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const owner = 'services.k8s.aws/owner-account-id';
const inject = 'carm-webhook.dev/inject';
const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/shop`;
const testLimit = { timeout: 30_000 };

interface Labelled {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly message?: string;
}

describe('namespaces on a real API server, by the shipped manifests', () => {
  let plane: ControlPlane;
  let webhook: WebhookUnderTest;

  before(
    async () => {
      // Pods get their ServiceAccount by its admission plugin, which needs the controllers.
      plane = await ControlPlane.start({ controllerManager: true });
      webhook = await WebhookUnderTest.start(plane);
      await plane.kubectl([
        'create',
        'configmap',
        'ack-role-account-map',
        '-n',
        'ack-system',
        `--from-literal=${account}=${roleArn}`,
      ]);
      await webhook.install();
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function create(name: string, metadata: object) {
    const { method, path, body } = createNamespace(name, metadata);
    const created = await plane.request<Labelled>(method, path, body);
    assert.equal(created.status, 201, JSON.stringify(created.body));
    return created;
  }

  async function patch(name: string, metadata: object, subresource = '') {
    const { method, path, body } = patchNamespace(name, metadata);
    const patched = await plane.request<Labelled>(method, path + subresource, body);
    assert.equal(patched.status, 200, JSON.stringify(patched.body));
    return patched;
  }

  const labelOf = async (name: string): Promise<string | undefined> =>
    (await plane.request<Labelled>('GET', `/api/v1/namespaces/${name}`)).body.metadata.labels[inject];

  const binding = { annotations: { [owner]: account } };

  test('one that is created with a binding gets the label', testLimit, async () => {
    const { warnings } = await create('bound-at-once', binding);
    assert.deepEqual(warnings, []);
    assert.equal(await labelOf('bound-at-once'), 'enabled');
  });

  test('one that is bound later gets the label', testLimit, async () => {
    await create('bound-later', {});
    assert.equal(await labelOf('bound-later'), undefined);
    await patch('bound-later', binding);
    assert.equal(await labelOf('bound-later'), 'enabled');
  });

  test('the label that is removed by hand comes back', testLimit, async () => {
    await create('relabelled', binding);
    const { stderr } = await plane.kubectl(['label', 'namespace', 'relabelled', `${inject}-`]);
    assert.match(stderr, /^Warning: .*was removed, and has been restored \(LabelRestored\)$/m);
    assert.equal(await labelOf('relabelled'), 'enabled');
    const bare = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'relabelled', ...binding } };
    await plane.kubectl(['replace', '-f', '-'], { input: JSON.stringify(bare) });
    assert.equal(await labelOf('relabelled'), 'enabled');
  });

  test('disabled stays', testLimit, async () => {
    await create('opted-out', { ...binding, labels: { [inject]: 'disabled' } });
    assert.equal(await labelOf('opted-out'), 'disabled');
    await patch('opted-out', { annotations: { 'services.k8s.aws/default-region': 'eu-central-1' } });
    assert.equal(await labelOf('opted-out'), 'disabled');
  });

  test('a binding that comes by a subresource is labelled too', testLimit, async () => {
    await create('by-status', {});
    await patch('by-status', binding, '/status');
    assert.equal(await labelOf('by-status'), 'enabled');
    await create('by-finalize', {});
    const spec = { finalizers: ['kubernetes'] };
    const put = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'by-finalize', ...binding }, spec };
    const finalized = await plane.request('PUT', '/api/v1/namespaces/by-finalize/finalize', put);
    assert.equal(finalized.status, 200, JSON.stringify(finalized.body));
    assert.equal(await labelOf('by-finalize'), 'enabled');
  });

  test('one whose binding is removed keeps the label, and the change is warned of', testLimit, async () => {
    await create('unbound', binding);
    const { warnings } = await patch('unbound', { annotations: { [owner]: null } });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /\(BindingRemoved\)$/);
    assert.equal(await labelOf('unbound'), 'enabled');
  });

  test('one bound to an account that is not mapped is admitted with a warning', testLimit, async () => {
    const { warnings } = await create('unmapped', { annotations: { [owner]: '999999999999' } });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /\(BindingUnresolved\)$/);
    assert.equal(await labelOf('unmapped'), 'enabled');
  });

  test('pods there get the role, and what denies them names the cause', testLimit, async () => {
    await create('with-pods', binding);
    await plane.kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', 'with-pods', '--timeout=20s']);
    await plane.kubectl(['run', 'web', '--image=web', '-n', 'with-pods']);
    const { body } = await plane.request<{ spec: { containers: readonly [{ env: readonly object[] }] } }>(
      'GET',
      '/api/v1/namespaces/with-pods/pods/web',
    );
    assert.deepEqual(
      body.spec.containers[0].env.filter(variable => 'value' in variable && 'name' in variable),
      [
        { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' },
        { name: 'AWS_ROLE_ARN', value: roleArn },
        { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' },
        { name: 'AWS_ROLE_SESSION_NAME', value: 'with-pods.default' },
      ],
    );
    const refused = await plane.kubectl(['run', 'web', '--image=web', '-n', 'unmapped'], { expectCode: 1 });
    assert.match(
      refused.stderr,
      /^Error from server \(Forbidden\): admission webhook "pods\.carm-webhook\.dev" denied the request: .*AccountNotMapped/s,
    );
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'unmapped' },
      spec: { selector: { matchLabels: { app: 'web' } }, template: podTemplate('web') },
    };
    const warned = await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(deployment) });
    assert.match(warned.stderr, /^Warning: .*AccountNotMapped/);
    assert.equal(warned.stdout, 'deployment.apps/web created\n');
  });
});
