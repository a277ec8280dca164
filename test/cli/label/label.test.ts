import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import { mostListed } from '../../../src/cli/label/render-labels.ts';
import { runCommand } from '../command-runs.ts';
import { startTinyApiServer } from '../tiny-api-server.ts';

const account = '111122223333';
const owner = 'services.k8s.aws/owner-account-id';
const teamId = 'services.k8s.aws/team-id';
const inject = 'carm-webhook.dev/inject';
const role = `arn:aws:iam::${account}:role/workloads`;
const foreign = 'arn:aws:iam::999988887777:role/theirs';
const teamGate = '--feature-gates=TeamLevelCARM=true';

const namespace = (name: string, annotations: object = { [owner]: account }, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, annotations, labels },
});
const map = (name: string, data: object) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ack-system' },
  data,
});
const maps = [
  map('ack-role-account-map', { [`pods.${account}`]: role }),
  map('ack-role-team-map', { 'pods.payments': role }),
];

const spec = (roleArn?: string, more: object = {}) => ({
  containers: [{ name: 'app', ...(roleArn && { env: [{ name: 'AWS_ROLE_ARN', value: roleArn }] }) }],
  ...more,
});
const object = (apiVersion: string, kind: string, name: string, fields: object, metadata: object = {}) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'shop', ...metadata },
  ...fields,
});
const pod = (name: string, podSpec: object, metadata: object = {}) =>
  object('v1', 'Pod', name, { spec: podSpec, status: { phase: 'Running' } }, metadata);
const workload = (kind: string, podSpec: object, metadata: object = {}, apiVersion = 'apps/v1') =>
  object(apiVersion, kind, 'web', { spec: { template: { spec: podSpec } } }, metadata);
const controlledBy = (apiVersion: string, kind: string) => ({
  ownerReferences: [{ apiVersion, kind, name: 'web', uid: 'u', controller: true }],
});

interface Listed {
  readonly namespace: string;
  readonly result: string;
  readonly reasons: readonly { readonly reason: string; readonly message: string }[];
}

async function folderOf(t: TestContext, objects: readonly object[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-label-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'state.yaml'), objects.map(each => `---\n${stringify(each)}`).join(''));
  return folder;
}

async function wouldBe(t: TestContext, objects: readonly object[], ...flags: readonly string[]) {
  const state = await folderOf(t, [...maps, ...objects]);
  const { code, stdout, stderr } = await runCommand(['label', '--dry-run', '-o', 'json', '--state', state, ...flags]);
  assert.equal(stderr, '');
  const { namespaces, ...rest } = JSON.parse(stdout) as { readonly namespaces: readonly Listed[] };
  const inShort = namespaces.map(({ namespace, result, reasons }) =>
    [namespace, result, ...reasons.map(({ reason }) => reason)].join(' '),
  );
  return { code, inShort, namespaces, rest };
}

