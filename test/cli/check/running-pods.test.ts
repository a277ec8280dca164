import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { parseAllDocuments, stringify } from 'yaml';
import type { Finding } from '../../../src/cli/check/finding.ts';
import { mostOwners } from '../../../src/cli/check/running-pods.ts';
import { runCommand } from '../command-runs.ts';
import { notInstalled, startTinyApiServer, type TinyObject } from '../tiny-api-server.ts';

const role = 'arn:aws:iam::111122223333:role/workloads';
const old = 'arn:aws:iam::111122223333:role/old';
const enabled = { 'carm-webhook.dev/inject': 'enabled' };
const account = { 'services.k8s.aws/owner-account-id': '111122223333' };

function object(apiVersion: string, kind: string, name: string, more: object = {}, metadata: object = {}): TinyObject {
  return { apiVersion, kind, metadata: { name, namespace: 'shop', ...metadata }, ...more };
}

const namespace = (name: string, labels: object, annotations: object = account) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels, annotations },
});

const cluster: readonly TinyObject[] = [
  object(
    'v1',
    'ConfigMap',
    'ack-role-account-map',
    { data: { 'pods.111122223333': role } },
    { namespace: 'ack-system' },
  ),
  namespace('shop', enabled),
  namespace('not-labelled', {}),
  namespace('opted-out', { 'carm-webhook.dev/inject': 'disabled' }),
  namespace('plain', {}, {}),
  namespace('kube-system', enabled),
  object('v1', 'ServiceAccount', 'default'),
];

const ownedBy = (kind: string, name: string, apiVersion = 'apps/v1') => ({
  ownerReferences: [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'o' },
    { apiVersion, kind, name, uid: 'u', controller: true },
  ],
});

const plainSpec = { containers: [{ name: 'app', image: 'x' }] };

function pod(name: string, metadata: object = {}, spec: object = plainSpec, status: object = { phase: 'Running' }) {
  return object('v1', 'Pod', name, { spec, status }, metadata);
}

async function folderOf(t: TestContext, objects: readonly object[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-pods-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'state.yaml'), objects.map(each => `---\n${stringify(each)}`).join(''));
  return folder;
}

async function check(...flags: readonly string[]) {
  const { code, stdout, stderr } = await runCommand(['check', '-o', 'json', ...flags]);
  const findings: readonly Finding[] = code === 2 || code === 3 ? [] : JSON.parse(stdout).findings;
  return {
    code,
    stderr: stderr.replace(notInstalled, ''),
    findings: findings.filter(({ reason }) => reason === 'PodsWithoutRole'),
  };
}

const inShort = ({ object: { kind, namespace, name }, message, fix }: Finding) =>
  `${kind} ${namespace}/${name}: ${message}. ${fix}`;

/** A pod as the webhook would have made it of the role. */
async function injected(t: TestContext, plain: object, roleArn = role): Promise<object> {
  const state = await folderOf(t, cluster);
  const { stdout } = await runCommand(['inject', '-f', '-', '--state', state], { stdin: stringify(plain) });
  return parseAllDocuments(stdout.replaceAll(role, roleArn)).map(document => document.toJS())[0];
}

