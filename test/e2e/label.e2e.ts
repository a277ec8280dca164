import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { configFlags, configFrom } from '../../src/cli/flags/config-flags.ts';
import { readFlags } from '../../src/cli/flags/flag.ts';
import { writeLabel } from '../../src/cli/label/write-label.ts';
import { ApiSource } from '../../src/cli/sources/api-source.ts';
import { runBundle } from '../cli/command-runs.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import {
  boundNamespace,
  containerWith,
  deployment,
  injectLabel,
  type Metadata,
  namespace,
  ownerAnnotation,
  pod,
  roleMap,
  type StoredPod,
  serviceAccount,
} from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { assertInjected } from './injected-pod.ts';
import { asList, deployFolder } from './manifests.ts';
import { PageCommands } from './page-commands.ts';
import { carmWebhookProgram } from './program-folder.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const foreign = containerWith({ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::999988887777:role/theirs' });
const testLimit = { timeout: 60_000 };
const exampleFile = join(deployFolder, 'examples', 'label-job.yaml');
const many = Array.from({ length: 12 }, (_, index) => `many-${index}`);
const raced = ['raced-opt-out', 'raced-binding', 'raced-harmless', 'raced-deleted'];

interface StoredNamespace {
  readonly metadata: Metadata & { readonly resourceVersion: string };
}

interface Listed {
  readonly namespace: string;
  readonly result: string;
  readonly reasons: readonly { readonly reason: string; readonly message: string }[];
}

interface Manifest {
  readonly kind: string;
  readonly spec?: { readonly template: { readonly spec: { readonly containers: readonly [{ args: string[] }] } } };
}

