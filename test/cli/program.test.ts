import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { calledAs, readProgram } from '../../src/cli/program.ts';
import { demoState, runCommand } from './command-runs.ts';

describe('the program', () => {
  test('is what it was started as', () => {
    assert.deepEqual(readProgram('/usr/bin/carm-webhook', ['check']), { program: 'carm-webhook', argv: ['check'] });
    assert.deepEqual(readProgram('/a/dist/carm-webhook.mjs', []), { program: 'carm-webhook', argv: [] });
    assert.deepEqual(readProgram('/usr/bin/kubectl-carm', ['why']), { program: 'kubectl carm', argv: ['why'] });
    const asked = { program: 'kubectl carm', argv: ['__complete', 'check', ''] };
    assert.deepEqual(readProgram('/usr/bin/kubectl_complete-carm', ['check', '']), asked);
    assert.equal(readProgram(undefined, []).program, 'carm-webhook');
  });

  test('is called by that name in help and hints, and nothing else is renamed', async () => {
    const { stdout } = await runCommand(['--help']);
    const names = [...((stdout.split('Commands:\n')[1] ?? '').split('\n\n')[0]?.matchAll(/^ {2}(\S+)/gm) ?? [])];
    for (const [, name = ''] of names) {
      const { stdout: help } = await runCommand([name, '--help']);
      const renamed = calledAs('kubectl carm', help);
      assert.match(renamed, new RegExp(`^Usage: kubectl carm ${name}`));
      assert.doesNotMatch(renamed, new RegExp(`carm-webhook ${name}\\b`));
      assert.equal(renamed.length, help.length);
    }
    const kept = 'deploy/carm-webhook check-now, the ClusterRole carm-webhook-reader, carm-webhook: no';
    assert.equal(calledAs('kubectl carm', kept), kept);
    assert.equal(calledAs('carm-webhook', 'carm-webhook check'), 'carm-webhook check');
    assert.equal((await runCommand(['check', '--state', demoState])).code, 1);
  });
});
