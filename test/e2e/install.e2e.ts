import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runHelm } from '../deploy/helm.ts';
import { helmProgram } from '../testbed/binaries.ts';
import { CertManager } from '../testbed/cert-manager.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { eventually } from './eventually.ts';
import { asList, deployFolder } from './manifests.ts';
import { PageCommands } from './page-commands.ts';
import { withReadyPods } from './pretended-kubelet.ts';
import { carmWebhookProgram } from './program-folder.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const owner = 'services.k8s.aws/owner-account-id';
const inject = 'carm-webhook.dev/inject';
const testLimit = { timeout: 120_000 };

interface Named {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** The page docs/install.md, followed from its top to its end; each test begins where the one before it ended. */
describe('the installation as it is documented', () => {
  let plane: ControlPlane;
  let certManager: CertManager;
  let webhook: WebhookUnderTest;
  let folder: string;
  let page: PageCommands;
  let operations: PageCommands;

  before(
    async () => {
      plane = await ControlPlane.start({ controllerManager: true });
      certManager = await CertManager.start(plane);
      folder = mkdtempSync(join(tmpdir(), 'carm-webhook-install-'));
      cpSync(deployFolder, join(folder, 'deploy'), { recursive: true });
      const programs = [dirname(helmProgram()), carmWebhookProgram(folder)];
      page = new PageCommands('install.md', { plane, cwd: folder, programs });
      operations = new PageCommands('operations.md', { plane, cwd: folder, programs });
      const bound = (name: string, label?: string, annotations: object = { [owner]: '111122223333' }) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name,
          annotations,
          ...(label === undefined ? {} : { labels: { [inject]: label } }),
        },
      });
      const input = asList([
        bound('before'),
        bound('opted-out-before', 'disabled'),
        bound('team-alone', undefined, { 'services.k8s.aws/team-id': 'shop' }),
        bound('labelled-otherwise', 'false'),
      ]);
      await plane.kubectl(['apply', '-f', '-'], { input });
      await plane.kubectl(['create', 'namespace', 'unbound']);
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await webhook?.stop();
    await certManager?.stop();
    await plane?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const labelsOf = async (namespace: string): Promise<Readonly<Record<string, string>>> =>
    (await plane.request<Named>('GET', `/api/v1/namespaces/${namespace}`)).body.metadata.labels ?? {};

  const withoutConfigurations = () =>
    plane.kubectl(['delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', 'zz-carm-webhook']);
  const imageOf = async (): Promise<string> => {
    const read = ['get', 'deployment', 'carm-webhook', '-n', 'carm-webhook', '-o', 'jsonpath={..image}'];
    return (await plane.kubectl(read)).stdout;
  };
  const image = '123456789012.dkr.ecr.eu-central-1.amazonaws.com/carm-webhook:0.1.0';

  test('the release is installed on a bare cluster, and can be restricted', testLimit, async () => {
    const heading = '2. The release';
    await withReadyPods(plane, 'carm-webhook', () => page.run(heading));
    assert.equal(await imageOf(), image);
    await page.run(heading, {}, 1);
    const bundles = ['-o', 'jsonpath={.items[*].webhooks[*].clientConfig.caBundle}'];
    const { stdout } = await plane.kubectl(['get', 'validatingwebhookconfigurations', ...bundles]);
    assert.equal(new Set(stdout.split(' ')).size, 1);
    assert.match(Buffer.from(stdout.split(' ')[0] ?? '', 'base64').toString(), /^-----BEGIN CERTIFICATE-----/);
  });

  test('the release is upgraded', testLimit, async () => {
    await withReadyPods(plane, 'carm-webhook', () => page.run('Upgrading'));
  });

  test('and rolled back, as docs/operations.md says', testLimit, async () => {
    const history = await withReadyPods(plane, 'carm-webhook', () => operations.run('Rolling back'));
    assert.match(history, /^2 .*\bdeployed\b.*Upgrade complete$/m);
    assert.match(history, /^Rollback was a success/m);
  });

  test('roles that ServiceAccounts name are listed, for who comes from another webhook', testLimit, async () => {
    const metadata = {
      name: 'app',
      namespace: 'unbound',
      annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/reader' },
    };
    await plane.kubectl(['apply', '-f', '-'], {
      input: asList([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata }]),
    });
    assert.equal(
      await operations.run('Coming from amazon-eks-pod-identity-webhook'),
      'unbound app arn:aws:iam::111122223333:role/reader\n',
    );
  });

  test('the map is made', testLimit, async () => {
    // The Service leads nowhere on a plane without nodes: the server that answers is called by a URL.
    webhook = await WebhookUnderTest.start(plane);
    await withoutConfigurations();
    await webhook.install();
    await page.run('3. The map');
    // It changes nothing where it exists.
    await page.run('3. The map');
    await page.run('3. The map', {}, 1);
    const read = ['get', 'configmap', 'ack-role-account-map', '-n', 'ack-system', '-o', 'jsonpath={.data}'];
    assert.deepEqual(JSON.parse((await plane.kubectl(read)).stdout), {
      'pods.111122223333': 'arn:aws:iam::111122223333:role/team-a-workloads',
    });
  });

