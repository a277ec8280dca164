import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { runStep } from '../../.ci/image/run-step.ts';
import { folderOf } from './folder-of.ts';

const programs = ['node', 'npm'];

describe('RUN without a container engine', () => {
  for (const command of [
    'apt-get install -y curl',
    '/usr/bin/node a.mjs',
    './node a.mjs',
    'A=1 node a.mjs',
    'node a.mjs && touch b',
    'node a.mjs; touch b',
    'node a.mjs | tee b',
    'node a.mjs > b',
    'node $HOME',
    'node `pwd`',
    'node "a b"',
    'node *.mjs',
    'node ~/a.mjs',
    'node /carm-webhook/a.mjs',
    'node --import=/a.mjs b.mjs',
    'node ../a.mjs',
    'node b/../../a.mjs',
    'node --import=../a.mjs b.mjs',
  ]) {
    test(`does not run ${command}`, async t => {
      const cwd = await folderOf(t, { 'a.mjs': "import 'node:fs'; process.exit(0);", 'b.mjs': '' });
      const problem = await runStep({ command, cwd, env: new Map(), programs });
      assert.match(problem ?? '', /^without a container engine /);
    });
  }

  test('runs no program that the base has not', async t => {
    const problem = await runStep({ command: 'node a', cwd: await folderOf(t), env: new Map(), programs: [] });
    assert.equal(problem, 'without a container engine it can run no program, not "node"');
  });

  test('runs this Node.js in its folder, with its variables and without those that change what npm installs', async t => {
    const cwd = await folderOf(t, {
      'a.mjs':
        "import { writeFileSync } from 'node:fs'; writeFileSync('out', JSON.stringify([process.execPath, process.argv.slice(2), process.env]));",
    });
    const env = new Map([['MODE', 'of the stage']]);
    assert.equal(await runStep({ command: 'node  a.mjs --b=c @d/e:1', cwd, env, programs }), undefined);
    const [execPath, words, seen] = JSON.parse(await readFile(join(cwd, 'out'), 'utf8'));
    assert.ok(seen.PATH.startsWith(`${dirname(process.execPath)}:`));
    assert.deepEqual([execPath, words, seen.MODE], [process.execPath, ['--b=c', '@d/e:1'], 'of the stage']);
    assert.deepEqual(
      Object.keys(seen).filter(name => /^(?:NODE_ENV|npm_(?!config_).*)$/.test(name)),
      [],
    );
  });

  test('ends with the last lines of a command that fails', async t => {
    const cwd = await folderOf(t, {
      'a.mjs': 'for (let i = 0; i < 100; i++) console.error("line " + i); process.exit(3);',
    });
    const problem = await runStep({ command: 'node a.mjs', cwd, env: new Map(), programs });
    assert.match(problem ?? '', /^node a\.mjs ended with 3\nline 80\n(?:line \d+\n)*line 99$/);
  });

  test('says when npm cannot reach its registry', async t => {
    const cwd = await folderOf(t, { 'a.mjs': "console.error('npm error code EAI_AGAIN'); process.exit(1);" });
    const problem = await runStep({ command: 'node a.mjs', cwd, env: new Map(), programs });
    assert.match(problem ?? '', /\nnpm cannot reach its registry \(EAI_AGAIN\)\. /);
  });
});
