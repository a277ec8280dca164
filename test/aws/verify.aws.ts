import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type CommandResult, inRepository, runBundle } from '../cli/command-runs.ts';
import { shipped } from '../deploy/shipped.ts';
import { boundNamespace, roleMap, serviceAccount } from '../e2e/cluster-objects.ts';
import { asList } from '../e2e/manifests.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import type { FaultKind } from './aws-fault.ts';
import { assumePolicy, roleTrust, webIdentityTrust } from './iam-account.ts';
import { issuerOf } from './plane-issuer.ts';
import { type Aws, startAws } from './start-aws.ts';

const hubAccount = '111111111111';
const hub = `arn:aws:iam::${hubAccount}:role/hub`;
const roleIn = (account: string, name = 'app') => `arn:aws:iam::${account}:role/${name}`;
const chain = (externalId?: string) => ({
  'carm-webhook.dev/credentials': 'chain',
  'carm-webhook.dev/hub-role-arn': hub,
  ...(externalId !== undefined && { 'carm-webhook.dev/external-id': externalId }),
});

const many = Array.from({ length: 30 }, (_, index) => `many-${String(index).padStart(2, '0')}`);

/** Namespaces by account and annotations. */
const namespaces: Readonly<Record<string, readonly [account: string, annotations?: Readonly<Record<string, string>>]>> =
  {
    web: ['222222222222', { 'services.k8s.aws/default-region': 'eu-central-1' }],
    stranger: ['222222222222'],
    'no-provider': ['333333333333'],
    chained: ['444444444444', chain('id-of-{namespace}')],
    'wrong-id': ['444444444444', chain('another')],
    'no-policy': ['555555555555', chain()],
    'over-pod-identity': ['444444444444', { 'carm-webhook.dev/credentials': 'chain' }],
    'not-mapped': ['999999999999'],
    ...Object.fromEntries(many.map(name => [name, ['222222222222']])),
  };

let plane: ControlPlane;
let aws: Aws;

async function setUpAws(): Promise<void> {
  const { issuer, keys } = await issuerOf(plane);
  aws.setIssuerKeys(issuer, keys);
  const subjectsOf = (names: readonly string[]) => names.map(name => `system:serviceaccount:${name}:default`);
  const trusting = (account: string, names: readonly string[]) =>
    webIdentityTrust(aws.iam(account), issuer, subjectsOf(names));
  for (const account of [hubAccount, '222222222222']) await aws.iam(account).createOidcProvider(issuer);
  await aws.iam(hubAccount).createRole({
    name: 'hub',
    trust: trusting(hubAccount, ['chained', 'wrong-id', 'no-policy']),
    policy: assumePolicy([roleIn('444444444444')]),
  });
  const trustedByWeb = trusting('222222222222', ['web', ...many]);
  await aws.iam('222222222222').createRole({ name: 'app', trust: trustedByWeb });
  await aws.iam('222222222222').createRole({
    name: 'reader',
    trust: webIdentityTrust(aws.iam('222222222222'), issuer, ['system:serviceaccount:web:reports']),
  });
  await aws.iam('333333333333').createRole({ name: 'app', trust: trusting('333333333333', ['no-provider']) });
  await aws.iam('444444444444').createRole({ name: 'app', trust: roleTrust(hub, 'id-of-chained') });
  await aws.iam('555555555555').createRole({ name: 'app', trust: roleTrust(hub) });
}

