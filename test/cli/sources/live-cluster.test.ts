import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { runCommand } from '../command-runs.ts';
import { notInstalled, startTinyApiServer, type TinyObject } from '../tiny-api-server.ts';

const role = 'arn:aws:iam::111122223333:role/workloads';
const ackRole = 'arn:aws:iam::111122223333:role/ack';
const account = { 'services.k8s.aws/owner-account-id': '111122223333' };
const objects: readonly TinyObject[] = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ack-role-account-map', namespace: 'ack-system' },
    data: { 'pods.111122223333': role, bad: role },
  },
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team-a', annotations: account, labels: { 'carm-webhook.dev/inject': 'enabled' } },
  },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'plain' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'late', annotations: account } },
  ...['default', 'web', 'slip'].map(name => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace: 'team-a', annotations: name === 'slip' ? { 'eks.amazon.com/role-arn': 'x' } : {} },
  })),
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-0', namespace: 'team-a' },
    spec: { containers: [{ name: 'a' }] },
  },
];

const pod = (name: string, serviceAccountName: string) =>
  `---\n${stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'team-a' }, spec: { serviceAccountName, containers: [{ name: 'a' }] } })}`;

describe('by live reads of the cluster of a kubeconfig', () => {
  test('inject reads only what it needs, each object once', async t => {
    const api = await startTinyApiServer(t, objects);
    const stdin = pod('a', 'web') + pod('b', 'web') + pod('c', 'not-there');
    const { code, stdout } = await runCommand(['inject', '-f', '-', '--kubeconfig', api.kubeconfig], { stdin });
    assert.equal(code, 0);
    assert.equal(stdout.match(new RegExp(`value: ${role}`, 'g'))?.length, 3);
    assert.deepEqual(api.requests.toSorted(), [
      '/api/v1/namespaces/ack-system/configmaps/ack-role-account-map',
      '/api/v1/namespaces/team-a',
      '/api/v1/namespaces/team-a/serviceaccounts/not-there',
      '/api/v1/namespaces/team-a/serviceaccounts/web',
    ]);
  });

  test('inject asks nothing for an input that holds all it needs, and needs no kubeconfig then', async t => {
    const api = await startTinyApiServer(t, objects);
    const sound = { ...objects[0], data: { 'pods.111122223333': role } };
    const stdin = [sound, ...objects.slice(1, 2)].map(object => `---\n${stringify(object)}`).join('');
    const service = '---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n';
    const { code } = await runCommand(['inject', '-f', '-', '--kubeconfig', api.kubeconfig], {
      stdin: stdin + service,
    });
    assert.deepEqual([code, api.requests], [0, []]);
    const whole = stdin + pod('a', 'default');
    const none = await runCommand(['inject', '-f', '-', '--kubeconfig', '/nonexistent/kubeconfig'], { stdin: whole });
    assert.equal(none.code, 0, none.stderr);
    assert.match(none.stdout, new RegExp(`value: ${role}`));
  });

  test('check lists namespaces and ServiceAccounts page by page, and gets the maps', async t => {
    const api = await startTinyApiServer(t, objects);
    const { code, stdout } = await runCommand([
      'check',
      '--kubeconfig',
      api.kubeconfig,
      '-o',
      'json',
      '--default-region=eu-central-1',
    ]);
    assert.equal(code, 1);
    const findings: { reason: string; object: { name: string } }[] = JSON.parse(stdout).findings;
    assert.deepEqual(
      findings.map(({ reason, object }) => `${reason} ${object.name}`),
      [
        'InvalidAccountId ack-role-account-map',
        'NamespaceNotLabelled late',
        'PodsWithoutRole web-0',
        'MisspelledKey slip',
      ],
    );
    assert.deepEqual(api.requests.toSorted(), [
      '/api/v1/namespaces/ack-system/configmaps/ack-role-account-map',
      '/api/v1/namespaces/ack-system/configmaps/ack-role-team-map',
      '/api/v1/namespaces?limit=500',
      '/api/v1/namespaces?limit=500&continue=2',
      '/api/v1/pods?fieldSelector=status.phase!%3DSucceeded%2Cstatus.phase!%3DFailed&limit=500',
      '/api/v1/serviceaccounts?limit=500',
      '/api/v1/serviceaccounts?limit=500&continue=2',
      '/apis',
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations?limit=500',
      '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations?limit=500',
      '/apis/apps/v1/namespaces/ack-system/deployments?limit=500',
      '/apis/coordination.k8s.io/v1/namespaces/carm-webhook/leases?labelSelector=app.kubernetes.io%2Fcomponent%3Dverify-roles&limit=500',
    ]);
  });

  test("check lists ACK's resources by discovery, and tells which it may not list", async t => {
    const bucket = (name: string, owner: string): TinyObject => ({
      apiVersion: 's3.services.k8s.aws/v1alpha1',
      kind: 'Bucket',
      metadata: { name, namespace: 'team-a' },
      status: { ackResourceMetadata: { ownerAccountID: owner, region: 'eu-central-1' } },
    });
    const key = {
      apiVersion: 'kms.services.k8s.aws/v1alpha1',
      kind: 'Key',
      metadata: { name: 'k', namespace: 'team-a' },
    };
    const map = { ...objects[0], data: { '111122223333': ackRole, 'pods.111122223333': role } } as TinyObject;
    const buckets = [bucket('well', '111122223333'), bucket('strange', '999988887777')];
    const api = await startTinyApiServer(t, [map, ...objects.slice(1, 3), ...buckets, key]);
    api.forbidden.add('/apis/kms.services.k8s.aws/v1alpha1/keys');
    const { stdout, stderr } = await runCommand([
      'check',
      '--kubeconfig',
      api.kubeconfig,
      '-o',
      'json',
      '--default-region=eu-central-1',
    ]);
    const findings: { reason: string; object: { name: string } }[] = JSON.parse(stdout).findings;
    assert.deepEqual(
      findings.map(({ reason, object }) => `${reason} ${object.name}`),
      ['AccountMismatch strange'],
    );
    assert.match(stderr.replace(notInstalled, ''), /^not checked: cannot read the keys: .*list keys.*\n$/);
  });

  test('check lists IAMRoleSelectors with the gate, and does without where there is no such kind', async t => {
    const api = await startTinyApiServer(t, objects.slice(0, 3));
    const gate = '--feature-gates=IAMRoleSelector=true';
    const { stderr } = await runCommand(['check', '--kubeconfig', api.kubeconfig, '-o', 'json', gate]);
    assert.equal(stderr, notInstalled);
    assert.ok(api.requests.includes('/apis/services.k8s.aws/v1alpha1/iamroleselectors?limit=500'));
  });

  test('why reads the pod and what its decision rests on', async t => {
    const api = await startTinyApiServer(t, objects);
    const { code, stdout } = await runCommand(['why', 'pod', 'web-0', '-n', 'team-a', '--kubeconfig', api.kubeconfig]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`\nRole: +${role}\n`));
    assert.ok(api.requests.includes('/api/v1/namespaces/team-a/pods/web-0'));
  });
});

