import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { carmWebhookProgram } from '../../e2e/program-folder.ts';

const limitMs = 20_000;

/** Real shells, each with the script that the built program prints. */
describe('the completion script', () => {
  let folder: string;
  let path: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'carm-completion-'));
    mkdirSync(join(folder, 'manifests'));
    path = [carmWebhookProgram(folder), process.env['PATH']].join(delimiter);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(t: TestContext, shell: string, args: readonly string[]): readonly string[] | undefined {
    const env = { PATH: path, HOME: folder, TERM: 'dumb' };
    const { error, status, stdout, stderr } = spawnSync(shell, args, {
      cwd: folder,
      env,
      encoding: 'utf8',
      timeout: limitMs,
    });
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
      t.skip(`${shell} is not installed`);
      return undefined;
    }
    assert.deepEqual([status, stderr], [0, ''], stdout);
    return stdout.split('\n').filter(line => line !== '');
  }

  /** What bash would offer, with its words as bash itself splits them. */
  function byBash(t: TestContext, ...typed: readonly string[]): readonly string[] | undefined {
    const words = ['carm-webhook', ...typed].map(word => `'${word}'`).join(' ');
    const script = [
      'source <(carm-webhook completion bash)',
      'complete -p carm-webhook > /dev/null',
      `COMP_WORDS=(${words}); COMP_CWORD=${typed.length}`,
      '_carm_webhook carm-webhook',
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ].join('\n');
    return run(t, 'bash', ['--norc', '-c', script]);
  }

  const cases: readonly (readonly [what: string, typed: readonly string[], offered: readonly string[]])[] = [
    ['commands', ['ver'], ['verify', 'version']],
    ['flags', ['check', '--out'], ['--output']],
    ['values', ['check', '--output', ''], ['table', 'json']],
    ['folders', ['check', '--state', 'mani'], ['manifests']],
    ['nothing', ['check', ''], []],
  ];
  for (const [what, typed, offered] of cases) {
    test(`bash: ${what}`, t => {
      const found = byBash(t, ...typed);
      if (found !== undefined) assert.deepEqual(found, offered);
    });
  }

  test('bash: values behind "=", which is a word of its own there', t => {
    const found = byBash(t, 'check', '--output', '=', 't');
    if (found !== undefined) assert.deepEqual(found, ['table']);
    const all = byBash(t, 'check', '--output', '=');
    if (all !== undefined) assert.deepEqual(all, ['table', 'json']);
  });

  const byFish: readonly (readonly [line: string, offered: readonly string[]])[] = [
    ['carm-webhook ver', ['verify', 'version']],
    ['carm-webhook check --out', ['--output']],
    ['carm-webhook check --output ', ['json', 'table']],
    ['carm-webhook check --output=j', ['--output=json']],
    ['carm-webhook check --state mani', ['manifests/']],
    ['carm-webhook check --state=mani', ['--state=manifests/']],
  ];
  for (const [line, offered] of byFish) {
    test(`fish: ${line}`, t => {
      const script = `carm-webhook completion fish | source; complete --do-complete '${line}'`;
      const found = run(t, 'fish', ['--no-config', '--command', script]);
      if (found !== undefined) assert.deepEqual(found.map(each => each.split('\t')[0]).sort(), offered);
    });
  }

  const byZsh: readonly (readonly [typed: string, line: string])[] = [
    ['carm-webhook verif', 'carm-webhook verify '],
    ['carm-webhook check --out', 'carm-webhook check --output '],
    ['carm-webhook check --output=js', 'carm-webhook check --output=json '],
    ['carm-webhook check --state mani', 'carm-webhook check --state manifests/'],
    ['carm-webhook check --state=mani', 'carm-webhook check --state=manifests/'],
  ];
  for (const [typed, line] of byZsh) {
    test(`zsh: ${typed}`, t => {
      // An inner zsh with a terminal of its own, for whom someone types and presses Tab.
      const script = [
        'zmodload zsh/zpty',
        'zpty inner zsh -f -i',
        "zpty -w inner 'PS1=; autoload -U compinit; compinit -u -D; source <(carm-webhook completion zsh)'",
        // What stands in the line is told by a key.
        'zpty -w inner \'tell() { print -r -- "<<$BUFFER>>" > line; }; zle -N tell; bindkey "^X" tell; print ready > ready\'',
        'for ((i = 0; i < 100; i++)); do [[ -e ready ]] && break; sleep 0.1; done',
        `zpty -n -w inner $'${typed}\\t'`,
        "zpty -n -w inner $'\\x18'",
        'for ((i = 0; i < 50; i++)); do [[ -s line ]] && break; sleep 0.1; done',
        'cat line; rm -f line ready; zpty -d inner',
      ].join('\n');
      const found = run(t, 'zsh', ['-f', '-c', script]);
      if (found !== undefined) assert.deepEqual(found, [`<<${line}>>`]);
    });
  }
});
