import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { controlPlaneProgram } from '../testbed/binaries.ts';
import { CertManager } from '../testbed/cert-manager.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import { untilCaInjected } from './ca-injection.ts';
import { boundNamespace, namespace } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { asList, deployFolder, type WebhookConfiguration } from './manifests.ts';
import { podTemplate } from './match-case.ts';
import { PageCommands } from './page-commands.ts';
import { withReadyPods } from './pretended-kubelet.ts';
import { carmWebhookProgram } from './program-folder.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/team`;
const owner = 'services.k8s.aws/owner-account-id';
const inject = 'carm-webhook.dev/inject';
const testLimit = { timeout: 120_000 };

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  }[];
}

/** The page docs/break-glass.md, followed from its top to its end; each test begins where the one before it ended. */
describe('the runbook for a webhook that is down', () => {
  let plane: ControlPlane;
  let certManager: CertManager;
  let webhook: WebhookUnderTest;
  let folder: string;
  let page: PageCommands;

  before(
    async () => {
      plane = await ControlPlane.start({ controllerManager: true });
      certManager = await CertManager.start(plane);
      folder = mkdtempSync(join(tmpdir(), 'carm-webhook-runbook-'));
      cpSync(deployFolder, join(folder, 'deploy'), { recursive: true });
      page = new PageCommands('break-glass.md', { plane, cwd: folder, programs: [carmWebhookProgram(folder)] });
      webhook = await WebhookUnderTest.start(plane);
      const data = [`--from-literal=${account}=${roleArn}`];
      await plane.kubectl(['create', 'configmap', 'ack-role-account-map', '-n', 'ack-system', ...data]);
      await plane.kubectl(['apply', '-k', deployFolder]);
      await untilCaInjected(plane);
      await webhook.install();
      for (const name of ['team-a', 'team-b']) {
        const namespace = {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name, annotations: { [owner]: account } },
        };
        const deployment = {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'web', namespace: name },
          spec: { selector: { matchLabels: { app: 'web' } }, template: podTemplate('web') },
        };
        await plane.kubectl(['apply', '-f', '-'], { input: asList([namespace, deployment]) });
        await eventually(
          `a pod of ${name} has its role`,
          async () => ((await roles(name))[0] ? true : undefined),
          20_000,
        );
      }
    },
    { timeout: 180_000 },
  );
  after(async () => {
    await webhook?.stop();
    await certManager?.stop();
    await plane?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** The role of each pod of a namespace, '' for one that has none. */
  async function roles(namespace: string): Promise<readonly string[]> {
    const { body } = await plane.request<Pods>('GET', `/api/v1/namespaces/${namespace}/pods`);
    return body.items.map(({ metadata }) => metadata.annotations?.['carm-webhook.dev/role-arn'] ?? '');
  }

  const scale = (namespace: string, replicas: number) =>
    plane.kubectl(['scale', 'deployment/web', '-n', namespace, `--replicas=${replicas}`]);

  test('without the webhook, pods are denied in managed namespaces', testLimit, async () => {
    await webhook.stopProcess({ abrupt: true });
    for (const namespace of ['team-a', 'team-b']) {
      await scale(namespace, 2);
      const refused = await plane.kubectl(['run', 'by-hand', '--image=a', '-n', namespace], { expectCode: 1 });
      assert.match(refused.stderr, /failed calling webhook "pods\.carm-webhook\.dev"/);
    }
    const unbind = await plane.kubectl(['annotate', 'namespace', 'team-a', `${owner}-`], { expectCode: 1 });
    assert.match(unbind.stderr, /failed calling webhook "namespaces\.carm-webhook\.dev"/);
    await plane.kubectl(['create', 'namespace', 'elsewhere']);
  });

  test('Find the cause: the events say which webhook', testLimit, async () => {
    await eventually('the event of the controller', async () =>
      (await page.run('Find the cause', { NAMESPACE: 'team-a' })).includes(
        'Error creating: Internal error occurred: failed calling webhook',
      )
        ? true
        : undefined,
    );
  });

  test('Fix it: its own pods and its certificate are renewed without it', testLimit, async () => {
    const secret = ['get', 'secret', 'carm-webhook-tls', '-n', 'carm-webhook', '-o', 'jsonpath={.metadata.uid}'];
    const old = (await plane.kubectl(secret)).stdout;
    await withReadyPods(plane, 'carm-webhook', async () => {
      await page.run('Restart it');
      await page.run('Take the last change back');
      await page.run('Raise its memory limit');
      await page.run('Renew the certificate');
      await plane.kubectl(['rollout', 'status', 'deployment/carm-webhook', '-n', 'carm-webhook', '--timeout=25s']);
    });
    await eventually('another Secret', async () => {
      const { stdout } = await plane.kubectl([...secret, '--ignore-not-found']);
      return stdout !== '' && stdout !== old ? true : undefined;
    });
  });

  test('Let one namespace through: its pods start, without the role', testLimit, async () => {
    const heading = 'Let one namespace through';
    const plain = await plane.kubectl(['label', 'namespace', 'team-a', `${inject}=disabled`, '--overwrite'], {
      expectCode: 1,
    });
    assert.match(plain.stderr, /failed calling webhook/);
    await page.run(heading, { NAMESPACE: 'team-a' });
    await page.run(heading, { NAMESPACE: 'team-a' }, 1);
    await eventually('a pod without a role', async () => ((await roles('team-a')).includes('') ? true : undefined));
    assert.deepEqual(await roles('team-b'), [roleArn]);
  });

  test('Bypass the webhook once', testLimit, async () => {
    await page.run('Bypass the webhook once', { NAMESPACE: 'team-b', IMAGE: 'a' });
    assert.deepEqual([...(await roles('team-b'))].sort(), ['', roleArn]);
  });

  test('Free the whole cluster: pods start and namespaces change everywhere', testLimit, async () => {
    await page.run('Free the whole cluster');
    await eventually('a pod by hand', async () => {
      const { code } = await plane.kubectl(['run', 'by-hand', '--image=a', '-n', 'team-b'], { expectCode: 'any' });
      return code === 0 ? true : undefined;
    });
    const late = [
      boundNamespace('late', account),
      boundNamespace('late-unmapped', '444455556666'),
      boundNamespace('late-otherwise', account, { labels: { [inject]: 'false' } }),
      namespace('team-alone', { annotations: { 'services.k8s.aws/team-id': 'shop' } }),
    ];
    await plane.kubectl(['apply', '-f', '-'], { input: asList(late) });
    assert.equal(await labelOf('late'), undefined);
  });

  async function labelOf(namespace: string): Promise<string | undefined> {
    const { body } = await plane.request<{ metadata: { labels: Readonly<Record<string, string>> } }>(
      'GET',
      `/api/v1/namespaces/${namespace}`,
    );
    return body.metadata.labels[inject];
  }

  test('Back to normal: namespaces that were bound meanwhile are labelled, others are not', testLimit, async () => {
    const heading = 'Back to normal';
    await webhook.startProcess();
    await withReadyPods(plane, 'carm-webhook', () => page.run(heading));
    await page.run(heading, { MANIFESTS: 'deploy' }, 1);
    // The Service leads nowhere on a plane without nodes.
    await webhook.install();
    const said = await page.run(heading, { NAMESPACE: 'team-a' }, 2);
    assert.match(said, /^late +labelled$/m);
    assert.match(said, /^late-otherwise +left out +InvalidLabel$/m);
    assert.match(said, /^late-unmapped +left out +AccountNotMapped$/m);
    assert.match(said, /^team-alone +left out +BindingIgnored$/m);
    assert.equal(await labelOf('late'), 'enabled');
    assert.equal(await labelOf('team-a'), 'enabled');
    assert.equal(await labelOf('elsewhere'), undefined);
    // As by someone who had looked for the cause there, and let nothing through.
    await page.run(heading, { NAMESPACE: 'team-alone' }, 2);
    await page.run(heading, { NAMESPACE: 'elsewhere' }, 2);
    assert.equal(await labelOf('elsewhere'), undefined);
    assert.equal(await labelOf('team-a'), 'enabled');
  });

  test('Back to normal: it has pods denied in no namespace', testLimit, async () => {
    for (const name of ['late', 'late-unmapped', 'late-otherwise', 'team-alone', 'elsewhere', 'team-a', 'team-b']) {
      await plane.kubectl(['run', 'try', '--image=a', '-n', name, '--dry-run=server']);
    }
    assert.equal(await labelOf('late-unmapped'), undefined);
    assert.equal(await labelOf('late-otherwise'), 'false');
    assert.equal(await labelOf('team-alone'), undefined);
  });

  test('Back to normal: pods that came meanwhile are found, and get their role', testLimit, async () => {
    const heading = 'Back to normal';
    const found = (await page.run(heading, {}, 3)).trim().split('\n');
    assert.ok(found.includes('team-b/break-glass') && found.includes('team-b/by-hand'), found.join(' '));
    assert.ok(
      found.some(name => name.startsWith('team-a/web-')),
      found.join(' '),
    );
    await plane.kubectl(['delete', 'pod', 'by-hand', '-n', 'team-b']);
    for (const namespace of ['team-a', 'team-b']) {
      await withReadyPods(plane, namespace, async () => {
        await page.run(heading, { NAMESPACE: namespace }, 4);
        await plane.kubectl(['rollout', 'status', 'deployment/web', '-n', namespace, '--timeout=25s']);
      });
      assert.deepEqual(await roles(namespace), [roleArn, roleArn]);
    }
    assert.equal(await page.run(heading, {}, 3), '');
  });

  describe('Rehearse it: the drill', () => {
    const context = 'testbed';
    const configurations = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'] as const;
    /** False: its pods are there, but their containers do not start. */
    let canStart = true;
    let normal: unknown;

    before(async () => {
      normal = await state();
    });

    /** What the drill changes, and must put back. */
    async function state() {
      const installed = await Promise.all(
        configurations.map(async kind => {
          const path = `/apis/admissionregistration.k8s.io/v1/${kind}/zz-carm-webhook`;
          const { body } = await plane.request<WebhookConfiguration>('GET', path);
          return { annotations: body.metadata?.annotations, webhooks: body.webhooks };
        }),
      );
      const { body } = await plane.request<{ spec: { replicas: number } }>(
        'GET',
        '/apis/apps/v1/namespaces/carm-webhook/deployments/carm-webhook',
      );
      return { installed, replicas: body.spec.replicas };
    }

    /** The webhook's process runs while the webhook has pods, as it does where a kubelet runs them. */
    const withItsPods = <Result>(meanwhile: () => Promise<Result>): Promise<Result> =>
      withReadyPods(plane, 'carm-webhook', meanwhile, async pods => {
        if (pods === 0 && webhook.isRunning) await webhook.stopProcess();
        if (pods > 0 && !webhook.isRunning && canStart) await webhook.startProcess();
        return webhook.isRunning;
      });

    /** What a person who creates a pod is told. */
    const tryPod = async (): Promise<string> => {
      const { stderr } = await plane.kubectl(['run', 'try', '--image=a', '-n', 'team-b', '--dry-run=server'], {
        expectCode: 'any',
      });
      return stderr;
    };

    async function assertAsBefore(): Promise<void> {
      assert.deepEqual(await state(), normal);
      assert.equal(await tryPod(), '');
      const { stdout } = await plane.kubectl(['get', 'configmaps', '-n', 'carm-webhook', '-o', 'name']);
      assert.doesNotMatch(stdout, /drill/);
      const { body } = await plane.request<{ items: readonly { metadata: object; status: { phase: string } }[] }>(
        'GET',
        '/api/v1/namespaces?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dbreak-glass-drill',
      );
      assert.ok(
        body.items.every(({ status }) => status.phase === 'Terminating'),
        JSON.stringify(body.items),
      );
    }

    class Drill {
      readonly #shell: SupervisedProcess;
      said = '';

      constructor(flags: readonly string[]) {
        const path = [dirname(controlPlaneProgram('kubectl')), process.env['PATH']].join(delimiter);
        const script = 'deploy/examples/break-glass-drill.sh';
        this.#shell = new SupervisedProcess('/bin/sh', [script, '--yes-this-is-a-test-cluster', ...flags], {
          cwd: folder,
          env: { PATH: path, KUBECONFIG: plane.adminKubeconfig, HOME: folder },
        });
        for (const output of [this.#shell.stdout, this.#shell.stderr]) {
          output?.setEncoding('utf8').on('data', (text: string) => {
            this.said += text;
          });
        }
      }

      async untilItSays(text: string): Promise<void> {
        await eventually(`the drill says ${text}`, async () => (this.said.includes(text) ? true : undefined), 40_000);
      }

      /** To it and to the kubectl that it has started, as a terminal does at Ctrl-C. */
      signal(signal: NodeJS.Signals): void {
        process.kill(-this.#shell.pid, signal);
      }

      async ended(): Promise<number | null> {
        const end = (await this.#shell.wait(60_000)) ?? (await this.#shell.stop(0));
        return end.code;
      }
    }

    async function runDrill(flags: readonly string[], code: number): Promise<string> {
      const drill = new Drill(flags);
      assert.equal(await drill.ended(), code, drill.said);
      return drill.said;
    }

    test('from "every pod fails" to free, and back to on', testLimit, async () => {
      const variables = { ACCOUNT: account, TEST_CLUSTER: context };
      const said = await withItsPods(() => page.run('Rehearse it', variables));
      const expected = [
        `a pod is created, with the role ${roleArn}`,
        '== Stop the webhook',
        'failed calling webhook "pods.carm-webhook.dev"',
        '== Bypass the webhook once',
        'pod/break-glass created',
        '== Let one namespace through',
        'a pod is created in the namespace',
        'managed again: a new pod fails',
        '== Free the whole cluster',
        'a pod is created (',
        '== Back to normal',
        `a pod is created, with the role ${roleArn}`,
        'Everything is on again',
        'The drill ended with 0',
      ];
      let from = 0;
      for (const text of expected) {
        const at = said.indexOf(text, from);
        assert.ok(at >= from, `${text} is missing after:\n${said.slice(0, from)}\nin:\n${said}`);
        from = at + text.length;
      }
      await assertAsBefore();
      assert.match(await page.run('Rehearse it', variables, 1), /^Nothing is left of any drill\.$/m);
    });

    test('Ctrl-C while the cluster is free: everything is put back', testLimit, async () => {
      const drill = new Drill([`--account=${account}`]);
      await withItsPods(async () => {
        // No other step says this. There are neither replicas nor configurations now.
        await drill.untilItSays('   a pod is created (');
        drill.signal('SIGINT');
        assert.equal(await drill.ended(), 130, drill.said);
      });
      assert.match(drill.said, /Everything is on again/);
      await assertAsBefore();
    });

    test('killed while pods fail, and the webhook does not come back: freed, then put back', testLimit, async () => {
      const drill = new Drill([`--account=${account}`]);
      await withItsPods(async () => {
        await drill.untilItSays('== Bypass the webhook once');
        drill.signal('SIGKILL');
        await drill.ended();
      });
      assert.match(await tryPod(), /failed calling webhook/);
      assert.match(await runDrill([`--account=${account}`], 3), /another drill goes on, or was killed/);
      canStart = false;
      const freed = await withItsPods(() => runDrill(['--restore', '--limit=2'], 4));
      canStart = true;
      assert.match(freed, /the cluster is FREE/);
      await eventually('pods are created', async () => ((await tryPod()) === '' ? true : undefined));
      await withItsPods(() => runDrill(['--restore'], 0));
      await assertAsBefore();
    });

    test('it does not start with an account that has no role', testLimit, async () => {
      assert.match(await runDrill(['--account=444455556666'], 3), /NOT STARTED: .*AccountNotMapped/s);
      await assertAsBefore();
    });

    test('it does not start while the webhook is down already', testLimit, async () => {
      await webhook.stopProcess({ abrupt: true });
      assert.match(await runDrill([`--account=${account}`], 3), /NOT STARTED: the webhook is down already/);
      assert.deepEqual(await state(), normal);
      await webhook.startProcess();
      await assertAsBefore();
    });
  });

  test('every command of the page was executed', () => {
    assert.deepEqual(page.notRun, []);
  });
});