describe('label: which namespaces', () => {
  const all = [
    namespace('bound'),
    namespace('labelled', undefined, { [inject]: 'enabled' }),
    namespace('opted-out', undefined, { [inject]: 'disabled' }),
    namespace('odd', undefined, { [inject]: 'false' }),
    namespace('plain', {}),
    namespace('empty', { [owner]: '' }),
    namespace('plain-odd', {}, { [inject]: 'false' }),
    namespace('team', { [teamId]: 'payments' }),
    namespace('team-and-account', { [teamId]: 'payments', [owner]: account }),
    namespace('unmapped', { [owner]: '444455556666' }),
    namespace('invalid', { [owner]: 'shop' }),
    ...['kube-system', 'kube-public', 'kube-node-lease', 'carm-webhook'].map(name => namespace(name)),
  ];

  test('those that are bound and say nothing; of others only those that should be looked at are listed', async t => {
    const { code, inShort, rest } = await wouldBe(t, all);
    assert.equal(code, 1);
    assert.deepEqual(inShort, [
      'bound labelled',
      'invalid leftOut InvalidAccountId',
      'odd leftOut InvalidLabel',
      'team leftOut BindingIgnored',
      'team-and-account labelled',
      'unmapped leftOut AccountNotMapped',
    ]);
    const notListed = { labelled: 0, leftOut: 0 };
    assert.deepEqual(rest, { dryRun: true, notListed, labelledBefore: 1, optedOut: 1 });
  });

  test('with TeamLevelCARM a team id binds', async t => {
    const { code, inShort } = await wouldBe(t, [namespace('team', { [teamId]: 'payments' })], teamGate);
    assert.deepEqual([code, inShort], [0, ['team labelled']]);
  });

  test('with --default-mode=audit no binding denies a pod, so it keeps no namespace out', async t => {
    const { inShort } = await wouldBe(t, all, '--default-mode=audit');
    assert.deepEqual(inShort, [
      'bound labelled',
      'invalid labelled',
      'odd leftOut InvalidLabel',
      'team leftOut BindingIgnored',
      'team-and-account labelled',
      'unmapped labelled',
    ]);
  });

  test('without anything to do it says so', async t => {
    const state = await folderOf(t, [...maps, namespace('labelled', undefined, { [inject]: 'enabled' })]);
    const { code, stdout } = await runCommand(['label', '--dry-run', '--state', state]);
    const sum = '0 would be labelled, 0 left out; before: 1 labelled, 0 opted out';
    assert.deepEqual([code, stdout], [0, `nothing to label\n\n${sum}\n`]);
  });

  test('the table has the reasons under each namespace, and says what becomes of those that are left out', async t => {
    const state = await folderOf(t, [...maps, ...all]);
    const { code, stdout } = await runCommand(['label', '--dry-run', '--state', state]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^NAMESPACE +RESULT +REASON\nbound +would be labelled\ninvalid +left out +InvalidAccountId\n {4}any pod in namespace "invalid": /,
    );
    assert.match(
      stdout,
      /\n2 would be labelled, 4 left out; before: 1 labelled, 1 opted out\nA namespace that is bound gets the label at its next change/,
    );
  });

  test('--allow-left-out ends with 0 all the same', async t => {
    const { code, inShort } = await wouldBe(t, all, '--allow-left-out');
    assert.deepEqual([code, inShort.length], [0, 6]);
  });

  test('a folder cannot be labelled', async t => {
    const state = await folderOf(t, maps);
    const { code, stderr } = await runCommand(['label', '--state', state]);
    assert.equal(code, 2);
    assert.equal(stderr, 'carm-webhook: --state needs --dry-run: a folder cannot be labelled\n');
  });

  test(`of each result ${mostListed} are listed, and the others counted`, async t => {
    const many = Array.from({ length: mostListed + 2 }, (_, index) => [
      namespace(`good-${index}`),
      namespace(`team-${index}`, { [teamId]: 'payments' }),
    ]).flat();
    const state = await folderOf(t, [...maps, ...many]);
    const { stdout } = await runCommand(['label', '--dry-run', '-o', 'json', '--state', state]);
    const { namespaces, notListed } = JSON.parse(stdout);
    assert.deepEqual([namespaces.length, notListed], [2 * mostListed, { labelled: 2, leftOut: 2 }]);
    const table = await runCommand(['label', '--dry-run', '--state', state]);
    assert.match(table.stdout, /^and 4 more, not listed\n\n1002 would be labelled, 1002 left out/m);
  });
});