describe('check finds the running pods without the role that they would get today', () => {
  const restart = (what: string) => `Restart it: kubectl rollout restart ${what} --namespace shop`;
  const lack = (count: number, names: string) =>
    `${count} running pod${count === 1 ? ' lacks' : 's lack'} the role that new ones get, ${role}: ${names}`;
  const replicaSet = (name: string, owner: object) =>
    object('apps/v1', 'ReplicaSet', name, { spec: { template: { spec: plainSpec } } }, owner);

  const owners: readonly [what: string, objects: readonly object[], said: readonly string[]][] = [
    [
      'a Deployment, by all of its ReplicaSets',
      [
        replicaSet('web-1', ownedBy('Deployment', 'web')),
        replicaSet('web-2', ownedBy('Deployment', 'web')),
        pod('web-1-a', ownedBy('ReplicaSet', 'web-1')),
        pod('web-2-a', ownedBy('ReplicaSet', 'web-2')),
      ],
      [`Deployment shop/web: ${lack(2, '"web-1-a", "web-2-a"')}. ${restart('deployment/web')}`],
    ],
    [
      'a StatefulSet and a DaemonSet',
      [pod('db-0', ownedBy('StatefulSet', 'db')), pod('agent-x', ownedBy('DaemonSet', 'agent'))],
      [
        `DaemonSet shop/agent: ${lack(1, '"agent-x"')}. ${restart('daemonset/agent')}`,
        `StatefulSet shop/db: ${lack(1, '"db-0"')}. ${restart('statefulset/db')}`,
      ],
    ],
    [
      'a Job',
      [object('batch/v1', 'Job', 'load'), pod('load-x', ownedBy('Job', 'load', 'batch/v1'))],
      [
        `Job shop/load: ${lack(1, '"load-x"')}. Let it finish, or have it start new pods: kubectl delete pods --selector batch.kubernetes.io/job-name=load --namespace shop (they may count as failures of the Job)`,
      ],
    ],
    [
      'a CronJob',
      [
        object('batch/v1', 'Job', 'nightly-1', {}, ownedBy('CronJob', 'nightly', 'batch/v1')),
        pod('nightly-1-x', ownedBy('Job', 'nightly-1', 'batch/v1')),
      ],
      [
        `CronJob shop/nightly: ${lack(1, '"nightly-1-x"')}. Its next run gets the role. Nothing else to do, unless this one must have it.`,
      ],
    ],
    [
      'a pod that nothing controls',
      [pod('bare')],
      [
        `Pod shop/bare: it lacks the role that a new one gets, ${role}. Nothing replaces it. Delete it, and create it again from its manifest: kubectl delete pod bare --namespace shop`,
      ],
    ],
    [
      'an owner of another project, and a ReplicaSet that is gone',
      [
        replicaSet('canary-1', ownedBy('Rollout', 'canary', 'argoproj.io/v1alpha1')),
        pod('canary-1-a', ownedBy('ReplicaSet', 'canary-1')),
        pod('gone-1-a', ownedBy('ReplicaSet', 'gone-1')),
      ],
      [
        `ReplicaSet shop/gone-1: ${lack(1, '"gone-1-a"')}. Delete its pods, if what controls them creates new ones: kubectl delete pod gone-1-a --namespace shop`,
        `Rollout shop/canary: ${lack(1, '"canary-1-a"')}. Delete its pods, if what controls them creates new ones: kubectl delete pod canary-1-a --namespace shop`,
      ],
    ],
    [
      'many pods, of which five are named',
      Array.from({ length: 7 }, (_, index) => pod(`db-${index}`, ownedBy('StatefulSet', 'db'))),
      [
        `StatefulSet shop/db: ${lack(7, '"db-0", "db-1", "db-2", "db-3", "db-4" and 2 more')}. ${restart('statefulset/db')}`,
      ],
    ],
    [
      'an owner whose name or kind is none is not printed',
      [pod('a', ownedBy('\u001b[2J', 'x')), pod('b', ownedBy('StatefulSet', 'x; rm -rf /'))],
      ['a', 'b'].map(
        name =>
          `Pod shop/${name}: it lacks the role that a new one gets, ${role}. Nothing replaces it. Delete it, and create it again from its manifest: kubectl delete pod ${name} --namespace shop`,
      ),
    ],
  ];
  for (const [what, objects, said] of owners) {
    test(`by owner: ${what}`, async t => {
      const { code, stderr, findings } = await check('--state', await folderOf(t, [...cluster, ...objects]));
      assert.deepEqual([code, stderr], [1, '']);
      assert.deepEqual(findings.map(inShort), said);
      assert.ok(findings.every(({ severity }) => severity === 'error'));
    });
  }

  test('one that has the role is none, one that has an older one is', async t => {
    const [now, before] = [await injected(t, pod('now')), await injected(t, pod('before'), old)];
    const { findings } = await check('--state', await folderOf(t, [...cluster, now, before]));
    assert.deepEqual(
      findings.map(({ object: { name }, message }) => [name, message]),
      [['before', `it lacks the role that a new one gets, ${role} (it has another role)`]],
    );
    const set = await Promise.all(
      ['a', 'b'].map(name => injected(t, pod(name, ownedBy('StatefulSet', 'db')), name === 'a' ? old : role)),
    );
    const { findings: mixed } = await check(
      '--state',
      await folderOf(t, [...cluster, ...set, pod('c', ownedBy('StatefulSet', 'db'))]),
    );
    assert.match(mixed[0]?.message ?? '', /^2 running pods lack .*: "a", "c" \(1 of them has another role\)$/);
  });

  test('a role without a token file is half of it', async t => {
    const env = [{ name: 'AWS_ROLE_ARN', value: role }];
    const half = pod('half', {}, { containers: [{ name: 'app', image: 'x', env }] });
    const { findings } = await check('--state', await folderOf(t, [...cluster, half]));
    assert.deepEqual(
      findings.map(({ object: { name } }) => name),
      ['half'],
    );
  });

  const own = { containers: [{ name: 'app', env: [{ name: 'AWS_ROLE_ARN', value: old }] }] };
  const tokenFile = {
    name: 'AWS_WEB_IDENTITY_TOKEN_FILE',
    value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
  };
  const silent: Readonly<Record<string, object>> = {
    'one that has ended well': pod('a', {}, plainSpec, { phase: 'Succeeded' }),
    'one that has failed': pod('a', {}, plainSpec, { phase: 'Failed' }),
    'one that is being deleted': pod('a', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    'a mirror pod': pod('a', { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    'one that opted out': pod('a', { labels: { 'carm-webhook.dev/inject': 'disabled' } }),
    "one that opted out of EKS's": pod('a', { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } }),
    'one whose containers are skipped': pod('a', { annotations: { 'eks.amazonaws.com/skip-containers': 'app' } }),
    'one served by EKS Pod Identity': pod(
      'a',
      {},
      {
        containers: [
          { name: 'app', env: [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23' }] },
        ],
      },
    ),
    'one with a role and token of its own': pod(
      'a',
      {},
      {
        containers: [{ name: 'app', env: [...own.containers.flatMap(({ env }) => env), tokenFile] }],
      },
    ),
    'one that would be denied today': pod('a', {}, { ...plainSpec, serviceAccountName: 'none' }),
    'one of a namespace that is bound and not labelled, a finding of its own': pod('a', { namespace: 'not-labelled' }),
    'one of a namespace that opted out': pod('a', { namespace: 'opted-out' }),
    'one of a namespace that is not managed': pod('a', { namespace: 'plain' }),
    'one of kube-system': pod('a', { namespace: 'kube-system' }),
    'one of a namespace that is not known': pod('a', { namespace: 'nowhere' }),
  };
  for (const [what, one] of Object.entries(silent)) {
    test(`not found: ${what}`, async t => {
      const { stderr, findings } = await check('--state', await folderOf(t, [...cluster, one]));
      assert.deepEqual([stderr, findings], ['', []]);
    });
  }

  test('an ephemeral container is not held against a pod', async t => {
    const debugged = (await injected(t, pod('debugged'))) as { spec: object };
    const spec = { ...debugged.spec, ephemeralContainers: [{ name: 'debugger', image: 'x' }] };
    assert.deepEqual((await check('--state', await folderOf(t, [...cluster, { ...debugged, spec }]))).findings, []);
  });

  test('a pod that cannot be read is counted, and hides no other', async t => {
    const odd = pod('odd', {}, { containers: [{ name: 'app', env: 'x' }] });
    const { stderr, findings } = await check('--state', await folderOf(t, [...cluster, odd, pod('bare')]));
    assert.equal(findings.length, 1);
    assert.equal(stderr, 'not checked: pods with a field of the wrong type: 1\n');
  });

  test('so many owners are kept, and the rest is counted', async t => {
    const pods = Array.from({ length: mostOwners + 3 }, (_, index) => pod(`bare-${index}`));
    const { stderr, findings } = await check('--state', await folderOf(t, [...cluster, ...pods]));
    assert.equal(findings.length, mostOwners);
    assert.equal(stderr, `not listed: pods without their role, of owners after the first ${mostOwners}: 3\n`);
  });
});

test('keys of pods that are ignored are told once an owner, with where to put them right', async t => {
  const annotations = { 'eks.amazonaws.com/role-arn': role };
  const labels = { 'carm-webhook.dev/injct': 'disabled', 'eks.amazonaws.com/fargate-profile': 'x' };
  const odd = pod('web-1', { annotations, labels, ...ownedBy('ReplicaSet', 'web-7d4b9') });
  const state = await folderOf(t, [
    ...cluster,
    object('apps/v1', 'ReplicaSet', 'web-7d4b9', {}, ownedBy('Deployment', 'web')),
    odd,
    { ...odd, metadata: { ...odd.metadata, name: 'web-2' } },
    pod('alone', { annotations }),
    { ...pod('unseen', { annotations }), metadata: { name: 'unseen', namespace: 'plain', annotations } },
  ]);
  const { stdout } = await runCommand(['check', '-o', 'json', '--state', state]);
  const findings: readonly Finding[] = JSON.parse(stdout).findings;
  const onPods = findings.filter(({ reason }) => reason === 'MisplacedKey' || reason === 'MisspelledKey');
  const meant = 'eks.amazonaws.com/role-arn on the ServiceAccount';
  const misplaced = `annotation "eks.amazonaws.com/role-arn" on the pod is ignored. Did you mean ${meant}?`;
  const misspelled = 'label "carm-webhook.dev/injct" on the pod is ignored. Did you mean carm-webhook.dev/inject?';
  const edit = 'in the pod template: kubectl edit Deployment.apps web --namespace shop';
  const remove = 'kubectl annotate pod alone --namespace shop eks.amazonaws.com/role-arn-';
  assert.deepEqual(onPods.map(inShort).sort(), [
    `Deployment shop/web: ${misplaced}. Set ${meant} instead, and remove this one, ${edit}`,
    `Deployment shop/web: ${misspelled}. Set carm-webhook.dev/inject instead, and remove this one, ${edit}`,
    `Pod shop/alone: ${misplaced}. Set ${meant} instead, and remove this one: ${remove}`,
  ]);
});

describe('by a cluster', () => {
  const replicaSet = object('apps/v1', 'ReplicaSet', 'web-1', {}, ownedBy('Deployment', 'web'));
  const objects = [
    ...cluster,
    replicaSet,
    ...['a', 'b', 'c'].map(name => pod(`web-1-${name}`, ownedBy('ReplicaSet', 'web-1'))),
  ];
  const running = '/api/v1/pods?fieldSelector=status.phase!%3DSucceeded%2Cstatus.phase!%3DFailed';
  const owner = '/apis/apps/v1/namespaces/shop/replicasets/web-1';

  test('pods are listed page by page, and each owner is read once', async t => {
    const api = await startTinyApiServer(t, objects);
    const { stderr, findings } = await check('--kubeconfig', api.kubeconfig);
    assert.equal(stderr, '');
    assert.deepEqual(
      findings.map(({ object: { kind, name }, message }) => [kind, name, message.slice(0, 14)]),
      [['Deployment', 'web', '3 running pods']],
    );
    const asked = api.requests.filter(path => path.includes('/pods') || path.includes('/replicasets'));
    assert.deepEqual(asked, [`${running}&limit=500`, `${running}&limit=500&continue=2`, owner]);
  });

  test('who may not list pods is told so, and all else is checked', async t => {
    const api = await startTinyApiServer(t, objects);
    api.forbidden.add('/api/v1/pods');
    const { code, stderr, findings } = await check('--kubeconfig', api.kubeconfig);
    assert.deepEqual([code, findings], [1, []]);
    assert.match(
      stderr,
      /^not checked: cannot read the pods: .*403 Forbidden \(you need the right to list pods\).*\n$/,
    );
  });

  test('who may not get owners is told so, and sees what controls the pods', async t => {
    const api = await startTinyApiServer(t, objects);
    api.forbidden.add(owner);
    const { stderr, findings } = await check('--kubeconfig', api.kubeconfig);
    assert.match(
      stderr,
      /^not checked: cannot read ReplicaSet "shop\/web-1": .*\(you need the right to get replicasets\).*\n$/,
    );
    assert.deepEqual(
      findings.map(({ object: { kind, name } }) => [kind, name]),
      [['ReplicaSet', 'web-1']],
    );
  });
});
