import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { boundNamespace, deployment, roleMap, type StoredPod, tokenMountPath } from '../e2e/cluster-objects.ts';
import { eventually } from '../e2e/eventually.ts';
import { asList, deployFolder } from '../e2e/manifests.ts';
import { PageCommands } from '../e2e/page-commands.ts';
import { carmWebhookProgram } from '../e2e/program-folder.ts';
import { builtImage, busyboxImage } from './images.ts';
import { type NodeCluster, webhookNamespace } from './node-cluster.ts';
import { sharedCluster } from './shared-cluster.ts';

const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/team`;
const manifests = 'my-cluster';
const testLimit = { timeout: 60_000 };
const startLimitMs = 40_000;

interface Pod extends StoredPod {
  readonly status: {
    readonly phase: string;
    readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[];
  };
}

/** What is wrong in the folder of manifests; nothing, without it. */
interface Fault {
  readonly image?: { readonly newName: string; readonly newTag: string };
  /** Operations of a JSON Patch of the Deployment. */
  readonly patch?: readonly object[];
}

/**
 * The page docs/break-glass.md while the webhook's pods are really down. Each scenario begins and ends with a webhook that works, so
 * that each can run alone; the first follows the page from its top to its end.
 */
describe('the runbook, on a node where the replicas of the webhook are really down', () => {
  let cluster: NodeCluster;
  let folder: string;
  let page: PageCommands;
  const webhook = builtImage();

  before(
    async () => {
      ({ cluster } = await sharedCluster());
      folder = mkdtempSync(join(tmpdir(), 'carm-webhook-runbook-'));
      cpSync(deployFolder, join(folder, 'deploy'), { recursive: true });
      mkdirSync(join(folder, manifests));
      writeManifests();
      const programs = [carmWebhookProgram(folder)];
      page = new PageCommands('break-glass.md', { plane: cluster.plane, cwd: folder, programs });
      const container = {
        name: 'app',
        image: busyboxImage,
        // As the first process of a container, the shell ends only by a signal that it traps.
        command: ['sh', '-c', 'trap "exit 1" TERM; while :; do sleep 1 & wait; done'],
      };
      const fields = { serviceAccountName: 'default', terminationGracePeriodSeconds: 1, containers: [container] };
      const teams = ['team-a', 'team-b', 'team-c'].flatMap(name => [
        boundNamespace(name, account),
        deployment(name, 'web', fields),
      ]);
      await kubectl(['apply', '-f', '-'], { input: asList([roleMap({ [account]: roleArn }), ...teams]) });
      for (const name of ['team-a', 'team-b', 'team-c']) await untilPodsRun(name, [roleArn]);
    },
    { timeout: 180_000 },
  );
  after(async () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const kubectl: NodeCluster['plane']['kubectl'] = (...args) => cluster.plane.kubectl(...args);

  /** The folder that the page calls MANIFESTS: what docs/install.md makes, with a fault. */
  function writeManifests({ image, patch }: Fault = {}): void {
    const [newName, newTag] = webhook.name.split(':');
    const kustomization = {
      resources: ['../deploy'],
      images: [{ name: 'registry.invalid/carm-webhook', newName, newTag, ...image }],
      patches: patch ? [{ target: { kind: 'Deployment' }, patch: JSON.stringify(patch) }] : [],
    };
    writeFileSync(join(folder, manifests, 'kustomization.yaml'), JSON.stringify(kustomization));
  }

  /** A release with a fault. */
  async function release(fault: Fault): Promise<void> {
    writeManifests(fault);
    await kubectl(['apply', '-k', join(folder, manifests)]);
  }

  /** The pods of a namespace that are not going. */
  async function podsOf(namespace: string): Promise<readonly Pod[]> {
    const { body } = await cluster.plane.request<{
      readonly items: readonly (Pod & { readonly metadata: { readonly deletionTimestamp?: string } })[];
    }>('GET', `/api/v1/namespaces/${namespace}/pods`);
    return body.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  const isReady = ({ status }: Pod): boolean => status.containerStatuses?.every(({ ready }) => ready) === true;

  /** What a container really has: the variable, and a token in the file. */
  async function roleInside(namespace: string, pod: string): Promise<string> {
    const look = `[ -z "$AWS_ROLE_ARN" ] || { [ -s ${tokenMountPath}/token ] && echo "$AWS_ROLE_ARN"; }`;
    const { stdout } = await kubectl(['exec', pod, '-n', namespace, '--', 'sh', '-c', look]);
    return stdout.trim();
  }

  /** Waits until these are the roles inside the pods of a namespace, '' for none, and no pod is missing. */
  async function untilPodsRun(namespace: string, roles: readonly string[]): Promise<void> {
    const expected = [...roles].sort();
    let found: readonly string[] = [];
    await eventually(
      `${roles.length} pods of ${namespace} run with ${JSON.stringify(expected)}`,
      async () => {
        const pods = await podsOf(namespace);
        if (pods.length !== roles.length || !pods.every(isReady)) return undefined;
        found = (await Promise.all(pods.map(({ metadata }) => roleInside(namespace, metadata.name)))).sort();
        return JSON.stringify(found) === JSON.stringify(expected) ? true : undefined;
      },
      startLimitMs,
    );
  }

  /** What becomes of a pod that a person makes. Nothing is kept. */
  async function tryPod(namespace: string): Promise<string> {
    const args = ['run', 'try', `--image=${busyboxImage}`, '-n', namespace, '--dry-run=server', '-o', 'yaml'];
    const { stdout, stderr } = await kubectl(args, { expectCode: 'any' });
    return stdout + stderr;
  }

  /** kube-proxy learns a moment later which replicas there are. */
  const untilPodsAre = (what: string, sign: RegExp) =>
    eventually(`pods are ${what}`, async () => (sign.test(await tryPod('team-b')) ? true : undefined), startLimitMs);
  const untilDenied = () => untilPodsAre('denied', /failed calling webhook "pods\.carm-webhook\.dev"/);

  async function untilItWorks(): Promise<void> {
    await cluster.rolledOut();
    await untilPodsAre('injected', new RegExp(`value: ${roleArn}`));
  }

  /** All replicas are gone at once, as with their node; their ReplicaSets make others. */
  const loseReplicas = () =>
    kubectl(['delete', 'pods', '--all', '-n', webhookNamespace, '--force', '--grace-period=0']);

  /** What people do to a release that hangs, and should not: only its newest version comes back. */
  async function scaleDownAndUp(): Promise<void> {
    const scale = (replicas: number) =>
      kubectl(['scale', 'deployment/carm-webhook', '-n', webhookNamespace, `--replicas=${replicas}`]);
    await scale(0);
    await loseReplicas();
    await scale(2);
  }

  /** Follows "Find the cause" until it shows all that is to be seen. */
  async function find(namespace: string, ...signs: readonly RegExp[]): Promise<void> {
    let seen = '';
    const look = async () => {
      seen = await page.run('Find the cause', { NAMESPACE: namespace });
      return signs.every(sign => sign.test(seen)) ? true : undefined;
    };
    await eventually('the page shows the cause', look, startLimitMs).catch(error => {
      throw new Error(`${signs.join(' ')} in:\n${seen}`, { cause: error });
    });
  }

  describe('an image that is not there', () => {
    const lost = /ErrImagePull|ImagePullBackOff/;

    test(
      'alone takes nobody down, even if the old replicas go: their ReplicaSet makes them again',
      testLimit,
      async () => {
        // Nothing listens there: the pull fails at once.
        await release({ image: { newName: '127.0.0.1/carm-webhook', newTag: 'mistyped' } });
        await find('team-b', lost, /127\.0\.0\.1\/carm-webhook:mistyped/);
        await untilPodsAre('injected', new RegExp(roleArn));
        await loseReplicas();
        await eventually(
          'both old replicas are there again',
          async () => ((await podsOf(webhookNamespace)).filter(isReady).length === 2 ? true : undefined),
          startLimitMs,
        );
        await untilPodsAre('injected', new RegExp(`value: ${roleArn}`));
        writeManifests();
        await page.run('Take the last change back');
        await untilItWorks();
      },
    );

    test('on a new node either: pods are denied, running ones go on', testLimit, async () => {
      await cluster.node.removeImage(webhook.name);
      await loseReplicas();
      await untilDenied();
      await kubectl(['scale', 'deployment/web', '-n', 'team-a', '--replicas=2']);
      await kubectl(['rollout', 'restart', 'deployment/web', '-n', 'team-b']);
      // The end of the container may be quicker than that of the command.
      const crash = ['exec', 'deployment/web', '-n', 'team-a', '--', 'sh', '-c', 'kill 1'];
      await kubectl(crash, { expectCode: 'any' });
      await eventually('its container is restarted', async () => {
        const [pod] = await podsOf('team-a');
        return pod && isReady(pod) && pod.status.containerStatuses?.[0]?.restartCount === 1 ? true : undefined;
      });
      await find('team-b', lost, /carm-webhook:test/, /failed calling webhook "pods\.carm-webhook\.dev"/);
      await untilPodsRun('team-a', [roleArn]);
      await untilPodsRun('team-b', [roleArn]);
    });

    test('a namespace with running pods is deleted', testLimit, async () => {
      await kubectl(['delete', 'namespace', 'team-c', '--timeout=25s']);
    });

    test('Fix it: every command is accepted, but none brings the image back', testLimit, async () => {
      await page.run('Restart it');
      await page.run('Take the last change back');
      await page.run('Renew the certificate');
      await untilDenied();
    });

    test('Let one namespace through: its pods run, without the role', testLimit, async () => {
      await page.run('Let one namespace through', { NAMESPACE: 'team-a' });
      await page.run('Let one namespace through', { NAMESPACE: 'team-a' }, 1);
      await untilPodsRun('team-a', ['', '']);
      await untilPodsRun('team-b', [roleArn]);
    });

    test('Bypass the webhook once: the pod runs', testLimit, async () => {
      await page.run('Bypass the webhook once', { NAMESPACE: 'team-b', IMAGE: busyboxImage });
      await untilPodsRun('team-b', ['', roleArn]);
    });

    test('Free the whole cluster: pods run everywhere', testLimit, async () => {
      await page.run('Free the whole cluster');
      await page.run('Let one namespace through', { NAMESPACE: 'team-b' }, 1);
      await untilPodsRun('team-b', ['', '']);
    });

    test('Back to normal: the image is there again, and pods run with their role', testLimit, async () => {
      const heading = 'Back to normal';
      await cluster.node.importImage(webhook.archive);
      await page.run('Restart it');
      await page.run(heading);
      await page.run(heading, { MANIFESTS: manifests }, 1);
      await page.run(heading, { NAMESPACE: 'team-a' }, 2);
      // Other tests' namespaces may still be going.
      const found = (await page.run(heading, {}, 3)).replaceAll(/^(?!team-).*\n/gm, '');
      assert.match(found, /^team-a\/web-.*\nteam-a\/web-.*\nteam-b\/break-glass\nteam-b\/web-.*\n$/);
      for (const namespace of ['team-a', 'team-b']) await page.run(heading, { NAMESPACE: namespace }, 4);
      await untilPodsRun('team-a', [roleArn, roleArn]);
      await untilPodsRun('team-b', [roleArn]);
    });

    test('every command of the page was executed, but for the one about memory and the drill', () => {
      assert.deepEqual(page.notRun, ['Raise its memory limit 0', 'Rehearse it 0', 'Rehearse it 1']);
    });
  });

  describe('a crash', () => {
    test('of every replica by a broken certificate: a new one heals them', testLimit, async () => {
      await cluster.stopCertManager();
      const broken = JSON.stringify({ stringData: { 'tls.crt': 'broken' } });
      await kubectl(['patch', 'secret', 'carm-webhook-tls', '-n', webhookNamespace, '--type=merge', '-p', broken]);
      await loseReplicas();
      await untilDenied();
      await kubectl(['scale', 'deployment/web', '-n', 'team-a', '--replicas=3']);
      await find('team-a', /CrashLoopBackOff/, /tls\.crt" is not a PEM certificate/, /failed calling webhook/);
      await cluster.startCertManager();
      await page.run('Renew the certificate');
      await untilItWorks();
    });

    test('by a flag, and no old replica is left: the change is taken back', testLimit, async () => {
      const path = '/spec/template/spec/containers/0/args/-';
      await release({ patch: [{ op: 'add', path, value: '--default-mode=strict' }] });
      await scaleDownAndUp();
      await untilDenied();
      await find('team-a', /CrashLoopBackOff/, /--default-mode/);
      await page.run('Take the last change back');
      await untilItWorks();
    });
  });

  test('a memory limit that is too low: the kernel kills every replica, until it is raised', testLimit, async () => {
    const path = '/spec/template/spec/containers/0/resources';
    const resources = { requests: { memory: '24Mi' }, limits: { memory: '24Mi' } };
    await release({ patch: [{ op: 'replace', path, value: resources }] });
    await scaleDownAndUp();
    await untilDenied();
    await find('team-b', /OOMKilled/);
    await page.run('Let one namespace through', { NAMESPACE: 'team-b' });
    await page.run('Let one namespace through', { NAMESPACE: 'team-b' }, 1);
    await untilPodsRun('team-b', ['']);
    await page.run('Raise its memory limit');
    await page.run('Back to normal');
    await page.run('Back to normal', { NAMESPACE: 'team-b' }, 2);
    await page.run('Back to normal', { NAMESPACE: 'team-b' }, 4);
    await untilPodsRun('team-b', [roleArn]);
  });
});
