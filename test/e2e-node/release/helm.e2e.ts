import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { makeCa, makeLeaf } from '../../cli/check/installation/made-certificates.ts';
import { BoundNamespace } from '../../e2e/bound-namespace.ts';
import { untilCaInjected } from '../../e2e/ca-injection.ts';
import { namespace, pod } from '../../e2e/cluster-objects.ts';
import { eventually } from '../../e2e/eventually.ts';
import { credentialsOf } from '../../e2e/injected-credentials.ts';
import { asList, deployFolder } from '../../e2e/manifests.ts';
import { PageCommands } from '../../e2e/page-commands.ts';
import { SteadyPods } from '../../e2e/steady-pods.ts';
import { builtHelm, type HelmVersion, helmProgram } from '../../testbed/binaries.ts';
import { assertIdentity } from '../assert-identity.ts';
import { builtImage } from '../images.ts';
import { webhookNamespace } from '../node-cluster.ts';
import { countOf, probeCounts } from '../probe-counts.ts';
import { readyReplicas } from '../replicas.ts';
import { RunningPods } from '../running-pods.ts';
import { BareCluster, podImage } from './bare-cluster.ts';
import { HelmRelease } from './helm-release.ts';

/** NODE_TESTS=all also takes each provider, and Helm 3, through everything. */
const all = process.env['NODE_TESTS'] === 'all';
/** A folder for `kubectl apply -k` beside `deploy/`, of an earlier version: what is adopted in place of today's manifests. */
const earlier = process.env['EARLIER_DEPLOY'];

const accountId = '111122223333';
const roleArn = `arn:aws:iam::${accountId}:role/team-a-workloads`;
const region = 'eu-central-1';
const regionAnnotation = { 'services.k8s.aws/default-region': region };
const callsPerSecond = 20;
const testLimit = { timeout: 300_000 };
const [repository = '', tag = ''] = builtImage().name.split(':');
const image = { repository, tag, pullPolicy: 'Never' };
/** Namespaces of tests, which are not of a release. */
const teams = ['team-a', 'steady'];

interface Uninstallation {
  readonly helm?: HelmVersion;
  /** Whether the replicas take their time to end. */
  readonly patient?: boolean;
}

