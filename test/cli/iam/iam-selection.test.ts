import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import { most } from '../../../src/cli/iam/collect-grants.ts';
import { runCommand } from '../command-runs.ts';
import { startTinyApiServer, type TinyObject, tinyIssuer } from '../tiny-api-server.ts';
import { issuer, runIam, stepsOf, type WrittenStep } from './iam-runs.ts';

const of = ['--oidc-issuer', issuer];
const rolesOf = (steps: readonly WrittenStep[]): readonly string[] =>
  steps.flatMap(({ kind, roleArn = '' }) => (kind === 'role' ? [roleArn.replace('arn:aws:iam::', '')] : []));

async function folderOf(t: TestContext, objects: readonly object[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-webhook-iam-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'state.yaml'), objects.map(object => stringify(object)).join('---\n'));
  return folder;
}

const map = (data: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'ack-role-account-map', namespace: 'ack-system' },
  data,
});
const account = '222222222222';
const mapped = map({ [`pods.${account}`]: `arn:aws:iam::${account}:role/app` });
const namespace = (name: string, annotations: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, annotations: { 'services.k8s.aws/owner-account-id': account, ...annotations } },
});
const serviceAccount = (name: string, annotations: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace: 'team-a', annotations },
});

describe('whom iam writes policies for', () => {
  test('an account: every namespace whose role lies in it, those of teams too', async () => {
    const gates = ['--feature-gates', 'TeamLevelCARM=true'];
    assert.deepEqual(rolesOf(await stepsOf('--account', '333333333333', ...of, ...gates)), [
      '111111111111:role/hubs/team-a-evil',
      '333333333333:role/payments',
      '333333333333:role/shared',
    ]);
    assert.deepEqual(rolesOf(await stepsOf('--account', '444444444444', ...of)), ['444444444444:role/web']);
  });

  test('an account: what is wrong elsewhere is not told', async () => {
    const { code, stderr } = await runIam('--account', '444444444444', ...of);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const unmapped = await runIam('--account', '555555555555', ...of);
    assert.equal(unmapped.code, 1);
    assert.match(unmapped.stderr, /^left out: .*namespace "unmapped".*\(AccountNotMapped\)\n$/);
  });

  test('a namespace: those that are there, or those that are asked for and may come', async () => {
    const subjectsOf = async (...argv: readonly string[]) =>
      [
        ...JSON.stringify(await stepsOf('-n', 'team-a', ...of, ...argv)).matchAll(
          /system:serviceaccount:team-a:[\w.*-]+/g,
        ),
      ]
        .map(([subject]) => subject.slice('system:serviceaccount:team-a:'.length))
        .sort();
    assert.deepEqual(await subjectsOf(), ['default', 'direct', 'reports', 'web']);
    assert.deepEqual(await subjectsOf('--serviceaccount', 'web,new.one'), ['new.one', 'web']);
  });

  for (const [name, reason] of [
    ['opted-out', 'OptedOut'],
    ['plain', 'NamespaceNotManaged'],
    ['absent', 'NamespaceNotFound'],
    ['unmapped', 'AccountNotMapped'],
  ] as const) {
    test(`a namespace whose pods get no role: ${name}`, async () => {
      const { code, stdout, stderr } = await runIam('-n', name, ...of);
      assert.equal(code, 1);
      assert.deepEqual(JSON.parse(stdout), { steps: [] });
      assert.match(stderr, new RegExp(`^left out: .*${name}.*\\(${reason}\\)\n$`));
    });
  }

  test('chain mode without a hub role is left out, and the rest is written; --resource needs no hub role', async t => {
    const folder = await folderOf(t, [
      mapped,
      namespace('team-a'),
      serviceAccount('chained', { 'carm-webhook.dev/credentials': 'chain' }),
    ]);
    const argv = ['iam', '--all', '--state', folder];
    const { code, stdout, stderr } = await runCommand([...argv, ...of]);
    assert.equal(code, 1);
    assert.match(stderr, /^left out: pods of ServiceAccount "chained" .*\(HubRoleMissing\)\n$/);
    assert.match(stdout, /system:serviceaccount:team-a:default/);
    const bucket = ['--resource', 's3', '--resource-arn', 'arn:aws:s3:::reports'];
    assert.equal((await runCommand([...argv, ...bucket])).code, 0);
  });

  test('a hub outside the source accounts is left out by the words of its denial', async () => {
    const { code, stderr } = await runCommand([
      'iam',
      '--state',
      'test/cli/iam/state',
      '-n',
      'team-a',
      '--serviceaccount',
      'web',
      ...of,
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /^left out: pods of ServiceAccount "web" .*hubs\/team-a.*\(RoleOutsideAccount\)\n$/);
  });

  test("a role that is ACK's too: the trust policy would shut its controllers out", async () => {
    assert.match(
      (await runIam('-n', 'team-b', ...of)).stderr,
      /^ACK's controllers assume arn:aws:iam::333333333333:role\/shared: /,
    );
    const ack = ['--ack-role-arn', 'arn:aws:iam::111111111111:role/ack'];
    const { stderr, stdout } = await runIam('-n', 'team-b', ...of, ...ack);
    assert.equal(stderr, '');
    assert.match(stdout, /"AWS": "arn:aws:iam::111111111111:role\/ack"/);
  });

  test('an issuer that AWS does not take is warned of', async () => {
    const { stderr } = await runIam('-n', 'team-c', '--oidc-issuer', 'https://kubernetes.default.svc.cluster.local');
    assert.match(stderr, /^issuer https:\/\/kubernetes\.default\.svc\.cluster\.local: AWS cannot reach/);
  });
});

describe('what iam reads of a cluster', () => {
  const objects = [mapped, namespace('team-a'), namespace('team-b'), serviceAccount('web')] as readonly TinyObject[];

  test('of one namespace no more than that, the maps and the issuer', async t => {
    const api = await startTinyApiServer(t, objects);
    const { code, stdout, stderr } = await runCommand(['iam', '-n', 'team-a', '--kubeconfig', api.kubeconfig]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.match(stdout, new RegExp(`"url": "${tinyIssuer}"`));
    const namespaces = api.requests.filter(path => path.includes('/namespaces/') && !path.includes('/ack-system/'));
    assert.ok(
      namespaces.every(path => /^\/api\/v1\/namespaces\/team-a(?:\/serviceaccounts\?|$)/.test(path)),
      namespaces.join(),
    );
    assert.ok(!api.requests.some(path => /^\/api\/v1\/(?:namespaces|serviceaccounts)\?/.test(path)));
  });

  test('without the right to read the issuer, the flag is asked for, exit 2', async t => {
    const api = await startTinyApiServer(t, objects);
    api.forbidden.add('/.well-known/openid-configuration');
    const { code, stdout, stderr } = await runCommand(['iam', '--all', '--kubeconfig', api.kubeconfig]);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.equal(stderr, 'carm-webhook: the issuer of ServiceAccount tokens is not known: set --oidc-issuer\n');
    const given = await runCommand(['iam', '--all', '--kubeconfig', api.kubeconfig, ...of]);
    assert.equal(given.code, 0, given.stderr);
  });

  test('more than is written is told, and nothing half', async t => {
    const names = Array.from({ length: most.serviceAccounts + 5 }, (_, n) => serviceAccount(`sa-${n}`));
    const folder = await folderOf(t, [mapped, namespace('team-a')]);
    await writeFile(join(folder, 'many.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: names }));
    const { code, stdout, stderr } = await runCommand(['iam', '-n', 'team-a', '--state', folder, ...of]);
    assert.equal(code, 1);
    const written = stdout.match(/system:serviceaccount:team-a:/g)?.length ?? 0;
    const told = stderr.match(/^left out: ServiceAccount "team-a\/sa-\d+"/gm)?.length ?? 0;
    const [, untold = '0'] = /^left out: (\d+) more$/m.exec(stderr) ?? [];
    // With the one that every namespace has.
    assert.equal(written + told + Number(untold), names.length + 1);
    assert.ok(written > 0 && written <= most.serviceAccounts && stdout.length <= most.characters, `${written}`);
  });
});

describe('hostile state', () => {
  for (const [what, objects, named] of [
    ['the name of a ServiceAccount', [namespace('team-a'), serviceAccount('*')], '"*"'],
    [
      'an audience',
      [namespace('team-a'), serviceAccount('web', { 'eks.amazonaws.com/audience': 'a","b' })],
      '"a\\",\\"b"',
    ],
    [
      'an audience that is a policy variable',
      [namespace('team-a'), serviceAccount('web', { 'eks.amazonaws.com/audience': '$' + '{aws:x}' })],
      '"$' + '{aws:x}"',
    ],
    ['the name of a namespace', [namespace('team-*')], '"team-*"'],
    ['the name of a namespace that ends a string', [namespace(`a'; id; '`)], `"a'; id; '"`],
  ] as const) {
    test(`${what}: it is left out, by its name, and all else is written`, async t => {
      const folder = await folderOf(t, [mapped, namespace('bystander'), ...objects]);
      const { code, stdout, stderr } = await runCommand(['iam', '--all', '--state', folder, ...of, '-o', 'aws-cli']);
      assert.equal(code, 1);
      assert.match(stderr, /^left out: ServiceAccount ".*": .* cannot be written into a policy: .*$/m);
      assert.ok(stderr.includes(named), stderr);
      assert.ok(stdout.includes('system:serviceaccount:bystander:default'), stdout);
      assert.ok(!/\ba","b\b|aws:x|team-\*|id; |:\*"/.test(stdout), stdout);
    });
  }
});

describe('what ServiceAccounts name', () => {
  const chain = ['--credentials', 'chain', '--hub-role-arn', 'arn:aws:iam::111111111111:role/hub'];
  const source = ['--source-accounts', '111111111111'];

  test("a hub role that is ACK's: left out, as pods with it are denied", async t => {
    const ofAck = 'arn:aws:iam::111111111111:role/ack-local';
    const folder = await folderOf(t, [
      map({ [account]: `arn:aws:iam::${account}:role/app`, 111111111111: ofAck }),
      namespace('team-a'),
      serviceAccount('web', { 'carm-webhook.dev/hub-role-arn': ofAck }),
    ]);
    const argv = ['iam', '-n', 'team-a', '--state', folder, ...of, ...chain, ...source];
    const { code, stdout, stderr } = await runCommand(argv);
    assert.equal(code, 1);
    assert.match(stderr, /^left out: .*hub role.*\(ControllerRole\)$/m);
    assert.ok(!stdout.includes('ack-local'), stdout);
  });

  test('a circle, another spelling: left out, and those who use the roles as the map says keep them', async t => {
    const hub = 'arn:aws:iam::111111111111:role/hub';
    const folder = await folderOf(t, [
      mapped,
      namespace('team-a'),
      serviceAccount('a-circle', {
        'carm-webhook.dev/hub-role-arn': 'arn:aws:iam::222222222222:role/app',
        'eks.amazonaws.com/role-arn': hub,
      }),
      serviceAccount('a-spelling', { 'carm-webhook.dev/role': 'APP' }),
      serviceAccount('web'),
    ]);
    const argv = ['iam', '--all', '--state', folder, ...of, ...chain, '--source-accounts', '111111111111,222222222222'];
    const { code, stdout, stderr } = await runCommand(argv);
    assert.equal(code, 1);
    const leftOut = stderr.split('\n').filter(line => line.startsWith('left out: '));
    assert.deepEqual(
      leftOut.map(line => line.slice(0, 75)),
      [
        'left out: ServiceAccount "team-a/a-circle": these roles trust one another in a circle, so none can be created first: ',
        'left out: ServiceAccount "team-a/a-spelling": IAM tells roles apart by neither path nor case, so these are one: ',
      ].map(line => line.slice(0, 75)),
    );
    const { steps }: { steps: readonly WrittenStep[] } = JSON.parse(stdout);
    assert.deepEqual(rolesOf(steps), ['111111111111:role/hub', `${account}:role/app`]);
    assert.ok(stdout.includes('system:serviceaccount:team-a:web') && !stdout.includes('a-circle'), stdout);
  });

  test('a role that they alone name is told, for whoever may edit them chose it', async t => {
    const folder = await folderOf(t, [
      mapped,
      namespace('team-a'),
      serviceAccount('hub', { 'carm-webhook.dev/hub-role-arn': 'arn:aws:iam::111111111111:role/Admin' }),
      serviceAccount('role', { 'eks.amazonaws.com/role-arn': `arn:aws:iam::${account}:role/Admin` }),
      serviceAccount('same', { 'eks.amazonaws.com/role-arn': `arn:aws:iam::${account}:role/app` }),
    ]);
    const { stderr } = await runCommand(['iam', '--all', '--state', folder, ...of, ...chain, ...source]);
    const lines = stderr.split('\n').filter(line => line.includes('no map, namespace or flag'));
    assert.deepEqual(lines, [
      'arn:aws:iam::111111111111:role/Admin is named by ServiceAccount "team-a/hub", and by no map, namespace or flag: whoever may edit it chose the role. Check it before you apply this',
      `arn:aws:iam::${account}:role/Admin is named by ServiceAccount "team-a/role", and by no map, namespace or flag: whoever may edit it chose the role. Check it before you apply this`,
    ]);
  });
});

// Run with AWS CLI 1: as words of their own, the first sends the signed call to that host, the second sends what the file holds.
test('an audience that looks like a flag, or like a file, is no word of its own in a command', async t => {
  for (const audience of ['--endpoint-url=http://evil.example.com', 'file:///root/.aws/credentials']) {
    const folder = await folderOf(t, [
      mapped,
      namespace('team-a'),
      serviceAccount('web', { 'eks.amazonaws.com/audience': audience }),
    ]);
    const { stdout } = await runCommand(['iam', '--all', '--state', folder, ...of, '-o', 'aws-cli']);
    assert.ok(stdout.includes(` --client-id-list='["${audience}",`), stdout);
    assert.doesNotMatch(stdout, /\s'?(?:--endpoint-url|file:)/);
  }
});

describe('bad usage of iam', () => {
  for (const [argv, message] of [
    [[], 'iam takes exactly one of --namespace, --account and --all'],
    [['--all', '-n', 'team-a'], 'iam takes exactly one of --namespace, --account and --all'],
    [['--all', '--serviceaccount', 'web'], '--serviceaccount goes with --namespace only'],
    [['--all'], 'the issuer of ServiceAccount tokens is not known: set --oidc-issuer'],
    [['--all', '--resource', 's3'], '--resource needs --resource-arn'],
    [['--all', '--resource-write'], '--resource-arn, --resource-policy and --resource-write go with --resource only'],
    [
      ['--all', '--resource', 's3', '--resource-arn', 'arn:aws:s3:::*'],
      '--resource-arn "arn:aws:s3:::*" is not the ARN of one resource of s3',
    ],
    [
      ['--all', '--resource', 's3', '--resource-arn', 'arn:aws:s3:::x12', '--resource-policy', 'package.json'],
      '--resource-policy "package.json" holds no policy: a JSON object with Statement',
    ],
  ] as const) {
    test(argv.join(' ') || 'nothing', async () => {
      const { code, stdout, stderr } = await runIam(...argv);
      assert.deepEqual({ code, stdout, stderr }, { code: 2, stdout: '', stderr: `carm-webhook: ${message}\n` });
    });
  }

  for (const [flag, value] of [
    ['--oidc-issuer', 'http://keys.example.com'],
    ['--account', '123'],
    ['--eks-cluster-arn', 'arn:aws:eks:eu-central-1:111111111111:cluster/*'],
    ['--ack-role-arn', 'arn:aws:iam::111111111111:role/*'],
    ['--existing', 'everything'],
    ['--resource', 'dynamodb'],
  ] as const) {
    test(`${flag} ${value}`, async () => {
      const { code, stderr } = await runIam('--all', flag, value);
      assert.equal(code, 2);
      assert.ok(stderr.startsWith(`carm-webhook: ${flag} ${JSON.stringify(value)} is not `), stderr);
    });
  }
});
