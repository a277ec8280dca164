import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runCommand } from './command-runs.ts';

const commands = [
  'serve',
  'inject',
  'check',
  'label',
  'why',
  'verify',
  'iam',
  'startup-check',
  'remove-configurations',
  'completion',
  'version',
];

describe('help', () => {
  test('on help itself is the help on all commands', async () => {
    const { stdout } = await runCommand(['help']);
    assert.equal((await runCommand(['help', 'help'])).stdout, stdout);
  });

  test('lists the commands that there are, and none that are not', async () => {
    const { code, stdout } = await runCommand(['--help']);
    assert.equal(code, 0);
    const listed = [...((stdout.split('Commands:\n')[1] ?? '').split('\n\n')[0]?.matchAll(/^ {2}(\S+)/gm) ?? [])];
    assert.deepEqual(
      listed.map(([, name]) => name),
      commands,
    );
  });

  for (const name of commands) {
    test(`of ${name} fits in 100 columns, by --help, -h and help ${name}`, async () => {
      const { code, stdout, stderr } = await runCommand([name, '--help']);
      assert.deepEqual([code, stderr], [0, '']);
      const long = stdout.split('\n').filter(line => line.length > 100);
      assert.deepEqual(long, []);
      assert.match(stdout, new RegExp(`^Usage: carm-webhook ${name}`));
      assert.equal((await runCommand([name, '-h'])).stdout, stdout);
      assert.equal((await runCommand(['help', name])).stdout, stdout);
    });
  }

  for (const name of ['inject', 'check', 'label', 'why', 'verify', 'iam']) {
    test(`of ${name} has examples, and every flag that changes a decision`, async () => {
      const { stdout } = await runCommand([name, '--help']);
      const examples = stdout.split('Examples:\n')[1]?.split('\n\n')[0]?.split('\n') ?? [];
      assert.ok(examples.length >= 2);
      for (const example of examples) assert.match(example, new RegExp(`carm-webhook ${name} `));
      const flags = ['ack-system-namespace', 'feature-gates', 'default-region', 'default-mode', 'source-accounts'];
      const more = [
        'require-pods-key',
        'token-expiration',
        'workloads',
        'support-message',
        'max-staleness',
        'state',
        'kubeconfig',
      ];
      for (const flag of [...flags, ...more, 'context']) assert.ok(stdout.includes(` --${flag} `), flag);
    });
  }

  test('an unknown command is bad usage, with the known ones', async () => {
    const { code, stderr } = await runCommand(['verity']);
    assert.equal(code, 2);
    assert.equal(stderr, `carm-webhook: unknown command "verity"; commands are: ${commands.join(', ')}\n`);
  });
});