describe('a cluster that cannot be read is exit 3, one line that says what and why', () => {
  const cases: readonly [string, (kubeconfig: string) => readonly string[], RegExp][] = [
    [
      'wrong token',
      file => ['--kubeconfig', file, '--context', 'bad-token'],
      /^carm-webhook: .*cannot (?:be )?read.*401 Unauthorized/,
    ],
    ['no such context', file => ['--kubeconfig', file, '--context', 'none'], /no usable context "none"/],
    [
      'no such kubeconfig',
      () => ['--kubeconfig', '/nonexistent/config'],
      /the kubeconfig "\/nonexistent\/config" cannot be read: there is no such file(?:;|$)/m,
    ],
  ];
  for (const [what, flags, said] of cases) {
    for (const command of [['inject', '-f', '-'], ['check'], ['why', 'pod', 'web-0', '-n', 'team-a']]) {
      test(`${command[0]}: ${what}`, async t => {
        const api = await startTinyApiServer(t, objects);
        const result = await runCommand([...command, ...flags(api.kubeconfig)], { stdin: pod('a', 'web') });
        assert.equal(result.code, 3);
        assert.equal(result.stdout, '');
        assert.match(result.stderr, said);
        assert.match(result.stderr, /^[^\n]+\n$/);
      });
    }
  }

  test('a right that is missing is named', async t => {
    const api = await startTinyApiServer(t, objects);
    api.forbidden.add('/api/v1/serviceaccounts');
    const { code, stderr } = await runCommand(['check', '--kubeconfig', api.kubeconfig]);
    assert.equal(code, 3);
    assert.match(
      stderr,
      /^carm-webhook: cannot read the serviceaccounts: .*403 Forbidden \(you need the right to list serviceaccounts\)\. Ask your platform team for the ClusterRole carm-webhook-reader, or use kubectl apply --dry-run=server\n$/,
    );
    const what = '/api/v1/namespaces/ack-system/configmaps/ack-role-account-map';
    api.forbidden.add(what);
    for (const argv of [
      ['inject', '-f', '-'],
      ['why', 'pod', 'web-0', '-n', 'team-a'],
    ]) {
      const told = await runCommand([...argv, '--kubeconfig', api.kubeconfig], { stdin: pod('a', 'web') });
      assert.deepEqual([told.code, told.stdout], [3, '']);
      assert.match(
        told.stderr,
        /^carm-webhook: [^\n]*\(you need the right to get configmaps\)\. Ask your platform team for the ClusterRole carm-webhook-reader, or use kubectl apply --dry-run=server\n$/,
      );
    }
  });

  test('a server that is not there', async t => {
    const api = await startTinyApiServer(t, objects);
    const elsewhere = { CARM_WEBHOOK_KUBECONFIG: api.kubeconfig };
    const text = await readFile(api.kubeconfig, 'utf8');
    await writeFile(api.kubeconfig, text.replace(api.url, 'https://127.0.0.1:1'));
    const { code, stderr } = await runCommand(['check'], { env: elsewhere });
    assert.equal(code, 3);
    assert.match(stderr, /no answer from 127\.0\.0\.1:1: .*ECONNREFUSED/);
  });

  for (const [argv, others] of [
    [['check'], '--kubeconfig and --context'],
    [['inject', '-f', '-'], '--kubeconfig and --context'],
    [['why', 'namespace', 'x'], '--kubeconfig and --context'],
    [['serve', '--tls-self-signed'], '--kubeconfig'],
  ] as const) {
    test(`${argv[0]}: --state goes without ${others}`, async () => {
      const said = `carm-webhook: --state cannot be combined with ${others}\n`;
      const flags = await runCommand([...argv, '--state', 'x', '--kubeconfig', 'y']);
      assert.deepEqual([flags.code, flags.stderr], [2, said]);
      const env = { CARM_WEBHOOK_KUBECONFIG: 'y' };
      const variable = await runCommand([...argv, '--state', 'x'], { env });
      assert.deepEqual([variable.code, variable.stderr], [2, said]);
    });
  }
});