  test('a namespace is bound, and its pods get the role', testLimit, async () => {
    assert.match(await page.run('4. A namespace'), /^team-a +Active .* enabled$/m);
    await plane.kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', 'team-a', '--timeout=20s']);
    await plane.kubectl(['run', 'web', '--image=web', '-n', 'team-a']);
    const { body } = await plane.request<Named>('GET', '/api/v1/namespaces/team-a/pods/web');
    const role = body.metadata.annotations?.['carm-webhook.dev/role-arn'];
    assert.equal(role, 'arn:aws:iam::111122223333:role/team-a-workloads');
  });

  test('namespaces that were bound before are found and labelled', testLimit, async () => {
    const heading = 'Namespaces that were bound before';
    const look = await page.run(heading);
    assert.match(look, /^before +would be labelled$/m);
    assert.match(look, /^labelled-otherwise +left out +InvalidLabel$/m);
    assert.match(look, /^team-alone +left out +BindingIgnored$/m);
    assert.equal((await labelsOf('before'))[inject], undefined);
    await page.run(heading, {}, 1);
    assert.equal((await labelsOf('before'))[inject], 'enabled');
    assert.equal((await labelsOf('opted-out-before'))[inject], 'disabled');
    assert.equal((await labelsOf('unbound'))[inject], undefined);
    // With its gate off a team id binds nothing: the label would have its pods denied.
    assert.equal((await labelsOf('team-alone'))[inject], undefined);
    // Whoever wrote it meant something.
    assert.equal((await labelsOf('labelled-otherwise'))[inject], 'false');
  });

  test('uninstalling takes away what is ours and nothing of ACK, and denies nobody', testLimit, async () => {
    await webhook.stopProcess();
    await withReadyPods(plane, 'carm-webhook', () => page.run('Uninstalling'));
    const ours = 'mutatingwebhookconfigurations,validatingwebhookconfigurations,clusterroles,clusterrolebindings';
    const selected = ['-l', 'app.kubernetes.io/name=carm-webhook', '-o', 'name'];
    assert.equal((await plane.kubectl(['get', ours, ...selected])).stdout, '');
    assert.equal((await plane.kubectl(['get', 'roles,rolebindings', '-A', ...selected])).stdout, '');
    assert.equal((await plane.request('GET', '/api/v1/namespaces/carm-webhook')).status, 404);
    await plane.kubectl(['get', 'configmap', 'ack-role-account-map', '-n', 'ack-system']);
    assert.deepEqual(Object.keys(await labelsOf('team-a')), ['kubernetes.io/metadata.name']);
    const { body } = await plane.request<Named>('GET', '/api/v1/namespaces/team-a');
    assert.equal(body.metadata.annotations?.[owner], '111122223333');
    await plane.kubectl(['run', 'afterwards', '--image=web', '-n', 'team-a']);
  });

  test('it is installed again without Helm, by cert-manager', testLimit, async () => {
    await withReadyPods(plane, 'carm-webhook', () => page.run('Without Helm'));
    assert.equal(await imageOf(), image);
    await eventually('cert-manager has filled in its CA', async () => {
      const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/zz-carm-webhook';
      const { body } = await plane.request<{ webhooks: readonly { clientConfig: { caBundle?: string } }[] }>(
        'GET',
        path,
      );
      return body.webhooks.every(({ clientConfig }) => clientConfig.caBundle !== undefined) ? true : undefined;
    });
  });

  test('and becomes a release of Helm, every object the same one', testLimit, async () => {
    const read = ['get', '-k', join(folder, 'deploy'), '-o', 'jsonpath={range .items[*]}{.metadata.uid}{"\\n"}{end}'];
    const before = (await plane.kubectl(read)).stdout;
    const { code, stderr } = await runHelm(
      helmProgram(),
      [
        ...[
          'install',
          'carm-webhook',
          join(deployFolder, 'chart'),
          '--namespace',
          'carm-webhook',
          '--take-ownership',
          '--force-conflicts',
        ],
        ...['--no-hooks', '--values', join(folder, 'my-values.yaml')],
        ...['--set', 'certificates.provider=cert-manager,ack.createNamespaces=false'],
      ],
      { env: { KUBECONFIG: plane.adminKubeconfig } },
    );
    assert.equal(code, 0, stderr);
    assert.equal((await plane.kubectl(read)).stdout, before);
  });

  test('every command of the page was executed, except those that need a registry', () => {
    assert.deepEqual(page.notRun, []);
  });
});
