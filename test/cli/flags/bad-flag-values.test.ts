import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CommandInput, demoState, runCommand } from '../command-runs.ts';

/** Values that each flag denies as it is read, whichever command has it. */
const badValues: Readonly<Record<string, readonly string[]>> = {
  port: ['b@d', '65536', '-1', ''],
  'ops-port': ['b@d', '65536', '-1', ''],
  'tls-min-version': ['VersionTLS11', ''],
  'tls-self-signed': ['b@d', ''],
  'verify-roles': ['b@d', ''],
  'max-staleness': ['b@d', '4s', '-9s', '24h1ns', '300000000h', ''],
  'api-server-cidrs': ['b@d', '10.0.0.0/33', '2001:db8::/129', '10.0.0/8'],
  'shutdown-delay': ['b@d', '-9s', '86401', '600h', ''],
  'log-level': ['b@d', ''],
  namespace: ['B@d', 'a'.repeat(64), ''],
  output: ['b@d', ''],
  'ack-system-namespace': ['B@d', 'b@d=iam', 'ack=I@M', 'ack=iam=sts', '=s3'],
  'feature-gates': ['b@d', 'b@d=true', 'TeamLevelCARM=y@s', 'TeamLevelCARM=true=true'],
  'default-region': ['b@d', ''],
  'default-mode': ['b@d', ''],
  'source-accounts': ['b@d', '1234'],
  credentials: ['b@d', 'irsa', ''],
  'hub-role-arn': ['b@d', 'arn:aws:iam::111122223333:user/b@d', ''],
  'external-id': ['b@d id', '{b@d}', '{pod}', 'b@d\n[profile x]', 'b@d#', 'b@d'.repeat(409), '{b@d', 'x', ''],
  'require-pods-key': ['b@d', ''],
  'authorize-bindings': ['b@d', ''],
  recursive: ['b@d', ''],
  'token-expiration': ['b@d', '599s', '86401s', '600.5s', '600h', ''],
  'role-session-name': ['{b@d}', '{pod}', 'b@d:{namespace}', '{b@d', 'b@d\n', 'b@d'.repeat(22), 'x', ''],
  'disable-instance-metadata': ['b@d', 'true', ''],
  workloads: ['b@d', ''],
  'unbound-resources': ['b@d', ''],
  'ack-identities': ['b@d', 'arn:aws:sts::111122223333:assumed-role/b@d', 'system:masters', 'team:name'],
  'restore-identities': ['b@d', 'arn:aws:sts::111122223333:assumed-role/b@d'],
  'allowed-endpoint-urls': ['b@d', 'ftp://b@d'],
  'cross-namespace-references': ['b@d', 'team-a', 'B@d:team-a', 'team-a:*', 'team-a:b@d', 'a:b@d:c'],
  'support-message': ['b@d\n', 'b@d\u001b[2J', 'b@d'.repeat(100)],
};

/** A good value in front of the bad one, for flags that take a list. */
const goodItems: Readonly<Record<string, string>> = {
  'ack-system-namespace': 'ack-iam=iam',
  'feature-gates': 'ServiceLevelCARM=true',
  'source-accounts': '999988887777',
  'ack-identities': 'platform/deployer',
  'restore-identities': 'velero/velero',
  'api-server-cidrs': '10.1.0.0/16',
  'allowed-endpoint-urls': 'https://s3.example.com',
  'cross-namespace-references': 'platform:team-b',
};

/** Flags whose values are names of what is elsewhere: what is wrong with one shows at its use. */
const names: readonly string[] = [
  'filename',
  'state',
  'kubeconfig',
  'context',
  'tls-cert-file',
  'tls-private-key-file',
  'client-ca-file',
  'bind-address',
];

const commands = ['serve', 'inject', 'check', 'why', 'version'];

async function flagsOf(command: string): Promise<readonly string[]> {
  const { stdout } = await runCommand([command, '--help']);
  return [...stdout.matchAll(/^ {2}.{4}--([a-z-]+)/gm)].map(([, flag = '']) => flag);
}

