import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { demoState, inRepository, runCommand } from '../command-runs.ts';

const pod = inRepository('test/demo/web.yaml');
const state = ['--state', demoState] as const;

/** Command lines that are good as they are. */
const good: readonly (readonly string[])[] = [
  ['inject', '-f', pod, ...state],
  ['check', ...state],
  ['why', 'namespace', 'team-a', ...state],
  ['version'],
  ['--version'],
  ['help'],
  ['help', 'why'],
  ['--help'],
];

/** They end, one way or another; `serve` would not. */
const served = ['serve', '--tls-self-signed', ...state, '--port=0', '--ops-port=0', '--log-level=silent'];

describe('an argument that no command takes is exit 2, one line that quotes it', () => {
  async function refused(argv: readonly string[], said: string): Promise<void> {
    const { code, stdout, stderr } = await runCommand(argv);
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, /^carm-webhook: [^\n]+\n$/);
    assert.equal(stderr.split(said).length, 2, stderr);
  }

  for (const argv of good) {
    test(argv.slice(0, 2).join(' '), async () => {
      assert.notEqual((await runCommand(argv)).code, 2);
      await refused([...argv, 'un\u001bexpected'], 'un\\u001bexpected');
      await refused([...argv, 'un\u009bexpected\u202e'], 'un\\u009bexpected\\u202e');
    });
  }

  for (const argv of [served, ...good].filter(([name]) => !/help/.test(name ?? ''))) {
    test(`${argv[0]}: at its start, after --, and one that is long`, async () => {
      const [name = '', ...rest] = argv;
      await refused([name, 'unexpected', ...rest], 'unexpected');
      await refused([...argv, '--', '--unexpected'], '--unexpected');
      const { stderr } = await runCommand([...argv, 'x'.repeat(100_000)]);
      assert.ok(stderr.length < 400);
    });
  }

  test('a flag of a command that has none', async () => {
    for (const name of ['version', '--version']) {
      const { code, stdout, stderr } = await runCommand([name, '--unexpected']);
      assert.deepEqual([code, stdout], [2, '']);
      assert.equal(
        stderr,
        'carm-webhook: unknown flag "--unexpected". `carm-webhook version --help` lists the flags\n',
      );
    }
  });

  for (const [given, meant] of [
    ['--kubeconfg', '--kubeconfig'],
    ['--file-name', '--filename'],
    ['--requirepodskey', '--require-pods-key'],
    ['--default_region', '--default-region'],
    ['--Namespace', '--namespace'],
    ['--sate', '--state'],
    ['--nope', undefined],
    ['--all', undefined],
    ['-z', undefined],
    [`--${'x'.repeat(100_000)}`, undefined],
  ] as const) {
    test(`the flag that is meant by ${given.slice(0, 20)}: ${meant}`, async () => {
      const { code, stdout, stderr } = await runCommand(['inject', given]);
      assert.deepEqual([code, stdout], [2, '']);
      const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
      assert.ok(stderr.startsWith(`carm-webhook: unknown flag "${given.slice(0, 100)}`), stderr);
      assert.ok(stderr.endsWith(`".${hint} \`carm-webhook inject --help\` lists the flags\n`), stderr);
      assert.ok(stderr.length < 400);
    });
  }

  test('help on what is no command', async () => {
    for (const word of ['help', '--help', '-h']) {
      const { code, stderr } = await runCommand([word, 'verity']);
      assert.equal(code, 2);
      assert.match(stderr, /^carm-webhook: unknown command "verity"; commands are: serve, /);
    }
  });

  test('but --help wins over them', async () => {
    for (const name of ['serve', 'inject', 'check', 'why', 'verify', 'version']) {
      const { code, stdout } = await runCommand([name, 'unexpected', '--help']);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^Usage: carm-webhook ${name}`));
    }
    assert.equal((await runCommand(['--help', '--state'])).code, 0);
  });
});