describe('label: namespaces that were bound before the installation, by the ServiceAccount of its Job', () => {
  let plane: ControlPlane;
  let webhook: WebhookUnderTest | undefined;
  let args: readonly string[];
  let kubeconfig: string;

  const apply = (...objects: readonly object[]) => plane.kubectl(['apply', '-f', '-'], { input: asList(objects) });
  const teamOnly = namespace('team-alone', { annotations: { 'services.k8s.aws/team-id': 'payments' } });

  before(
    async () => {
      plane = await ControlPlane.start({
        controllerManager: true,
        users: [
          { name: 'reader', groups: ['developers'] },
          { name: 'break-glass', groups: ['system:masters', 'carm-webhook:break-glass'] },
        ],
      });
      const mapped = ['before', 'denied', 'denied-pod', 'late', ...raced];
      await apply(
        namespace('ack-system'),
        roleMap({ [`pods.${account}`]: role }),
        ...mapped.map(name => boundNamespace(name, account)),
        ...many.map(name => boundNamespace(name, account)),
        boundNamespace('unmapped', '444455556666'),
        boundNamespace('opted-out', account, { labels: { [injectLabel]: 'disabled' } }),
        boundNamespace('odd', account, { labels: { [injectLabel]: 'false' } }),
        namespace('plain'),
        teamOnly,
        ...['before', 'denied', 'denied-pod'].map(name => serviceAccount(name, 'app')),
      );
      await plane.kubectl(['annotate', 'namespace', 'kube-public', `${ownerAnnotation}=${account}`]);
      await apply(
        deployment('before', 'web'),
        deployment('denied', 'web', { containers: [foreign] }),
        pod('denied-pod', 'web', { containers: [foreign] }),
      );
      for (const name of ['before', 'denied']) await untilPods(name);
      webhook = await WebhookUnderTest.start(plane);
      await webhook.install();
      const applied = await plane.kubectl(['apply', '-f', exampleFile, '--validate=strict']);
      assert.equal(applied.stderr, '');
      const documents = parseAllDocuments(await readFile(exampleFile, 'utf8'));
      const job = documents.map(document => document.toJS() as Manifest).find(({ kind }) => kind === 'Job');
      args = job?.spec?.template.spec.containers[0].args ?? [];
      kubeconfig = plane.kubeconfigFor({ token: await plane.tokenFor('carm-webhook', 'carm-webhook-label') });
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function untilPods(name: string): Promise<void> {
    await eventually(`a pod in ${name}`, async () => {
      const path = `/api/v1/namespaces/${name}/pods`;
      const { body } = await plane.request<{ items: readonly unknown[] }>('GET', path);
      return body.items.length > 0 ? true : undefined;
    });
  }

  async function stored(name: string): Promise<StoredNamespace['metadata']> {
    return (await plane.request<StoredNamespace>('GET', `/api/v1/namespaces/${name}`)).body.metadata;
  }
  const labelOf = async (name: string) => (await stored(name)).labels?.[injectLabel];

  /** As the Job runs it; by its pods the tests see that the webhook is called, so the probe's namespace is none of these. */
  async function label(flags: readonly string[] = [], as = kubeconfig) {
    const env = { KUBECONFIG: as, POD_NAMESPACE: 'carm-webhook' };
    const { code, stdout, stderr } = await runBundle([...args, '-o', 'json', ...flags], { env });
    const { namespaces } = JSON.parse(stdout) as { readonly namespaces: readonly Listed[] };
    const inShort = namespaces
      .filter(each => !many.includes(each.namespace) && !raced.includes(each.namespace))
      .map(({ namespace: name, result, reasons }) => [name, result, ...reasons.map(each => each.reason)].join(' '));
    return { code, stderr, namespaces, inShort };
  }

  const leftOut = [
    'denied leftOut RoleOutsideAccount',
    'denied-pod leftOut RoleOutsideAccount',
    'odd leftOut InvalidLabel',
    'team-alone leftOut BindingIgnored',
    'unmapped leftOut AccountNotMapped',
  ];

  test('its Job is taken, and starts a pod where only `restricted` ones are', testLimit, async () => {
    await untilPods('carm-webhook');
    assert.ok(args.includes('label'));
  });

  test('a dry run writes nothing', testLimit, async () => {
    const versions = async () =>
      Promise.all(['before', 'late', 'denied'].map(async name => (await stored(name)).resourceVersion));
    const earlier = await versions();
    const { code, stderr, inShort } = await label(['--dry-run']);
    assert.deepEqual([code, stderr], [1, '']);
    assert.deepEqual(inShort.toSorted(), ['before labelled', 'late labelled', ...leftOut].toSorted());
    assert.deepEqual(await versions(), earlier);
  });

  test('without the right to write it stops after ten, says what is missing, and labels none', testLimit, async () => {
    const rules = parseAllDocuments(await readFile(exampleFile, 'utf8'))
      .map(document => document.toJS())
      .find(({ kind }) => kind === 'ClusterRole').rules;
    const reading = rules.map(({ verbs, ...rule }: { verbs: string[] }) => ({
      ...rule,
      verbs: verbs.filter(verb => verb !== 'patch'),
    }));
    const metadata = { name: 'label-dry-run' };
    await apply(
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata, rules: reading },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
      },
    );
    const reader = plane.kubeconfigFor({ user: 'reader' });
    assert.equal((await label(['--dry-run'], reader)).code, 1, 'for a dry run the right to read is enough');
    const { code, stderr, namespaces } = await label([], reader);
    assert.equal(code, 3);
    assert.match(
      stderr,
      /^carm-webhook: cannot label Namespace "[^"]+": [^\n]*403 Forbidden \(you need the right to patch namespaces\); after 10 failures in a row, 8 more were not tried\n$/,
    );
    const notWritten = namespaces.filter(({ reasons }) => reasons.some(({ reason }) => reason === 'NotWritten'));
    assert.equal(notWritten.length, 10);
    assert.equal(await labelOf('before'), undefined);
  });

  test('a namespace that changes between judgement and write is left as it is', testLimit, async () => {
    const { values } = readFlags(configFlags, [], {});
    await using source = new ApiSource({ kubeconfig, context: undefined }, configFrom(values, {}));
    const state = await source.bindings(undefined);
    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      'raced-opt-out': () => plane.kubectl(['label', 'namespace', 'raced-opt-out', `${injectLabel}=disabled`]),
      // A binding that goes takes a label for nothing with it: with the label all pods would be denied.
      'raced-binding': () => plane.kubectl(['annotate', 'namespace', 'raced-binding', `${ownerAnnotation}-`]),
      'raced-harmless': () => plane.kubectl(['annotate', 'namespace', 'plain', 'team=shop']),
      'raced-deleted': () => plane.kubectl(['delete', 'namespace', 'raced-deleted', '--wait=false']),
    };
    const written = await Promise.all(
      raced.map(async name => {
        const judged = state.namespace(name);
        assert.ok(judged);
        let writes = 0;
        const writer = {
          namespaceObject: (of: string) => source.namespaceObject(of),
          patchNamespace: async (of: string, patch: Readonly<Record<string, unknown>>) => {
            if (++writes === 1) await changes[name]?.();
            return source.patchNamespace(of, patch);
          },
        };
        const result = await writeLabel(judged, writer, false);
        return [name, typeof result === 'string' ? result : result.reason, writes];
      }),
    );
    assert.deepEqual(written, [
      ['raced-opt-out', 'NamespaceChanged', 1],
      ['raced-binding', 'NamespaceChanged', 1],
      ['raced-harmless', 'labelled', 1],
      ['raced-deleted', 'gone', 1],
    ]);
    assert.equal(await labelOf('raced-opt-out'), 'disabled');
    assert.equal(await labelOf('raced-binding'), undefined);
    assert.equal(await labelOf('raced-harmless'), 'enabled');
  });

  test('a namespace that changes in what nobody judges is labelled in its newest version', testLimit, async () => {
    const { values } = readFlags(configFlags, [], {});
    await using source = new ApiSource({ kubeconfig, context: undefined }, configFrom(values, {}));
    const judged = (await source.bindings('late')).namespace('late');
    assert.ok(judged);
    let writes = 0;
    const writer = {
      namespaceObject: (of: string) => source.namespaceObject(of),
      patchNamespace: async (of: string, patch: Readonly<Record<string, unknown>>) => {
        writes += 1;
        // Any change that the webhook sees would have it label the namespace.
        const past = { kubeconfig: plane.kubeconfigFor({ user: 'break-glass' }) };
        if (writes < 3) await plane.kubectl(['annotate', '--overwrite', 'namespace', of, `seen=${writes}`], past);
        return source.patchNamespace(of, patch);
      },
    };
    assert.equal(await writeLabel(judged, writer, false), 'labelled');
    assert.equal(await labelOf('late'), 'enabled');
    assert.equal(writes, 3);
  });

  test('it labels those whose workloads stay possible, and lists the others', testLimit, async () => {
    const { code, stderr, inShort, namespaces } = await label();
    assert.deepEqual([code, stderr, inShort], [1, '', ['before labelled', ...leftOut]]);
    const [told] = namespaces.find(each => each.namespace === 'denied')?.reasons ?? [];
    assert.match(told?.message ?? '', /^pods of Deployment "web" in namespace "denied": .*999988887777.* \(1 more\)$/);
    for (const name of many) assert.equal(await labelOf(name), 'enabled', name);
    for (const name of ['denied', 'denied-pod', 'team-alone', 'unmapped', 'plain', 'kube-public', 'kube-system']) {
      assert.equal(await labelOf(name), undefined, name);
    }
    assert.deepEqual(await Promise.all(['opted-out', 'odd'].map(labelOf)), ['disabled', 'false']);
  });

  test(
    'pods of a labelled namespace get the role, and none of those that were left out is denied',
    testLimit,
    async () => {
      const created = await eventually('the API server sends them to the webhook', async () => {
        const { body } = await plane.request<StoredPod>(
          'POST',
          '/api/v1/namespaces/before/pods?dryRun=All',
          pod('before', 'new'),
        );
        return body.metadata.annotations === undefined ? undefined : body;
      });
      assertInjected(created, role);
      for (const name of ['denied', 'denied-pod']) {
        const again = pod(name, 'again', { containers: [foreign] });
        const { status } = await plane.request('POST', `/api/v1/namespaces/${name}/pods?dryRun=All`, again);
        assert.equal(status, 201, name);
      }
    },
  );

  test('run again it changes nothing, and has what was put right since', testLimit, async () => {
    const { resourceVersion } = await stored('before');
    assert.deepEqual((await label()).inShort, leftOut);
    assert.equal((await stored('before')).resourceVersion, resourceVersion);
    await plane.kubectl(['delete', 'pod', 'web', '-n', 'denied-pod', '--grace-period=0', '--force']);
    const { inShort } = await label();
    assert.equal(inShort[1], 'denied-pod labelled');
    assert.equal(await labelOf('denied-pod'), 'enabled');
  });

  test('with the gate, a team id binds: its namespace is labelled once the team has a role', testLimit, async () => {
    const gate = ['--feature-gates=TeamLevelCARM=true'];
    assert.ok((await label([...gate, '--dry-run'])).inShort.includes('team-alone leftOut TeamMapMissing'));
    await apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ack-role-team-map', namespace: 'ack-system' },
      data: { 'pods.payments': role },
    });
    assert.ok((await label([...gate, '--dry-run'])).inShort.includes('team-alone labelled'));
  });

  test('while the webhook is down it labels nothing, says so, and a later run does it', testLimit, async () => {
    await plane.kubectl(['delete', 'deployment', 'web', '-n', 'denied']);
    await eventually('its pods are gone', async () => {
      const { inShort } = await label(['--dry-run']);
      return inShort.includes('denied labelled') ? true : undefined;
    });
    await webhook?.stopProcess();
    const { code, inShort } = await label();
    assert.equal(code, 3);
    assert.ok(inShort.includes('denied leftOut NotWritten'), inShort.join('\n'));
    await webhook?.startProcess();
    await webhook?.install();
    assert.ok((await label()).inShort.includes('denied labelled'));
  });

  test('roll-out.md: in mode audit no workload keeps its namespace out', testLimit, async () => {
    const cwd = plane.logFolder;
    const page = new PageCommands('roll-out.md', { plane, cwd, programs: [carmWebhookProgram(cwd)] });
    // The first command leaves the mode away, the second does not.
    const said = await page.run('1. Audit');
    assert.match(said, /^unmapped +left out +AccountNotMapped$[\s\S]*^unmapped +labelled$/m);
    assert.equal(await labelOf('unmapped'), 'enabled');
    assert.match(await page.run('4. Enforce'), /^odd +left out +InvalidLabel$/m);
    assert.deepEqual(page.notRun, []);
  });
});
