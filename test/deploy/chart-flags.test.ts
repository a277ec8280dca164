import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type Flag, readFlags } from '../../src/cli/flags/flag.ts';
import { serveFlags } from '../../src/cli/serve/serve.ts';
import { chartValues } from './chart-values.ts';
import { withEachHelm } from './each-helm.ts';
import { templateChart } from './helm.ts';

/** Where a flag is set that is no key of `config`, with a value that is not its default. */
const elsewhere: Readonly<Record<string, readonly [value: object, text: string]>> = {
  port: [{ webhook: { port: 10250 } }, '10250'],
  'ops-port': [{ metrics: { port: 9090 } }, '9090'],
  'ack-system-namespace': [{ ack: { systemNamespaces: ['ack', 'ack-iam=iam+sts'] } }, 'ack,ack-iam=iam+sts'],
  'ack-identities': [{ ack: { identities: ['ack/s3'] } }, 'ack/s3'],
  'api-server-cidrs': [{ apiServer: { cidrs: ['10.0.0.0/28', '2001:db8::/64'] } }, '10.0.0.0/28,2001:db8::/64'],
  'authorize-bindings': [{ authorizeBindings: { enabled: true } }, 'true'],
  'verify-roles': [{ verifyRoles: { enabled: true } }, 'true'],
};

/** Set by the chart itself: the files of the certificate. */
const ownFiles = ['tls-cert-file', 'tls-private-key-file'];
/** For a server outside a cluster. */
const outsideClusters = ['tls-self-signed', 'kubeconfig', 'state'];

/** A value of `config` that is not the default, for each flag, and what the flag would be given. */
const inConfig: Readonly<Record<string, readonly [value: unknown, text: string]>> = {
  'feature-gates': [{ TeamLevelCARM: true, ServiceLevelCARM: false }, 'ServiceLevelCARM=false,TeamLevelCARM=true'],
  'default-region': ['eu-central-1', 'eu-central-1'],
  'default-mode': ['audit', 'audit'],
  'source-accounts': [['111122223333', '444455556666'], '111122223333,444455556666'],
  credentials: ['chain', 'chain'],
  'hub-role-arn': ['arn:aws:iam::111122223333:role/hub', 'arn:aws:iam::111122223333:role/hub'],
  'external-id': ['{account}-x', '{account}-x'],
  'require-pods-key': [true, 'true'],
  'token-expiration': ['3600s', '3600s'],
  'role-session-name': ['none', 'none'],
  'disable-instance-metadata': ['always', 'always'],
  workloads: ['deny', 'deny'],
  'unbound-resources': ['deny', 'deny'],
  'restore-identities': [['velero/velero'], 'velero/velero'],
  'allowed-endpoint-urls': [['https://s3.example.com'], 'https://s3.example.com'],
  'cross-namespace-references': [['*:shared', 'a:b'], '*:shared,a:b'],
  'support-message': ['Ask "us": $(POD_NAMESPACE) | #help', 'Ask "us": $$(POD_NAMESPACE) | #help'],
  'max-staleness': ['2m', '2m'],
  'shutdown-delay': ['15s', '15s'],
  'log-level': ['debug', 'debug'],
  'bind-address': ['::', '::'],
  'tls-min-version': ['VersionTLS12', 'VersionTLS12'],
  'client-ca-file': ['/etc/ca/ca.crt', '/etc/ca/ca.crt'],
};

const keyOf = (flag: string): string => flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
const flags: readonly Flag<unknown>[] = Object.values(serveFlags);

test('every flag of serve is a value of the chart, and every value of config a flag', () => {
  const known = [...Object.keys(elsewhere), ...ownFiles, ...outsideClusters, ...Object.keys(inConfig)];
  assert.deepEqual(flags.map(({ name }) => name).sort(), known.sort());
  const config = chartValues().filter(({ path }) => path.startsWith('config.'));
  assert.deepEqual(
    config.map(({ path }) => path).sort(),
    Object.keys(inConfig)
      .map(name => `config.${keyOf(name)}`)
      .sort(),
  );
  for (const { path, description } of config) {
    const [, name = ''] = /^`--([a-z-]+)`: /.exec(description) ?? [];
    assert.equal(path, `config.${keyOf(name)}`);
  }
});

withEachHelm('the flags of serve', helm => {
  const argsOf = async (values: object): Promise<readonly string[]> => {
    const text = await templateChart(helm, { image: { repository: 'x' }, ...values });
    const objects = parseAllDocuments(text).map(document => document.toJS());
    const [command, ...args] = objects.find(object => object?.kind === 'Deployment').spec.template.spec.containers[0]
      .args;
    assert.equal(command, 'serve');
    return args;
  };
  const unset = [
    '--tls-cert-file=/etc/carm-webhook/tls/tls.crt',
    '--tls-private-key-file=/etc/carm-webhook/tls/tls.key',
    '--ack-system-namespace=ack-system',
  ];

  test('are the defaults without values', async () => assert.deepEqual(await argsOf({}), unset));

  test('are given by the values, all of config at once, and the server takes them', async () => {
    const config = Object.fromEntries(Object.entries(inConfig).map(([name, [value]]) => [keyOf(name), value]));
    const args = await argsOf({ config });
    for (const [name, [, text]] of Object.entries(inConfig)) {
      assert.ok(args.includes(text === 'true' ? `--${name}` : `--${name}=${text}`), name);
    }
    assert.equal(args.length, unset.length + Object.keys(inConfig).length);
    const { values, positionals } = readFlags(serveFlags, args, {});
    assert.deepEqual(positionals, []);
    const plain = readFlags(serveFlags, unset, {}).values;
    for (const [key, flag] of Object.entries(serveFlags)) {
      if (!(flag.name in inConfig)) continue;
      assert.notDeepEqual(values[key as keyof typeof values], plain[key as keyof typeof plain], flag.name);
    }
  });

  for (const [name, [value, text]] of Object.entries(elsewhere)) {
    test(`--${name} is given by ${JSON.stringify(value)}`, async () => {
      const args = await argsOf(value);
      assert.ok(args.includes(text === 'true' ? `--${name}` : `--${name}=${text}`), args.join(' '));
      readFlags(serveFlags, args, {});
    });
  }

  test('outside clusters can be given too', async () =>
    assert.deepEqual(await argsOf({ extraArgs: ['--state=/state'] }), [...unset, '--state=/state']));
});
