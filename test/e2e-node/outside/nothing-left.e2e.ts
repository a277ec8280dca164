import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '../../e2e/eventually.ts';
import { SupervisedProcess } from '../../testbed/supervised-process.ts';
import { controlGroupsNamed, machineState, networkNamespacesOf, processesOf } from './machine-state.ts';

const runner = join(import.meta.dirname, '..', '..', 'testbed', 'node', 'run-isolated.ts');
const inside = join(import.meta.dirname, 'node-with-a-pod.ts');
const testLimit = { timeout: 120_000 };
const startLimitMs = 90_000;
const endLimitMs = 30_000;

interface RunningNode {
  readonly process: SupervisedProcess;
  /** The name of its control groups and of the folder of its files. */
  readonly name: string;
}

/** A node with a pod, in a process of its own, and proof that it is there. */
async function startNode(): Promise<RunningNode> {
  const started = new SupervisedProcess(process.execPath, [runner, process.execPath, inside]);
  let said = '';
  const onData = (chunk: unknown): void => {
    said += String(chunk);
  };
  started.stdout?.on('data', onData);
  started.stderr?.on('data', onData);
  const name = await eventually(
    'a node with a pod',
    () => {
      assert.equal(started.end, undefined, said);
      return /^running in (.+)$/m.exec(said)?.[1];
    },
    startLimitMs,
  );
  const running = processesOf(name);
  // Of containers too: the pause container and the one beside it.
  for (const program of ['kubelet', 'containerd', 'containerd-shim', 'kube-apiserver', 'sleep']) {
    assert.ok(
      running.some(line => line.includes(program)),
      `${program}: ${running.join(', ')}`,
    );
  }
  assert.ok(controlGroupsNamed(name).length > 0);
  // The node's and the pod's.
  assert.equal(networkNamespacesOf(running).length, 2);
  return { process: started, name };
}

async function assertNothingLeft({ name }: RunningNode, before: object): Promise<void> {
  await eventually(
    `${name} is gone`,
    () => (processesOf(name).length === 0 && controlGroupsNamed(name).length === 0 ? true : undefined),
    endLimitMs,
  );
  await eventually(
    'its data is removed',
    () => (globSync(join(tmpdir(), name, '*', 'data')).length === 0 ? true : undefined),
    endLimitMs,
  );
  assert.deepEqual(machineState(), before);
}

describe('a node leaves nothing behind', () => {
  test('while it runs, the machine outside its namespaces is as before', testLimit, async () => {
    const before = machineState();
    const node = await startNode();
    assert.deepEqual(machineState(), before);
    node.process.signal('SIGTERM');
    assert.deepEqual(await node.process.wait(endLimitMs), { code: 0, signal: null });
    // Whoever waits for the process finds everything gone, at once.
    assert.deepEqual([processesOf(node.name), controlGroupsNamed(node.name)], [[], []]);
    assert.equal(existsSync(join(tmpdir(), node.name)), false);
    assert.deepEqual(machineState(), before);
  });

  test('after SIGKILL of whoever started it', testLimit, async () => {
    const before = machineState();
    const node = await startNode();
    node.process.signal('SIGKILL');
    await assertNothingLeft(node, before);
  });

  test('after SIGKILL of that and of what would clean up: the next run does', testLimit, async () => {
    const before = machineState();
    const node = await startNode();
    const reapers = pidsOf('reaper.sh', node.name);
    assert.equal(reapers.length, 1);
    for (const pid of reapers) process.kill(pid, 'SIGKILL');
    node.process.signal('SIGKILL');
    await node.process.ended;
    // Nobody was left to end it.
    assert.ok(processesOf(node.name).length > 0);
    const next = new SupervisedProcess(process.execPath, [runner, 'true']);
    next.stdout?.resume();
    next.stderr?.resume();
    assert.deepEqual(await next.wait(endLimitMs), { code: 0, signal: null });
    await assertNothingLeft(node, before);
  });

  test('within another one it does not start: it could not tell the living from the dead', testLimit, async () => {
    const nested = new SupervisedProcess(process.execPath, [runner, process.execPath, runner, 'true']);
    nested.stdout?.resume();
    nested.stderr?.resume();
    assert.deepEqual(await nested.wait(endLimitMs), { code: 2, signal: null });
  });

  test('the exit code is that of the command', testLimit, async () => {
    const failed = new SupervisedProcess(process.execPath, [runner, 'sh', '-c', 'exit 7']);
    failed.stdout?.resume();
    failed.stderr?.resume();
    assert.deepEqual(await failed.wait(endLimitMs), { code: 7, signal: null });
  });
});

function pidsOf(...words: readonly string[]): readonly number[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap(file => {
    try {
      const command = readFileSync(file, 'latin1');
      return words.every(word => command.includes(word)) ? [Number(file.split('/')[2])] : [];
    } catch {
      return [];
    }
  });
}
