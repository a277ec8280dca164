import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { repositoryFolder } from '../deploy/helm.ts';

const main = join(repositoryFolder, '.ci', 'release', 'main.ts');

describe('the steps of a release, as commands', () => {
  for (const [what, args, message] of [
    [
      'a tag that is not this version',
      ['check', '--tag', 'v99.0.0'],
      /^v99\.0\.0 cannot be released:\n {2}package\.json has /,
    ],
    ['no tag', ['publish'], /^"" is not vMAJOR\.MINOR\.PATCH\n$/],
    ['an unknown option', ['check', '--tga', 'v1.0.0'], /^Unknown option '--tga'/],
  ] as const) {
    test(`${what}: exit code 2, and what is wrong`, { timeout: 30_000 }, async () => {
      const ended = promisify(execFile)(process.execPath, [main, ...args], { cwd: repositoryFolder });
      await assert.rejects(ended, (error: Error & { code?: number; stderr?: string }) => {
        assert.match(error.stderr ?? '', message);
        return error.code === 2;
      });
    });
  }
});