async function setUpCluster(): Promise<void> {
  const accounts = ['222222222222', '333333333333', '444444444444', '555555555555'];
  const names = Object.keys(namespaces);
  await plane.kubectl(['apply', '-f', '-'], {
    input: asList([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ack-system' } },
      roleMap(Object.fromEntries(accounts.map(account => [`pods.${account}`, roleIn(account)]))),
      ...Object.entries(namespaces).map(([name, [account, annotations = {}]]) =>
        boundNamespace(name, account, { annotations }),
      ),
      ...names.map(name => serviceAccount(name, 'default')),
      serviceAccount('web', 'reports', { 'carm-webhook.dev/role': 'reader' }),
      serviceAccount('web', 'audience', { 'eks.amazonaws.com/audience': 'another' }),
      serviceAccount('web', 'plain'),
    ]),
  });
  // Rights as they are shipped: to read for both, and tokens for one of them.
  const verifier = parseAllDocuments(await readFile(inRepository('deploy/examples/verifier.yaml'), 'utf8')).map(each =>
    each.toJS(),
  );
  const binding = (role: string, users: readonly string[]) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: role },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: users.map(name => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })),
  });
  await plane.kubectl(['apply', '-f', '-'], {
    input: asList([
      shipped<object>('ClusterRole', 'carm-webhook-reader'),
      ...verifier.filter(({ kind }) => kind === 'ClusterRole'),
      binding('carm-webhook-reader', ['verifier', 'reader']),
      binding('carm-webhook-verifier', ['verifier']),
    ]),
  });
}

/** Runs the command in the surroundings of somebody who has AWS credentials of their own; nothing secret may come out of it. */
async function verify(argv: readonly string[], user = 'verifier'): Promise<CommandResult> {
  const before = aws.calls().length;
  const result = await runBundle(['verify', `--source-accounts=${hubAccount}`, ...argv], {
    env: {
      KUBECONFIG: await plane.kubeconfigFor({ user }),
      AWS_ENDPOINT_URL_STS: aws.endpoint,
      AWS_PROFILE: 'mine',
      AWS_ACCESS_KEY_ID: '222222222222',
      AWS_SECRET_ACCESS_KEY: 'mine',
    },
  });
  const said = `${result.stdout}${result.stderr}`;
  assert.doesNotMatch(said, /eyJ|ASIA|AKIA/);
  for (const { sessionKeyId, accessKeyId } of aws.calls().slice(before)) {
    if (sessionKeyId) assert.ok(!said.includes(sessionKeyId), said);
    assert.notEqual(accessKeyId, '222222222222');
  }
  return result;
}

async function verifyAsJson(argv: readonly string[]) {
  const { code, stdout, stderr } = await verify([...argv, '-o', 'json']);
  assert.equal(stderr, '');
  return { code, results: JSON.parse(stdout).results };
}

