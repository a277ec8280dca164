/*
 * `make playground NODE=1`, as a person uses it: from outside the node's namespaces, so not with the other e2e-node tests.
 * `node --test test/e2e-node/outside/playground.e2e.ts`, as root, after `make playground NODE=1` has made what it needs.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, test } from 'node:test';
import { eventually } from '../../e2e/eventually.ts';
import { childrenOf, inShell, PlaygroundRun, type ShellResult } from '../../e2e/playground-run.ts';
import { SupervisedProcess } from '../../testbed/supervised-process.ts';
import { controlGroupsNamed, machineState, processesOf } from './machine-state.ts';

const program = join(import.meta.dirname, '..', '..', 'testbed', 'playground-node.ts');
const startLimitMs = 180_000;
const testLimit = { timeout: 400_000 };
const endLimitMs = 60_000;
const prefix = 'carm-webhook-node-';

/** By the files that show it. */
const startMoments = {
  'at once': '',
  'when it has a folder': '.',
  'when its control plane starts': '*/data/etcd',
  'when its node starts': '*/data/node/kubelet',
} as const;

const role = 'arn:aws:iam::111122223333:role/shop-pods';

/** What names the control groups and the folder of a run. */
function nameOf(playground: PlaygroundRun): string {
  const name = playground.valueOf(`Logs: ${tmpdir()}/`).split('/')[0] ?? '';
  assert.ok(name.startsWith(prefix));
  return name;
}

function succeeded(command: string, { code, stdout, stderr }: ShellResult): string {
  assert.equal(code, 0, `${command}\n${stdout}${stderr}`);
  return stdout;
}

describe('make playground NODE=1', () => {
  let playground: PlaygroundRun | undefined;

  const start = async (): Promise<PlaygroundRun> => {
    playground = await PlaygroundRun.start(program, startLimitMs);
    return playground;
  };
  afterEach(() => playground?.stop(), { timeout: endLimitMs });

  test('prints commands that show what they say, and Ctrl-C leaves nothing of it', testLimit, async () => {
    const before = machineState();
    const played = await start();
    const name = nameOf(played);
    const [run, wait, env, token, debug, logs, stray, list, remove, again, scale, rollout, annotate, ...more] =
      played.linesWith('kubectl ');
    assert.deepEqual(more, []);
    const type = async (command = ''): Promise<string> => succeeded(command, await played.type(command));

    await type(run);
    await type(wait);
    assert.equal(await type('kubectl get pod web -n shop -o jsonpath={.status.phase}'), 'Running');
    assert.match(await type(env), new RegExp(`^AWS_ROLE_ARN=${role}$`, 'm'));
    const [, claims = ''] = (await type(token)).split('.');
    const { aud, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { aud: unknown; sub: unknown };
    assert.deepEqual([aud, sub], [['sts.amazonaws.com'], 'system:serviceaccount:shop:default']);
    assert.match(await type(debug), new RegExp(`^AWS_ROLE_ARN=${role}$`, 'm'));
    assert.match(await type(logs), new RegExp(`^AWS_ROLE_ARN=${role}$`, 'm'));

    const refused = await played.type(stray ?? '');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /\(RoleOutsideAccount\)/);

    assert.equal((await type(list)).match(/ 1\/1 +Running /g)?.length, 2);
    assert.match(await type(remove), /^pod "carm-webhook-\S+" deleted/);
    await type(again);
    await type(scale);
    assert.match(await type(rollout), /successfully rolled out/);
    const annotated = await played.type(annotate ?? '');
    assert.match(annotated.stderr, /^Warning: .*444455556666/m);

    assert.ok(processesOf(name).some(line => line.includes('containerd-shim')));
    assert.ok(controlGroupsNamed(name).length > 0);
    const server = await type('kubectl config view -o jsonpath={.clusters[0].cluster.server}');
    await played.interrupt();
    // At once: it ends when all is gone.
    assert.deepEqual([processesOf(name), controlGroupsNamed(name)], [[], []]);
    assert.equal(existsSync(join(tmpdir(), name)), false);
    assert.deepEqual(machineState(), before);
    await assert.rejects(fetch(server), /fetch failed/);
  });

  test("after SIGKILL nothing but the plane's logs is left", testLimit, async () => {
    const before = machineState();
    const played = await start();
    const name = nameOf(played);
    const [run = '', wait = ''] = played.linesWith('kubectl ');
    succeeded(run, await played.type(run));
    succeeded(wait, await played.type(wait));
    played.process.signal('SIGKILL');
    const kept = () =>
      ['*', '*/*']
        .flatMap(files => globSync(join(tmpdir(), name, files)))
        .map(path => basename(path))
        .sort();
    const isGone = () => {
      const [plane = '', ...more] = kept();
      const isKept = plane.startsWith('carm-webhook-plane-') && more.join() === 'logs';
      return isKept && processesOf(name).length + controlGroupsNamed(name).length === 0 ? true : undefined;
    };
    await eventually('all but the logs is gone', isGone, endLimitMs);
    assert.deepEqual(machineState(), before);
  });

  for (const [moment, files] of Object.entries(startMoments)) {
    test(`Ctrl-C while it starts, ${moment}, leaves nothing of it`, testLimit, async t => {
      const starting = new SupervisedProcess(process.execPath, [program]);
      starting.stdout?.resume();
      const errors = starting.stderr === null ? '' : text(starting.stderr);
      t.after(() => starting.stop(endLimitMs));
      const isThere = async () => (await childrenOf(starting.pid, 'run-isolated.ts'))[0];
      const pid = await eventually('it starts', isThere, startLimitMs);
      const left = () =>
        ['/sys/fs/cgroup/', '/sys/fs/cgroup/*/', `${tmpdir()}/`].flatMap(folder =>
          globSync(`${folder}${prefix}${pid}-*`),
        );
      const seen = () =>
        files === '' || globSync(`${tmpdir()}/${prefix}${pid}-*/${files}`).length > 0 ? true : undefined;
      await eventually(moment, seen, startLimitMs);
      starting.signal('SIGINT');
      const end = await starting.wait(startLimitMs);
      assert.deepEqual(end, { code: 0, signal: null }, await errors);
      await eventually('nothing is left', () => (left().length === 0 ? true : undefined), endLimitMs);
    });
  }

  test('without root it says so and starts nothing', testLimit, async () => {
    const command = `setpriv --reuid=65534 --clear-groups ${process.execPath} ${program}`;
    const { code, stdout, stderr } = await inShell(command);
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, /a node needs root/);
  });
});