describe('label: which workloads keep their namespace out', () => {
  const denied: readonly [what: string, objects: readonly object[], message: RegExp][] = [
    ['a pod', [pod('web', spec(foreign))], /^Pod "web" in namespace "shop": .*theirs/],
    [
      'a pod of an owner that nobody knows',
      [pod('web', spec(foreign), controlledBy('example.com/v1', 'Web'))],
      /^Pod "web"/,
    ],
    ...['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet']
      .map(
        kind =>
          [
            `a ${kind}`,
            [workload(kind, spec(foreign))],
            new RegExp(`^pods of ${kind} "web" in namespace "shop": `),
          ] as const,
      )
      .map(([what, objects, message]): [string, readonly object[], RegExp] => [what, objects, message]),
    ['a Job', [workload('Job', spec(foreign), {}, 'batch/v1')], /^pods of Job "web"/],
    ['a ReplicationController', [workload('ReplicationController', spec(foreign), {}, 'v1')], /^pods of Repl/],
    [
      'a CronJob',
      [
        object('batch/v1', 'CronJob', 'web', {
          spec: { jobTemplate: { spec: { template: { spec: spec(foreign) } } } },
        }),
      ],
      /^pods of CronJob "web"/,
    ],
    [
      'a Deployment before its ReplicaSet and its pod, which are counted',
      [
        workload('Deployment', spec(foreign)),
        workload('ReplicaSet', spec(foreign), controlledBy('apps/v1', 'Deployment')),
        pod('web-x', spec(foreign), controlledBy('apps/v1', 'ReplicaSet')),
      ],
      /^pods of Deployment "web" .* \(1 more\)$/,
    ],
    [
      'a Deployment without replicas: they may come back',
      [object('apps/v1', 'Deployment', 'web', { spec: { replicas: 0, template: { spec: spec(foreign) } } })],
      /^pods of Deployment "web"/,
    ],
    ['a pod that cannot be read', [pod('web', { containers: 7 })], /^"web": /],
  ];
  for (const [what, objects, message] of denied) {
    test(`${what} that would be denied`, async t => {
      const { code, namespaces } = await wouldBe(t, [namespace('shop'), ...objects]);
      assert.equal(code, 1);
      assert.deepEqual([namespaces.length, namespaces[0]?.result], [1, 'leftOut']);
      const [first, ...more] = namespaces[0]?.reasons ?? [];
      assert.deepEqual(more, []);
      assert.match(first?.message ?? '', message);
    });
  }

  const harmless: readonly [what: string, objects: readonly object[]][] = [
    ['pods and workloads that would be injected', [pod('web', spec()), workload('Deployment', spec(role))]],
    ['a pod that opted out', [pod('web', spec(), { labels: { [inject]: 'disabled' } })]],
    ['a pod that is being deleted', [pod('web', spec(foreign), { deletionTimestamp: '2026-01-01T00:00:00Z' })]],
    ['a mirror pod', [pod('web', spec(foreign), { annotations: { 'kubernetes.io/config.mirror': 'x' } })]],
    [
      'a Job that has ended',
      [
        object('batch/v1', 'Job', 'web', {
          spec: { template: { spec: spec(foreign) } },
          status: { conditions: [{ type: 'Complete', status: 'True' }] },
        }),
      ],
    ],
    [
      'a workload whose ServiceAccount does not exist: its pods are denied without the label too',
      [workload('Deployment', spec(undefined, { serviceAccountName: 'nobody' }))],
    ],
    ['a PodTemplate', [object('v1', 'PodTemplate', 'web', { template: { spec: spec(foreign) } })]],
    ['pods of another namespace', [namespace('plain', {}), pod('web', spec(foreign), { namespace: 'plain' })]],
  ];
  for (const [what, objects] of harmless) {
    test(`not: ${what}`, async t => {
      const { code, inShort } = await wouldBe(t, [namespace('shop'), ...objects]);
      assert.deepEqual([code, inShort], [0, ['shop labelled']]);
    });
  }

  test('not: those whose denial the mode of the namespace, or the default, makes a warning', async t => {
    const objects = [pod('web', spec(foreign)), workload('Deployment', spec(foreign))];
    const warn = namespace('shop', undefined, { 'carm-webhook.dev/mode': 'warn' });
    assert.deepEqual((await wouldBe(t, [warn, ...objects])).inShort, ['shop labelled']);
    const byDefault = await wouldBe(t, [namespace('shop'), ...objects], '--default-mode=audit');
    assert.deepEqual(byDefault.inShort, ['shop labelled']);
  });

  test('each reason is told once', async t => {
    const conflict = {
      containers: [
        {
          name: 'app',
          volumeMounts: [{ name: 'own', mountPath: '/var/run/secrets/eks.amazonaws.com/serviceaccount' }],
        },
      ],
      volumes: [{ name: 'own', emptyDir: {} }],
    };
    const { namespaces } = await wouldBe(t, [
      namespace('shop'),
      pod('a', spec(foreign)),
      pod('b', conflict),
      pod('c', spec(foreign)),
    ]);
    assert.deepEqual(
      namespaces[0]?.reasons.map(({ reason }) => reason),
      ['RoleOutsideAccount', 'VolumeConflict'],
    );
  });
});

describe('label: what it asks of the API server', () => {
  test('what cannot be listed might be denied: nothing is labelled', async t => {
    const api = await startTinyApiServer(t, [...maps, namespace('shop')]);
    api.forbidden.add('/apis/apps/v1/statefulsets');
    const { code, stdout, stderr } = await runCommand(['label', '--kubeconfig', api.kubeconfig]);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /cannot read the statefulsets: .*\(you need the right to list statefulsets\)/);
    assert.ok(!api.requests.includes('/api/v1/namespaces/shop?fieldManager=carm-webhook'));
  });

  test('where nothing is to be labelled, it lists neither pods nor workloads', async t => {
    const api = await startTinyApiServer(t, [...maps, namespace('plain', {})]);
    const { code } = await runCommand(['label', '--kubeconfig', api.kubeconfig]);
    assert.equal(code, 0);
    assert.ok(!api.requests.some(path => path.includes('pods') || path.startsWith('/apis')), api.requests.join(' '));
  });
});
