import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { before, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { builtBundle } from '../built-bundle.ts';
import { wantsColour } from './terminal.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const limitMs = 20_000;

function runDemo(env: Record<string, string> = {}, folder = root) {
  const { NO_COLOR: _, FORCE_COLOR: __, ...own } = process.env;
  const child = spawn(process.execPath, [join(folder, 'test/demo/demo.ts')], { cwd: root, env: { ...own, ...env } });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const ended = Promise.withResolvers<number | null>();
  child.once('close', code => {
    clearTimeout(timer);
    ended.resolve(code);
  });
  return { child, result: Promise.all([ended.promise, text(child.stdout), text(child.stderr)]) };
}

/** Processes whose command line names the state folder. */
async function serversOn(state: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map(pid => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter(line => line.includes(state) && line.includes('serve'));
}

async function copyOfDemo(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-demo-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const part of ['test/demo', 'test/testbed/supervised-process.ts', 'dist', 'package.json']) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

describe('the demo', () => {
  before(() => void builtBundle());

  /** As it runs in a pipe, once for all who look at it. */
  let running: ReturnType<typeof runDemo>['result'] | undefined;
  const plainRun = () => {
    running ??= runDemo().result;
    return running;
  };

  test('shows six answers of the built server, without colours in a pipe, exit 0', async () => {
    const [code, stdout, stderr] = await plainRun();
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(stdout.match(/^\d\. /gm)?.length, 6);
    assert.match(stdout, /^ {2}\+ {8}- name: AWS_ROLE_ARN$/m);
    assert.match(
      stdout,
      /Error from server \(Forbidden\): admission webhook "pods\.carm-webhook\.dev" denied the request: /,
    );
    assert.match(stdout, /^ {2}Warning: carm-webhook: pods of Deployment "web" will not start: /m);
    assert.match(stdout, /\(AccountNotMapped\)[\s\S]*\(RoleOutsideAccount\)/);
    assert.match(stdout, /6 of 6 answers are as expected/);
    assert.ok(!stdout.includes('\u001b'));
  });

  test('the commands that it names work', async () => {
    const [, stdout] = await plainRun();
    const commands = [...stdout.matchAll(/^ {2}carm-webhook (.*)$/gm)].map(([, line = '']) => line.split(' '));
    assert.equal(commands.length, 3);
    for (const command of commands) {
      const child = spawn(process.execPath, ['dist/carm-webhook.mjs', ...command], { cwd: root, timeout: limitMs });
      const ended = Promise.withResolvers<number | null>();
      child.once('close', ended.resolve);
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
      assert.ok([0, 1].includes((await ended.promise) ?? -1), `${command.join(' ')}: ${err}`);
      assert.ok(out.length > 50);
    }
  });

  test('colours with FORCE_COLOR, on a terminal, never with NO_COLOR', async () => {
    const [, stdout] = await runDemo({ FORCE_COLOR: '1' }).result;
    assert.ok(stdout.includes('\u001b[32m'));
    assert.equal(wantsColour({}, { isTTY: true }), true);
    assert.equal(wantsColour({ NO_COLOR: '1' }, { isTTY: true }), false);
    assert.equal(wantsColour({ NO_COLOR: '1', FORCE_COLOR: '1' }, { isTTY: false }), false);
  });

  test('an answer that is not as it should be: exit 1, one line that says which, no process left', async t => {
    const folder = await copyOfDemo(t);
    // Without the binding of team-a nothing is injected.
    await rm(join(folder, 'test/demo/state/ack-system.yaml'));
    const [code, , stderr] = await runDemo({}, folder).result;
    assert.equal(code, 1);
    assert.match(stderr, /^\ndemo: it must be allowed/);
    assert.deepEqual(await serversOn(folder), []);
  });

  test('a server that does not start: exit 1 with its word', async t => {
    const folder = await copyOfDemo(t);
    await rm(join(folder, 'test/demo/state'), { recursive: true });
    const [code, , stderr] = await runDemo({}, folder).result;
    assert.equal(code, 1);
    assert.match(stderr, /demo: the server did not start: carm-webhook: cannot read the state folder/);
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`${signal} in the middle leaves no process`, async t => {
      const folder = await copyOfDemo(t);
      const { child, result } = runDemo({}, folder);
      child.stdout.once('data', () => child.kill(signal));
      const [code] = await result;
      if (signal === 'SIGINT') assert.ok(code === 1 || code === 0);
      const deadline = performance.now() + 5_000;
      while ((await serversOn(folder)).length > 0) {
        assert.ok(performance.now() < deadline, 'the server is still there');
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    });
  }
});
