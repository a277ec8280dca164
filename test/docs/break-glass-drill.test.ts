import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pageBlocks } from '../e2e/page-blocks.ts';

const script = join(import.meta.dirname, '..', '..', 'deploy', 'examples', 'break-glass-drill.sh');
const text = readFileSync(script, 'utf8');
const page = pageBlocks('break-glass.md', 'sh');
const limitMs = 10_000;

/** What a function of the script does, without its indentation. */
function bodyOf(name: string): string {
  const [, body = ''] = new RegExp(`^${name}\\(\\) \\{\\n([\\s\\S]*?)^\\}$`, 'm').exec(text) ?? [];
  return body.replace(/^ {2}/gm, '');
}

describe('the drill frees the cluster by the commands of docs/break-glass.md', () => {
  const ways = [
    ['Bypass the webhook once', 'bypass_the_webhook_once'],
    ['Let one namespace through', 'let_one_namespace_through'],
    ['Free the whole cluster', 'free_the_whole_cluster'],
  ] as const;
  for (const [heading, name] of ways) {
    test(`${heading}: word for word, in a step of this name`, () => {
      const [command] = page.get(heading) ?? [];
      assert.ok(command !== undefined && command !== '');
      assert.equal(bodyOf(name), command);
      assert.match(text, new RegExp(`^step '${heading}'\\n${name} `, 'm'));
    });
  }
});

describe('the arguments of the drill', () => {
  let folder: string;
  let called: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'carm-webhook-drill-'));
    called = join(folder, 'called');
    // Knows its current context and nothing else.
    const kubectl = `#!/bin/sh\n[ "$*" != 'config current-context' ] || { echo production; exit 0; }\necho "$*" >>${called}\nexit 1\n`;
    writeFileSync(join(folder, 'kubectl'), kubectl);
    chmodSync(join(folder, 'kubectl'), 0o755);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...flags: readonly string[]) =>
    spawnSync('/bin/sh', [script, ...flags], {
      encoding: 'utf8',
      timeout: limitMs,
      env: { PATH: [folder, process.env['PATH']].join(delimiter) },
    });

  const wrong: readonly (readonly [said: RegExp, ...flags: string[]])[] = [
    [/--account must be 12 digits/],
    [/--account must be 12 digits/, '--account=11112222333a'],
    [/--account must be 12 digits/, '--account=1111222233334', '--yes-this-is-a-test-cluster'],
    [/--limit must be a number/, '--account=111122223333', '--limit=1m'],
    [/--limit must be a number/, '--account=111122223333', '--limit=10000'],
    [/Unknown argument --force/, '--force'],
    [/add --yes-this-is-a-test-cluster if it is one/, '--account=111122223333'],
    [/add --yes-this-is-a-test-cluster if it is one/, '--restore'],
  ];
  for (const [said, ...flags] of wrong) {
    test(`${flags.join(' ') || 'none'}: 2, and the cluster is not asked`, () => {
      const { status, stderr } = run(...flags);
      assert.match(stderr, said);
      assert.equal(status, 2);
      assert.equal(existsSync(called), false);
    });
  }

  test('--help says what each is', () => {
    const { status, stdout } = run('--help');
    assert.equal(status, 0);
    const handled = [...text.matchAll(/^ {4}(--[a-z-]+)(?:=\*)?\)/gm)].map(([, flag = '']) => flag);
    assert.ok(handled.length > 5);
    for (const flag of handled) if (flag !== '--help') assert.match(stdout, new RegExp(`^  ${flag}\\b`, 'm'));
  });

  test('an API server that does not answer: 3, and every call names the context', () => {
    const { status, stderr } = run('--account=111122223333', '--yes-this-is-a-test-cluster');
    assert.match(stderr, /NOT STARTED: the API server does not answer/);
    assert.equal(status, 3);
    const calls = readFileSync(called, 'utf8').trim().split('\n');
    assert.ok(calls.every(call => call.startsWith('--context=production ')));
    assert.ok(
      calls.every(call => / (get|auth) /.test(call)),
      calls.join('\n'),
    );
  });
});