describe('a release of the chart, on a node', () => {
  let cluster: BareCluster;
  let folder: string;
  let bare: ReadonlySet<string>;
  let team: BoundNamespace;
  let install: PageCommands;
  let clientPods = 0;

  before(
    async () => {
      cluster = await BareCluster.start();
      folder = mkdtempSync(join(tmpdir(), 'carm-webhook-release-'));
      cpSync(deployFolder, join(folder, 'deploy'), { recursive: true });
      install = page('install.md');
      bare = await cluster.objects(teams);
    },
    { timeout: 180_000 },
  );
  after(
    async () => {
      await cluster?.stop();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
    { timeout: 60_000 },
  );

  function page(name: string, helm: HelmVersion = 'v4'): PageCommands {
    return new PageCommands(name, { plane: cluster.plane, cwd: folder, programs: [dirname(helmProgram(helm))] });
  }

  /** What people who look after the cluster do meanwhile must not fail one pod. */
  async function whilePodsAreCreated(t: TestContext, run: (pods: SteadyPods) => Promise<void>): Promise<void> {
    const pods = new SteadyPods(team, roleArn, callsPerSecond, { dryRun: true });
    await pods.during(() => run(pods));
    const phases = [...pods.phases].map(([phase, count]) => `${count} at ${phase}`).join(', ');
    t.diagnostic(`${pods.started} calls (${phases}), ${pods.failures.length} failed`);
    t.diagnostic(`${pods.count('injected')} injected, the slowest in ${Math.round(pods.slowestMs)} ms`);
    assert.deepEqual(pods.failures.slice(0, 5), []);
    assert.equal(pods.count('injected') + pods.count('without-role'), pods.started);
  }

  /** Each Job of a hook is another object of the same name; Helm removes those that have succeeded. */
  async function completed(job: string): Promise<number> {
    const { items } = await cluster.get<{
      readonly items: readonly { readonly reason: string; readonly involvedObject: { readonly name: string } }[];
    }>(`/api/v1/namespaces/${webhookNamespace}/events?fieldSelector=involvedObject.kind%3DJob`);
    return items.filter(({ reason, involvedObject }) => reason === 'Completed' && involvedObject.name === job).length;
  }

  /** The events of a Job come a moment after its end. */
  async function assertCompleted(job: string, times: number): Promise<void> {
    await eventually(`${times} Jobs ${job} are complete`, async () =>
      (await completed(job)) >= times ? true : undefined,
    );
    assert.equal(await completed(job), times);
  }

  /** Both replicas are Ready by their probes, and have never been restarted, in a namespace that enforces `restricted`. */
  async function assertRunsRestricted(): Promise<void> {
    const { metadata } = await cluster.get<{
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
    }>(`/api/v1/namespaces/${webhookNamespace}`);
    assert.equal(metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted');
    const rollout = ['rollout', 'status', 'deployment/carm-webhook', '-n', webhookNamespace, '--timeout=60s'];
    await cluster.plane.kubectl(rollout, { timeoutMs: 65_000 });
    const replicas = await readyReplicas(cluster.plane);
    assert.deepEqual(
      replicas.map(({ restarts }) => restarts),
      [0, 0],
    );
    const counts = await probeCounts();
    for (const { name } of replicas) {
      assert.ok((counts.get(`${name} Readiness successful`) ?? 0) > 0, `a probe of ${name} passed`);
      assert.ok(countOf(counts, name, 'failed') <= 3, `${countOf(counts, name, 'failed')} probes failed`);
    }
  }

  /** The one container of a pod, which runs, asks STS with its token, and is exactly who it should be. */
  async function assertAsks(name: string, container: string): Promise<void> {
    const pods = new RunningPods(cluster, 'team-a');
    const answer = await pods.answer(name, container);
    assertIdentity(cluster.sts, await pods.get(name), answer, { roleArn, region });
  }

  /** The next pod of team-a, which gets its role and asks STS. */
  async function assertNextPodAsks(): Promise<void> {
    clientPods += 1;
    const name = `next-${clientPods}`;
    const containers = [{ name: 'app', image: podImage, imagePullPolicy: 'Never' }];
    const fields = { serviceAccountName: 'default', terminationGracePeriodSeconds: 1, containers };
    await new RunningPods(cluster, 'team-a').create(pod('team-a', name, fields));
    await assertAsks(name, 'app');
  }

  /** Uninstalling took the label of these namespaces; they get it at their next change. */
  async function untilInjected(): Promise<void> {
    for (const name of teams) {
      // kube-proxy learns of Ready replicas a moment later.
      await eventually(`${name} is changed`, async () => {
        const change = ['annotate', 'namespace', name, `changed=${clientPods}`, '--overwrite'];
        return (await cluster.plane.kubectl(change, { expectCode: 'any' })).code === 0 ? true : undefined;
      });
    }
    await eventually('pods get their role', async () =>
      credentialsOf((await team.tryPod()).body)?.roleArn === roleArn ? true : undefined,
    );
  }

  /** What a page says that stays: ACK's namespace and the map in it, beside what was there before. */
  async function assertNothingLeft(): Promise<void> {
    const now = await cluster.objects(teams);
    assert.deepEqual([...now].filter(name => !bare.has(name)).toSorted(), [
      'ConfigMap ack-system/ack-role-account-map',
      'ConfigMap ack-system/kube-root-ca.crt',
      'Namespace /ack-system',
      'ServiceAccount ack-system/default',
    ]);
    assert.deepEqual(
      [...bare].filter(name => !now.has(name)),
      [],
    );
  }

  const serverArgs = async (): Promise<string> => {
    const read = ['get', 'deployment', 'carm-webhook', '-n', webhookNamespace, '-o', 'jsonpath={..args}'];
    return (await cluster.plane.kubectl(read)).stdout;
  };

  const configurations = async (): Promise<string> => {
    const kinds = 'mutatingwebhookconfigurations,validatingwebhookconfigurations';
    return (await cluster.plane.kubectl(['get', kinds, '-o', 'name'])).stdout;
  };

  async function endReplicas(): Promise<void> {
    await eventually(
      'the Deployment is gone',
      async () => {
        const path = `/apis/apps/v1/namespaces/${webhookNamespace}/deployments/carm-webhook`;
        return (await cluster.plane.request('GET', path)).status === 404 ? true : undefined;
      },
      60_000,
    );
    const force = ['--all', '--force', '--grace-period=0', '--wait=false'];
    await cluster.plane.kubectl(['delete', 'pods', '-n', webhookNamespace, ...force]);
  }

  async function uninstall(pods: SteadyPods, { helm = 'v4', patient = false }: Uninstallation = {}): Promise<void> {
    pods.phase = 'uninstalling';
    pods.mayBeWithoutRole = true;
    const running = page('install.md', helm).run('Uninstalling');
    // Else the namespace would stay for half of the replicas' grace period, in which nothing calls them any more.
    if (!patient) await Promise.all([running, endReplicas()]);
    await running;
    assert.equal(await configurations(), '');
  }

  async function assertUpgradesAndRollsBack(release: HelmRelease, pods: SteadyPods): Promise<void> {
    const before = await readyReplicas(cluster.plane);
    pods.phase = 'upgrading';
    await release.upgrade({ config: { logLevel: 'debug' } });
    await assertRunsRestricted();
    assert.match(await serverArgs(), /--log-level=debug/);
    const upgraded = await readyReplicas(cluster.plane);
    assert.ok(upgraded.every(({ name }) => before.every(old => old.name !== name)));
    await assertCompleted('carm-webhook-startup-check', 2);
    await assertNextPodAsks();
    pods.phase = 'rolling back';
    await release.rollBack();
    await assertRunsRestricted();
    assert.doesNotMatch(await serverArgs(), /--log-level/);
    await assertCompleted('carm-webhook-startup-check', 3);
    await assertNextPodAsks();
  }

  /** A release in a namespace that enforces `restricted` before its first pod, and its end. */
  async function assertComesAndGoes(
    t: TestContext,
    values: object,
    { objects = [], helm = 'v4' }: { readonly objects?: readonly object[]; readonly helm?: HelmVersion } = {},
  ): Promise<void> {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    const input = asList([namespace(webhookNamespace, { labels }), ...objects]);
    await cluster.plane.kubectl(['apply', '-f', '-'], { input });
    const release = new HelmRelease(cluster.plane, helmProgram(helm));
    await whilePodsAreCreated(t, async pods => {
      pods.phase = 'installing';
      pods.mayBeWithoutRole = true;
      const startedAt = performance.now();
      await release.install({ image, ...values });
      t.diagnostic(`helm install took ${seconds(startedAt)} s`);
      await assertRunsRestricted();
      await assertCompleted('carm-webhook-startup-check', 1);
      await untilInjected();
      pods.mayBeWithoutRole = false;
      await assertNextPodAsks();
      if (all) await assertUpgradesAndRollsBack(release, pods);
      await uninstall(pods, { helm });
    });
    await assertNothingLeft();
  }

  test('the quick start of the README: at most four commands to a pod that has its role', testLimit, async t => {
    const readme = page('../README.md');
    // A backslash at its end continues a line.
    const commands = readme.block('On a cluster').split(/(?<!\\)\n/);
    assert.ok(commands.length <= 4, commands.join('\n'));
    const startedAt = performance.now();
    await readme.run('On a cluster', { IMAGE_REPOSITORY: repository, IMAGE_TAG: tag });
    const commandsTook = seconds(startedAt);
    await assertAsks('web', 'web');
    t.diagnostic(
      `the commands took ${commandsTook} s, and ${seconds(startedAt)} s after the first the pod had asked STS`,
    );
    await assertCompleted('carm-webhook-startup-check', 1);
    assert.match(await configurations(), /^mutating.*zz-carm-webhook\nvalidating.*zz-carm-webhook\n$/);
    team = await BoundNamespace.create(cluster.plane, 'steady', { accountId, annotations: regionAnnotation });
  });

  test('restricted, upgraded, rolled back, uninstalled: no call fails, and nothing is left', testLimit, async t => {
    await whilePodsAreCreated(t, async pods => {
      await install.run('2. The release', {}, 1);
      await assertUpgradesAndRollsBack(new HelmRelease(cluster.plane, helmProgram()), pods);
      await uninstall(pods, { patient: all });
    });
    await assertNothingLeft();
  });

  test('a certificate of one’s own, in a Secret that exists', testLimit, async t => {
    const now = Date.now();
    const ca = await makeCa(now, 30);
    const { cert, key } = await makeLeaf(now, 30, ca, `carm-webhook.${webhookNamespace}.svc`);
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'own-tls', namespace: webhookNamespace },
      stringData: { 'tls.crt': cert, 'tls.key': key },
    };
    const existing = { secretName: 'own-tls', caBundle: ca.cert };
    await assertComesAndGoes(t, { certificates: { provider: 'existing', existing } }, { objects: [secret] });
  });

  const skip3 = builtHelm('v3') === undefined ? 'Helm 3 is not built' : !all && 'NODE_TESTS=all';
  test('by Helm 3', { ...testLimit, skip: skip3 }, async t => {
    await assertComesAndGoes(t, { certificates: { provider: 'helm' } }, { helm: 'v3' });
  });

  describe('with cert-manager', () => {
    before(
      async () => {
        await cluster.startCertManager();
        bare = new Set(
          [...(await cluster.objects(teams)), ...bare].filter(
            name => !name.includes(' ack-system/') && name !== 'Namespace /ack-system',
          ),
        );
      },
      { timeout: 60_000 },
    );

    test('installed on a bare cluster', { ...testLimit, skip: !all && 'NODE_TESTS=all' }, async t => {
      await assertComesAndGoes(t, {});
    });

    test('what kubectl has applied becomes a release, and no call fails', testLimit, async t => {
      const deploy = earlier ?? join(folder, 'deploy');
      const images = [{ name: 'registry.invalid/carm-webhook', newName: repository, newTag: tag }];
      cpSync(deploy, join(folder, 'kustomized', 'deploy'), { recursive: true });
      writeFileSync(
        join(folder, 'kustomized', 'kustomization.yaml'),
        JSON.stringify({ resources: ['deploy'], images }),
      );
      await cluster.plane.kubectl(['apply', '-k', join(folder, 'kustomized')]);
      const rollout = ['rollout', 'status', 'deployment/carm-webhook', '-n', webhookNamespace, '--timeout=120s'];
      await cluster.plane.kubectl(rollout, { timeoutMs: 125_000 });
      await untilCaInjected(cluster.plane);
      await untilInjected();
      await whilePodsAreCreated(t, async pods => {
        pods.phase = 'adoption';
        const release = new HelmRelease(cluster.plane, helmProgram(), ['--force-conflicts']);
        await release.install({ image }, '--take-ownership');
        await assertRunsRestricted();
        await assertCompleted('carm-webhook-startup-check', 1);
        await assertNextPodAsks();
        if (all) await assertUpgradesAndRollsBack(release, pods);
        await uninstall(pods);
      });
      await assertNothingLeft();
    });
  });
});

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(1);
}
