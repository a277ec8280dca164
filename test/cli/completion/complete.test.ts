import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runCommand } from '../command-runs.ts';

/** The words that may stand in place of the last one, without their help, and the line for the shell. */
async function completed(...words: readonly string[]): Promise<{ words: readonly string[]; beside: string }> {
  const { code, stdout, stderr } = await runCommand(['__complete', ...words]);
  assert.deepEqual([code, stderr], [0, '']);
  const lines = stdout.trimEnd().split('\n');
  return { words: lines.slice(0, -1).map(line => line.split('\t')[0] ?? ''), beside: lines.at(-1) ?? '' };
}

async function commandNames(): Promise<readonly string[]> {
  const { stdout } = await runCommand(['--help']);
  const list = (stdout.split('Commands:\n')[1] ?? '').split('\n\n')[0] ?? '';
  return [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name = '']) => name);
}

describe('completion', () => {
  test('offers every command, and help on each', async () => {
    const names = await commandNames();
    assert.deepEqual(await completed(''), { words: [...names, 'help'], beside: ':4' });
    assert.deepEqual(await completed('help', ''), { words: names, beside: ':4' });
    assert.deepEqual((await completed('ver')).words, ['verify', 'version']);
    const { stdout } = await runCommand(['__complete', 'la']);
    assert.equal(stdout, 'label\tLabel the namespaces that were bound before the webhook was installed\n:4\n');
  });

  test('offers the flags of each command as its help lists them', async () => {
    for (const name of await commandNames()) {
      const { stdout } = await runCommand([name, '--help']);
      const flags = [...stdout.matchAll(/^ {2}.{4}(--[a-z-]+)/gm)].map(([, flag]) => flag);
      assert.deepEqual((await completed(name, '--')).words, [...flags, '--help'], name);
    }
  });

  const cases: readonly (readonly [typed: readonly string[], words: readonly string[], beside: string])[] = [
    [['check', '--out'], ['--output'], ':4'],
    [['check', '-o', ''], ['table', 'json'], ':4'],
    [['check', '--output', 'j'], ['json'], ':4'],
    [['check', '--output=j'], ['--output=json'], ':4'],
    [['serve', '--default-mode', ''], ['enforce', 'warn', 'audit'], ':4'],
    [['check', '--default-region', ''], [], ':4'],
    [['check', '--kubeconfig', ''], [], ':0'],
    [['inject', '-f', ''], [], ':0'],
    [['check', '--state', ''], [], ':16'],
    [['check', '--state='], [], ':16'],
    [['check', '--nothing='], [], ':4'],
    [['check', ''], [], ':4'],
    [['why', 'd'], ['deployment', 'daemonset'], ':4'],
    [['why', '-n', 'team-a', 'pod'], ['pod', 'podtemplate'], ':4'],
    [['why', 'pod', ''], [], ':4'],
    [['label', '--dry-run', '--allow-'], ['--allow-left-out'], ':4'],
    [['completion', ''], ['bash', 'zsh', 'fish'], ':4'],
    [['help', 'check', ''], [], ':4'],
    [['no-command', '--'], [], ':4'],
    [['__complete', ''], [], ':4'],
  ];
  for (const [typed, words, beside] of cases) {
    test(`behind: ${typed.join(' ')}`, async () => assert.deepEqual(await completed(...typed), { words, beside }));
  }

  test('of a shell that there is no script for says which there are', async () => {
    const said = 'carm-webhook: completion takes one of: bash, zsh, fish';
    assert.deepEqual(await runCommand(['completion']), { code: 2, stdout: '', stderr: `${said}\n` });
    const other = await runCommand(['completion', 'tcsh']);
    assert.deepEqual([other.code, other.stderr], [2, `${said}, not "tcsh"\n`]);
  });
});
