import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { repositoryFolder } from '../deploy/helm.ts';
import { releaseTool } from '../testbed/binaries.ts';

/** Whether or not this machine has the linters of scripts that actionlint would call. */
const args = ['-shellcheck=', '-pyflakes=', '-no-color'];

test('actionlint finds nothing in the workflows', { timeout: 30_000 }, async () => {
  const { stdout } = await promisify(execFile)(releaseTool('actionlint'), args, { cwd: repositoryFolder });
  assert.equal(stdout, '');
});

test('actionlint would find what is wrong', { timeout: 30_000 }, async () => {
  const expression = ['$', '{{ github.no_such }}'].join('');
  const workflow = `on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${expression}\n`;
  const child = promisify(execFile)(releaseTool('actionlint'), [...args, '-'], { cwd: repositoryFolder });
  child.child.stdin?.end(workflow);
  await assert.rejects(child, (error: Error & { stdout?: string }) =>
    /"no_such" is not defined/.test(error.stdout ?? ''),
  );
});
