/*
 * `node test/testbed/node/run-isolated.ts COMMAND ARGUMENT...` runs a command in namespaces of its own, in which a test node can be
 * started: see enter.sh. Exit code: the command's, 2 when something is missing. Whatever ends the command or this process, nothing
 * is left of it but, unless it ended well, its logs: see reaper.sh.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Writable } from 'node:stream';
import { isAlive } from '../process-liveness.ts';
import { nodeAddress, nodeName } from './node-settings.ts';
import { NodeRequirementMissing, nodePath, requireNode } from './requirements.ts';

const prefix = 'carm-webhook-node-';
const controlGroups = '/sys/fs/cgroup';

/** A reaper, and the pipe that it waits at: an exit code, or its end. */
function startReaper(folder: string): { readonly done: Promise<boolean>; readonly pipe: Writable } {
  const reaper = spawn('sh', [join(import.meta.dirname, 'reaper.sh'), folder], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    // Ctrl-C in a terminal must not reach it.
    detached: true,
  });
  const done = once(reaper, 'exit').then(([code]) => code === 0);
  return { done, pipe: reaper.stdio[3] as Writable };
}

/** The process id of the starter that a folder or control group is named after. */
function starterOf(name: string): number | undefined {
  const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
  return Number.isInteger(pid) ? pid : undefined;
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** In a folder that all may write to: a link, or the folder of another user, is none of ours. */
function isOwnFolder(name: string): boolean {
  const found = lstatSync(join(tmpdir(), name), { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}

/** Removes what starters have left that were killed together with their reaper. */
async function reapAbandoned(): Promise<void> {
  const groups = [controlGroups, ...entries(controlGroups).map(name => join(controlGroups, name))];
  const names = new Set([...entries(tmpdir()).filter(isOwnFolder), ...groups.flatMap(entries)]);
  for (const name of names) {
    const starter = starterOf(name);
    if (starter !== undefined && !isAlive(starter)) {
      const { done, pipe } = startReaper(join(tmpdir(), name));
      pipe.end();
      await done;
    }
  }
}

async function runIsolated(command: readonly string[]): Promise<number> {
  await reapAbandoned();
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  const reaper = startReaper(folder);
  const world = spawn('sh', [join(import.meta.dirname, 'world.sh'), basename(folder), ...command], {
    stdio: ['ignore', 'inherit', 'inherit'],
    // Signals of a terminal come by us only.
    detached: true,
    env: {
      ...process.env,
      PATH: nodePath(),
      TMPDIR: folder,
      NODE_ADDRESS: nodeAddress,
      NODE_NAME: nodeName,
      NODE_CONTROL_GROUP: basename(folder),
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // To all of its group: unshare itself takes no signal.
      const hasEnded = world.exitCode !== null || world.signalCode !== null;
      if (world.pid !== undefined && !hasEnded) process.kill(-world.pid, 'SIGTERM');
    });
  }
  const [code, signal] = (await once(world, 'exit')) as [number | null, NodeJS.Signals | null];
  if (signal !== null) process.stderr.write(`ended by ${signal}\n`);
  reaper.pipe.end(`${code ?? 1}\n`);
  if (!(await reaper.done)) {
    process.stderr.write(`control groups named ${basename(folder)} could not be removed\n`);
    return 1;
  }
  return code ?? 1;
}

try {
  const command = process.argv.slice(2);
  if (command.length === 0) throw new NodeRequirementMissing('no command was given');
  // It would take living clusters outside for dead ones: their process ids mean nothing here.
  if (process.env['NODE_CONTROL_GROUP'] !== undefined) {
    throw new NodeRequirementMissing("a node cannot be started within another one's namespaces");
  }
  requireNode();
  process.exitCode = await runIsolated(command);
} catch (error) {
  if (!(error instanceof NodeRequirementMissing)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
