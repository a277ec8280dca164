import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { Finding } from '../../src/cli/check/finding.ts';
import { runBundle } from '../cli/command-runs.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { ackKinds, bucketKind, installAckKinds } from './ack-crds.ts';
import {
  boundNamespace,
  cronJob,
  deployment,
  injectLabel,
  job,
  namespace,
  pod,
  roleMap,
  type StoredPod,
  serviceAccount,
  statefulSet,
} from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { asList, deployFolder } from './manifests.ts';
import { runPasted } from './pasted-command.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const otherRole = `arn:aws:iam::${account}:role/old`;
const enabled = { labels: { [injectLabel]: 'enabled' } };
const testLimit = { timeout: 60_000 };
const exampleFile = join(deployFolder, 'examples', 'check-cronjob.yaml');

/** No kubelet ever makes a pod ready here: with `Recreate` a restart does not wait for that. */
function recreated(name: string): object {
  const object = deployment('shop', name) as { readonly spec: object };
  return { ...object, spec: { ...object.spec, strategy: { type: 'Recreate' } } };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: {
    readonly jobTemplate: {
      readonly spec: { readonly template: { readonly spec: { readonly containers: object[] } } };
    };
  };
}

describe('check of a cluster whose pods are older than the webhook, by people and a CronJob with the reader of deploy/', () => {
  let plane: ControlPlane;
  let webhook: WebhookUnderTest | undefined;
  let reader: string;

  const apply = (...objects: readonly object[]) => plane.kubectl(['apply', '-f', '-'], { input: asList(objects) });

  before(
    async () => {
      plane = await ControlPlane.start({
        controllerManager: true,
        users: [
          { name: 'reader', groups: ['developers'] },
          { name: 'editor', groups: [] },
        ],
      });
      await installAckKinds(plane, ackKinds);
      await apply(
        namespace('ack-system'),
        roleMap({ [`pods.${account}`]: role }),
        boundNamespace('shop', account, enabled),
        boundNamespace('late', account),
        namespace('plain'),
        ...['shop', 'late', 'plain'].map(name => serviceAccount(name, 'app')),
      );
      await apply(
        ...['web', 'api'].map(recreated),
        statefulSet('shop', 'db'),
        job('shop', 'load'),
        cronJob('shop', 'nightly'),
        pod('shop', 'bare'),
        pod('shop', 'opted-out', { labels: { [injectLabel]: 'disabled' } }),
        pod('shop', 'done', { restartPolicy: 'Never' }),
        ...['late', 'plain'].map(name => pod(name, 'elsewhere')),
      );
      await plane.kubectl(['create', 'job', 'by-hand', '--from=cronjob/nightly', '-n', 'shop']);
      await plane.kubectl([
        'patch',
        'pod',
        'done',
        '-n',
        'shop',
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"status":{"phase":"Succeeded"}}',
      ]);
      for (const name of ['web', 'api', 'db', 'load', 'by-hand']) await podsOf(name);
      webhook = await WebhookUnderTest.start(plane);
      await webhook.install();
      const binding = ['carm-webhook-reader', '--clusterrole', 'carm-webhook-reader', '--group', 'developers'];
      await plane.kubectl(['create', 'clusterrolebinding', ...binding]);
      reader = plane.kubeconfigFor({ user: 'reader' });
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function podsIn(name: string): Promise<readonly StoredPod[]> {
    const { body } = await plane.request<{ items: readonly StoredPod[] }>('GET', `/api/v1/namespaces/${name}/pods`);
    return body.items;
  }

  async function podsOf(name: string): Promise<readonly StoredPod[]> {
    return eventually(`a pod of ${name}`, async () => {
      const pods = (await podsIn('shop')).filter(({ metadata }) => metadata.name.startsWith(`${name}-`));
      return pods.length > 0 ? pods : undefined;
    });
  }

  async function check(kubeconfig = reader) {
    const { code, stdout, stderr } = await runBundle(['check', '-o', 'json', '--default-region=eu-central-1'], {
      env: { KUBECONFIG: kubeconfig },
    });
    // The reader may not ask for the rights of others.
    assert.match(stderr, /^not checked: cannot read the rights of the webhook: [^\n]*\n$/);
    const findings: readonly Finding[] = JSON.parse(stdout).findings;
    // By its pods the tests see that the webhook is called.
    return { code, findings: findings.filter(({ object }) => object.name !== 'install-probe') };
  }

  async function withoutRole(): Promise<readonly Finding[]> {
    return (await check()).findings.filter(({ reason }) => reason === 'PodsWithoutRole');
  }

  const named = (findings: readonly Finding[]) =>
    findings.map(({ object: { kind, namespace: of, name } }) => `${kind} ${of}/${name}`);

  test('exactly those pods are found, by owner', testLimit, async () => {
    const { code, findings } = await check();
    assert.equal(code, 1);
    assert.deepEqual(
      findings.map(({ reason, object: { kind, name } }) => `${reason} ${kind} ${name}`),
      [
        'PodsWithoutRole CronJob nightly',
        'PodsWithoutRole Deployment api',
        'PodsWithoutRole Deployment web',
        'PodsWithoutRole Job load',
        'NamespaceNotLabelled Namespace late',
        'PodsWithoutRole Pod bare',
        'PodsWithoutRole StatefulSet db',
      ],
    );
  });

  test('the command of each, pasted, rolls its pods: they have the role, and are found no more', {
    timeout: 120_000,
  }, async () => {
    for (const { object, fix } of await withoutRole()) {
      if (object.kind === 'CronJob') continue;
      const [, command = ''] = /: (kubectl .*?)(?: \(they may .*\))?$/.exec(fix) ?? [];
      assert.deepEqual(await runPasted(plane, command), { code: 0, stderr: '' }, fix);
      if (object.kind === 'Pod') await apply(pod('shop', object.name));
      // A StatefulSet waits for its pod to be ready first, and no kubelet ever says so here.
      if (object.kind === 'StatefulSet') await plane.kubectl(['delete', 'pod', `${object.name}-0`, '-n', 'shop']);
      const isGone = async () => !named(await withoutRole()).includes(`${object.kind} shop/${object.name}`);
      await eventually(`pods of ${object.kind} ${object.name} have the role`, async () => {
        const pods = (await podsIn('shop')).filter(({ metadata }) => metadata.name.startsWith(object.name));
        const roles = pods.map(
          ({ spec }) => spec.containers[0]?.env?.find(({ name }) => name === 'AWS_ROLE_ARN')?.value,
        );
        return roles.length > 0 && roles.every(each => each === role) && (await isGone()) ? true : undefined;
      });
    }
    assert.deepEqual(named(await withoutRole()), ['CronJob shop/nightly']);
    // Its next run.
    await plane.kubectl(['delete', 'job', 'by-hand', '-n', 'shop']);
    await plane.kubectl(['create', 'job', 'next', '--from=cronjob/nightly', '-n', 'shop']);
    await podsOf('next');
    await eventually('the old run is gone', async () => ((await withoutRole()).length === 0 ? true : undefined));
  });

  test('pods with the role that was mapped before are found again', testLimit, async () => {
    await apply(roleMap({ [`pods.${account}`]: otherRole }));
    const [first, ...more] = await withoutRole();
    assert.match(
      first?.message ?? '',
      /^1 running pod lacks the role that new ones get, \S+role\/old: .* \(it has another role\)$/,
    );
    assert.ok(more.length > 0);
    await apply(roleMap({ [`pods.${account}`]: role }));
    assert.deepEqual(await withoutRole(), []);
  });

  test('why and inject work with the reader too', testLimit, async () => {
    const env = { KUBECONFIG: reader };
    const [first] = await podsOf('web');
    const asked = [
      ['deploy/web'],
      ['statefulset', 'db'],
      ['job', 'load'],
      ['cj', 'nightly'],
      ['pod', first?.metadata.name ?? ''],
    ];
    for (const words of asked) {
      const { code, stdout, stderr } = await runBundle(['why', ...words, '-n', 'shop', '-o', 'json'], { env });
      assert.deepEqual([code, stderr], [0, ''], stderr);
      assert.equal(JSON.parse(stdout).now.roleArn, role);
    }
    const lost = deployment('shop', 'lost', { serviceAccountName: 'nobody' });
    assert.equal((await apply(lost)).stderr, '', 'no warning: the ServiceAccount may follow');
    const told = await runBundle(['why', 'deployment', 'lost', '-n', 'shop'], { env });
    assert.equal(told.code, 1);
    assert.match(told.stdout, /pods of Deployment "lost" in namespace "shop": ServiceAccount "nobody" does not exist/);
    const stdin = JSON.stringify(pod('shop', 'new'));
    const injected = await runBundle(['inject', '-f', '-'], { env, stdin });
    assert.equal(injected.code, 0, injected.stderr);
    assert.match(injected.stdout, new RegExp(`value: ${role}`));
  });

  test('the reader may write nothing, and reads no Secret and no other ConfigMap', testLimit, async () => {
    const can = async (...words: readonly string[]) => {
      const result = await plane.kubectl(['auth', 'can-i', ...words], { kubeconfig: reader, expectCode: 'any' });
      return result.stdout.trim();
    };
    for (const verb of ['create', 'update', 'patch', 'delete', 'bind', 'impersonate']) {
      for (const resource of ['pods', 'namespaces', 'serviceaccounts', `${bucketKind.plural}.${bucketKind.group}`]) {
        assert.equal(await can(verb, resource, '-n', 'shop'), 'no', `${verb} ${resource}`);
      }
    }
    for (const words of [
      ['get', 'secrets'],
      ['list', 'configmaps'],
      ['get', 'configmaps/other'],
      ['get', 'pods', '--subresource=log'],
    ]) {
      assert.equal(await can(...words, '-n', 'shop'), 'no', words.join(' '));
    }
    assert.equal(await can('get', 'configmaps/ack-role-account-map', '-n', 'ack-system'), 'yes');
  });

  test(
    'who has edit in one namespace gets one line that names the way without rights, and that way works',
    testLimit,
    async () => {
      for (const name of ['edit', 'view']) {
        await eventually('the role is filled', async () => {
          const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`;
          const { body } = await plane.request<{ rules: readonly unknown[] | null }>('GET', path);
          return body.rules?.length ? true : undefined;
        });
      }
      await plane.kubectl(['create', 'rolebinding', 'editor', '--clusterrole=edit', '--user=editor', '-n', 'shop']);
      const kubeconfig = plane.kubeconfigFor({ user: 'editor' });
      const stdin = JSON.stringify(pod('shop', 'new'));
      for (const argv of [['inject', '-f', '-'], ['why', 'deploy/web', '-n', 'shop'], ['check']]) {
        const { code, stdout, stderr } = await runBundle(argv, { env: { KUBECONFIG: kubeconfig }, stdin });
        assert.deepEqual([code, stdout], [3, '']);
        assert.match(
          stderr,
          /^carm-webhook: [^\n]*403 Forbidden \(you need the right to (?:get configmaps|list \w+)\)\. Ask your platform team for the ClusterRole carm-webhook-reader, or use kubectl apply --dry-run=server\n$/,
        );
      }
      const foreign = pod('shop', 'new', {
        containers: [
          { name: 'app', image: 'x', env: [{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::999999999999:role/x' }] },
        ],
      });
      const dryRun = await plane.kubectl(['apply', '--dry-run=server', '-f', '-'], {
        kubeconfig,
        input: JSON.stringify(foreign),
        expectCode: 1,
      });
      assert.match(dryRun.stderr, /\(RoleOutsideAccount\)/);
    },
  );

  test(
    'the CronJob of deploy/examples is taken, starts its pod, and has the rights that it needs',
    testLimit,
    async () => {
      const applied = await plane.kubectl(['apply', '-f', exampleFile, '--validate=strict']);
      assert.equal(applied.stderr, '');
      const of = ['--namespace', 'carm-webhook'];
      await plane.kubectl(['create', 'job', 'check-now', '--from=cronjob/carm-webhook-check', ...of]);
      // The namespace takes only pods that meet the standard `restricted`.
      await eventually('its pod is there', async () => {
        const pods = await podsIn('carm-webhook');
        return pods.some(({ metadata }) => metadata.name.startsWith('check-now-')) ? true : undefined;
      });
      const example = await readFile(exampleFile, 'utf8');
      const objects = parseAllDocuments(example).map(document => document.toJS() as Manifest);
      const cron = objects.find(({ kind }) => kind === 'CronJob');
      const [first] = (cron?.spec?.jobTemplate.spec.template.spec.containers ?? []) as { args: string[] }[];
      const token = await plane.tokenFor('carm-webhook', 'carm-webhook-check');
      const env = { KUBECONFIG: plane.kubeconfigFor({ token }), POD_NAMESPACE: 'carm-webhook' };
      const { code, stdout, stderr } = await runBundle(first?.args ?? [], { env });
      assert.deepEqual([code, stderr], [1, ''], stderr);
      assert.match(stdout, /^ERROR +NamespaceNotLabelled +Namespace late$/m);
    },
  );
});