describe('carm-webhook verify', () => {
  before(
    async () => {
      [plane, aws] = await Promise.all([
        ControlPlane.start({ users: [{ name: 'verifier' }, { name: 'reader' }] }),
        startAws(),
      ]);
      await Promise.all([setUpAws(), setUpCluster()]);
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await aws?.stop();
    await plane?.stop();
  });

  test('web identity: the calls of a pod, and whom AWS takes it for', async () => {
    aws.takeStsCalls();
    const { code, stdout, stderr } = await verify(['-n', 'web']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(
      stdout,
      `Pods of:      ServiceAccount web/default
Role:         arn:aws:iam::222222222222:role/app
Role from:    ConfigMap ack-system/ack-role-account-map, key "pods.222222222222"
Credentials:  web-identity
STS region:   eu-central-1
Audience:     "sts.amazonaws.com"

  ok      AssumeRoleWithWebIdentity  arn:aws:iam::222222222222:role/app
  ok      GetCallerIdentity  arn:aws:sts::222222222222:assumed-role/app/web.default

ok: pods of this ServiceAccount get their role.
`,
    );
    const calls = aws.takeStsCalls();
    assert.deepEqual(
      calls.map(({ action, sessionName }) => [action, sessionName]),
      [
        ['AssumeRoleWithWebIdentity', 'web.default'],
        ['GetCallerIdentity', undefined],
      ],
    );
  });

  test('a ServiceAccount that requests a role', async () => {
    const { code, stdout } = await verify(['-n', 'web', '--serviceaccount', 'reports']);
    assert.equal(code, 0);
    assert.match(stdout, /GetCallerIdentity {2}arn:aws:sts::222222222222:assumed-role\/reader\/web\.reports\n/);
  });

  test('chain: the hub, then the role with the external id, each with its identity', async () => {
    aws.takeStsCalls();
    const { code, results } = await verifyAsJson(['-n', 'chained']);
    assert.equal(code, 0);
    const [{ steps, ...result }] = results;
    assert.deepEqual(result, {
      namespace: 'chained',
      serviceAccount: 'default',
      result: 'ok',
      credentials: 'chain',
      role: roleIn('444444444444'),
      hubRole: hub,
      externalId: 'id-of-chained',
      region: 'us-east-1',
      audience: 'sts.amazonaws.com',
    });
    const ofHub = `arn:aws:sts::${hubAccount}:assumed-role/hub/chained.default`;
    const ofRole = 'arn:aws:sts::444444444444:assumed-role/app/chained.default';
    assert.deepEqual(steps, [
      { call: 'AssumeRoleWithWebIdentity', role: hub, identity: ofHub },
      { call: 'GetCallerIdentity', role: hub, identity: ofHub },
      { call: 'AssumeRole', role: roleIn('444444444444'), identity: ofRole },
      { call: 'GetCallerIdentity', role: roleIn('444444444444'), identity: ofRole },
    ]);
    const chained = aws.takeStsCalls().find(({ action }) => action === 'AssumeRole');
    assert.deepEqual([chained?.externalId, chained?.sessionName], ['id-of-chained', 'chained.default']);
  });

  /** Arguments, kind of the last refusal, who is asked. */
  const refused: readonly (readonly [readonly string[], string, RegExp])[] = [
    [
      ['-n', 'no-provider'],
      'NoProvider',
      /^Ask the administrators of account 333333333333 to create an IAM OIDC provider/,
    ],
    [['-n', 'stranger'], 'WebIdentityNotAuthorized', /^Ask the administrators of account 222222222222 to /],
    [
      ['-n', 'web', '--serviceaccount', 'audience'],
      'WrongAudience',
      /^Ask the administrators of account 222222222222 to /,
    ],
    [['-n', 'wrong-id'], 'AssumeRoleNotAuthorized', /^Ask the administrators of account 444444444444 to /],
    [
      ['-n', 'no-policy'],
      'NoIdentityPolicy',
      /^Ask the administrators of account 111111111111 to allow sts:AssumeRole/,
    ],
  ];
  for (const [argv, kind, fix] of refused) {
    test(`${argv.join(' ')}: ${kind}, exit 1`, async () => {
      const { code, results } = await verifyAsJson(argv);
      assert.equal(code, 1);
      const [{ result, reason, steps }] = results;
      assert.deepEqual([result, reason, steps.at(-1).refusal.kind], ['broken', kind, kind]);
      assert.match(steps.at(-1).refusal.fix, fix);
      const { code: textCode, stdout } = await verify(argv);
      assert.equal(textCode, 1);
      assert.match(stdout, new RegExp(`\\n  FAILED  \\w+  arn:\\S+  \\(${kind}\\)\\n          AWS: \\w+: .*\\n`));
      assert.match(stdout, /\nbroken: pods of this ServiceAccount do not get their role\.\n$/);
    });
  }

  const faults: readonly (readonly [FaultKind, string, string, number])[] = [
    ['throttled', 'unverified', 'Throttled', 3],
    ['server-error', 'unverified', 'Unreachable', 3],
    ['reset', 'unverified', 'Unreachable', 3],
    ['garbage', 'broken', 'Unexpected', 1],
  ];
  for (const [kind, result, reason, exitCode] of faults) {
    test(`STS that answers with ${kind}: ${result}, exit ${exitCode}`, async t => {
      aws.setFault({ kind });
      t.after(() => aws.setFault(undefined));
      const { code, results } = await verifyAsJson(['-n', 'web']);
      assert.deepEqual([code, results[0].result, results[0].reason], [exitCode, result, reason]);
    });
  }

  test('STS that hangs: ended by --timeout, exit 3', async t => {
    aws.setFault({ kind: 'hang' });
    t.after(() => aws.setFault(undefined));
    const { code, results } = await verifyAsJson(['-n', 'web', '--timeout', '1s']);
    assert.deepEqual(
      [code, results[0].reason, results[0].steps[0].refusal.text],
      [3, 'Unreachable', 'ended before STS answered'],
    );
  });

  test('what the webhook would deny is told, without a call', async () => {
    aws.takeStsCalls();
    const denied = await verify(['-n', 'not-mapped']);
    assert.equal(denied.code, 1);
    assert.match(
      denied.stdout,
      /^pods of ServiceAccount "default" in namespace "not-mapped": .*\(AccountNotMapped\)$/m,
    );
    const missing = await verify(['-n', 'web', '--serviceaccount', 'absent']);
    assert.match(missing.stdout, /\(ServiceAccountNotFound\)\n/);
    const unmanaged = await verify(['-n', 'default']);
    assert.deepEqual([missing.code, unmanaged.code], [1, 1]);
    assert.match(unmanaged.stdout, /\nnot managed: /);
    assert.deepEqual(aws.takeStsCalls(), []);
  });

  test('a chain over EKS Pod Identity cannot be verified from here: told, without a call, exit 0', async () => {
    aws.takeStsCalls();
    const { code, stdout } = await verify(['-n', 'over-pod-identity']);
    assert.equal(code, 0);
    assert.match(stdout, /this cannot be verified from here/);
    assert.deepEqual(aws.takeStsCalls(), []);
  });

  test('a caller without the right to tokens is told which it is, exit 3', async () => {
    aws.takeStsCalls();
    const { code, stdout, stderr } = await verify(['-n', 'web'], 'reader');
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(
      stderr,
      /^carm-webhook: cannot get a token of ServiceAccount "web\/default": the API server answered 403 Forbidden \(you need the right to create serviceaccounts\/token in that namespace; .*\)\n$/,
    );
    assert.deepEqual(aws.takeStsCalls(), []);
  });

  test('--all: a line for each ServiceAccount that pods of bound namespaces use, what the refusals mean, a sum', async () => {
    const { code, stdout, stderr } = await verify(['--all']);
    assert.deepEqual([code, stderr], [1, '']);
    const [table = '', notes = '', sum] = stdout.trimEnd().split('\n\n');
    const rows = table.split('\n').map(line => line.split(/ {2,}/));
    assert.deepEqual(rows[0], ['NAMESPACE', 'SERVICEACCOUNT', 'RESULT', 'REASON', 'CREDENTIALS', 'ROLE']);
    const found = Object.fromEntries(rows.slice(1).map(([namespace, name, ...rest]) => [`${namespace}/${name}`, rest]));
    const expected = {
      'web/default': ['ok'],
      'web/reports': ['ok'],
      'web/audience': ['broken', 'WrongAudience'],
      'stranger/default': ['broken', 'WebIdentityNotAuthorized'],
      'no-provider/default': ['broken', 'NoProvider'],
      'chained/default': ['ok'],
      'wrong-id/default': ['broken', 'AssumeRoleNotAuthorized'],
      'no-policy/default': ['broken', 'NoIdentityPolicy'],
      'over-pod-identity/default': ['unverified', 'HubRoleMissing'],
      'not-mapped/default': ['denied', 'AccountNotMapped'],
      ...Object.fromEntries(many.map(name => [`${name}/default`, ['ok']])),
    };
    assert.deepEqual(Object.keys(found), Object.keys(expected).toSorted());
    for (const [name, cells] of Object.entries(expected))
      assert.deepEqual(found[name]?.slice(0, cells.length), cells, name);
    assert.match(notes, /^NoProvider: .* Ask the administrators of the role's account to /m);
    assert.equal(sum, '33 ok, 5 broken, 1 denied, 1 unverified');
  });

  test('--all without the right to tokens: nothing is known, exit 3 unless something is denied', async () => {
    const { code, stdout } = await verify(['--all'], 'reader');
    assert.equal(code, 1);
    assert.match(stdout, /^web +default +unverified +NoRightToToken/m);
    assert.match(stdout, /^NoRightToToken, for example: .*you need the right to create serviceaccounts\/token/m);
    assert.match(stdout, /\n0 ok, 1 denied, 39 unverified\n$/);
  });
});