function timesIn(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe('a bad value of a flag is exit 2, one line that quotes it once and says what is allowed', () => {
  async function refused(argv: readonly string[], called: string, bad: string, input?: CommandInput): Promise<void> {
    const { code, stdout, stderr } = await runCommand(argv, input);
    assert.deepEqual([code, stdout], [2, ''], stderr);
    const echo = JSON.stringify(bad.length > 200 ? `${bad.slice(0, 200)}...` : bad);
    assert.ok(stderr.startsWith(`carm-webhook: ${called} ${echo} `), stderr);
    const rest = stderr.slice(`carm-webhook: ${called} ${echo} `.length);
    assert.match(rest, /^(?:is|contains) [^\n]{8,}\n$/);
    assert.equal(timesIn(stderr, echo), 1, stderr);
    if (bad !== '') assert.ok(!rest.includes(bad), stderr);
  }

  for (const command of commands) {
    test(`every flag of ${command} is in the table`, async () => {
      const flags = await flagsOf(command);
      assert.ok(flags.length > 0 || command === 'version');
      for (const flag of flags) assert.ok(Object.hasOwn(badValues, flag) || names.includes(flag), flag);
    });
  }

  for (const [flag, values] of Object.entries(badValues)) {
    test(`--${flag}`, async () => {
      let tried = 0;
      for (const command of commands) {
        if (!(await flagsOf(command)).includes(flag)) continue;
        tried += 1;
        for (const bad of values) {
          await refused([command, `--${flag}=${bad}`], `--${flag}`, bad);
          // Of a list the first bad one is told; else the last one wins, and nothing is said of the others.
          const good = goodItems[flag];
          const said = good === undefined ? bad : '0@d';
          await refused([command, `--${flag}=0@d`, `--${flag}=${bad}`], `--${flag}`, said);
          if (good !== undefined) {
            await refused([command, `--${flag}=${good},${bad}`], `--${flag}`, bad);
            await refused([command, `--${flag}`, good, `--${flag}`, bad], `--${flag}`, bad);
          }
          if (bad === '') continue;
          const variable = `CARM_WEBHOOK_${flag.toUpperCase().replaceAll('-', '_')}`;
          await refused([command], variable, bad, { env: { [variable]: bad } });
        }
      }
      assert.ok(tried > 0);
    });
  }
});

test('a duration of more than a day is denied by every flag that takes one, and the bound told', async () => {
  for (const flag of ['max-staleness', 'shutdown-delay', 'token-expiration']) {
    const { code, stderr } = await runCommand(['serve', `--${flag}=25h`]);
    assert.deepEqual([code, stderr], [2, `carm-webhook: --${flag} "25h" is longer than 24h\n`]);
    const { stderr: taken } = await runCommand(['serve', `--${flag}=24h`]);
    assert.match(taken, /^carm-webhook: a certificate is needed/);
  }
});

test('every flag that takes a duration is in the test above', async () => {
  for (const command of commands) {
    const { stdout } = await runCommand([command, '--help']);
    for (const [, flag] of stdout.matchAll(/--([a-z-]+) DURATION/g)) {
      assert.ok(['max-staleness', 'shutdown-delay', 'token-expiration'].includes(flag ?? ''), flag);
    }
  }
});

describe('a name that leads nowhere is told once, in one line', () => {
  let folder: string;
  let kubeconfig: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carm-names-'));
    kubeconfig = join(folder, 'config');
    const cluster = { name: 'one', cluster: { server: 'https://192.0.2.1' } };
    const context = { name: 'one', context: { cluster: 'one', user: 'one' } };
    await writeFile(kubeconfig, JSON.stringify({ clusters: [cluster], contexts: [context], users: [{ name: 'one' }] }));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const served = ['serve', '--log-level=silent', '--port=0', '--ops-port=0'];
  const once = ['inject', 'check', 'why'];
  const started: Readonly<Record<string, readonly string[]>> = {
    inject: ['inject', '-f', '-', '-n', 'team-a'],
    check: ['check'],
    why: ['why', 'namespace', 'team-a'],
    serve: [...served, '--tls-self-signed'],
  };
  const stdin = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a}]}\n';

  const cases: readonly [flag: string, exit: number, run: (bad: string) => readonly (readonly string[])[]][] = [
    ['filename', 2, bad => [['inject', '--state', demoState, '-f', bad]]],
    ['state', 2, bad => ['serve', ...once].map(name => [...(started[name] ?? []), '--state', bad])],
    ['kubeconfig', 3, bad => ['serve', ...once].map(name => [...(started[name] ?? []), '--kubeconfig', bad])],
    ['context', 3, bad => once.map(name => [...(started[name] ?? []), '--kubeconfig', kubeconfig, '--context', bad])],
    ['tls-cert-file', 2, bad => [[...served, '--tls-cert-file', bad, '--tls-private-key-file', kubeconfig]]],
    ['tls-private-key-file', 2, bad => [[...served, '--tls-cert-file', kubeconfig, '--tls-private-key-file', bad]]],
    [
      'client-ca-file',
      2,
      bad => [
        [
          ...served,
          ...['--tls-cert-file', kubeconfig, '--tls-private-key-file', kubeconfig],
          ...['--client-ca-file', bad],
        ],
      ],
    ],
    // An address for documentation, which no machine has: https://www.rfc-editor.org/rfc/rfc5737
    ['bind-address', 2, () => [[...(started['serve'] ?? []), '--state', demoState, '--bind-address', '192.0.2.1']]],
  ];
  for (const [flag, exit, argvs] of cases) {
    test(`--${flag}`, async () => {
      const bad = flag === 'bind-address' ? '192.0.2.1' : 'b@d';
      for (const argv of argvs(bad)) {
        const { code, stdout, stderr } = await runCommand(argv, { stdin });
        assert.deepEqual([code, stdout], [exit, ''], stderr);
        assert.match(stderr, /^carm-webhook: [^\n]+\n$/);
        assert.equal(timesIn(stderr, bad), 1, stderr);
      }
    });
  }

  test('are all flags that take a name', () => {
    assert.deepEqual(
      cases.map(([flag]) => flag),
      names,
    );
  });
});
