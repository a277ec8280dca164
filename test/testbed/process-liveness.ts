import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 50;

/** Whether a process of this id runs. One that has ended but was not collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !hasEnded(String(pid));
  } catch (error) {
    // EPERM: there is one, of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** State and process group of a process. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function readState(pid: string): { state: string | undefined; processGroup: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, and may hold anything.
    const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state, processGroup: Number(processGroup) };
  } catch {
    // Gone between the listing and the look, or a system without /proc.
    return undefined;
  }
}

/**
 * Whether a process is a zombie and nothing more. One whose first thread has ended while others still do (etcd, killed in the midst
 * of a write) shows as a zombie too, and still changes its files.
 */
function hasEnded(pid: string): boolean {
  try {
    return readState(pid)?.state === 'Z' && readdirSync(`/proc/${pid}/task`).length <= 1;
  } catch {
    return true;
  }
}

function isLiveMember(pid: string, group: number): boolean {
  return readState(pid)?.processGroup === group && !hasEnded(pid);
}

/** Whether any process of a group lives. One that has ended but was not collected by its parent (in a container without init) does not. */
export function groupLives(group: number): boolean {
  if (existsSync('/proc/self/stat')) {
    return readdirSync('/proc').some(entry => /^\d+$/.test(entry) && isLiveMember(entry, group));
  }
  return isAlive(-group);
}

/** Waits until the groups of these processes are empty; returns those that are not after `limitMs`. */
export async function survivors(groups: readonly number[], limitMs: number): Promise<number[]> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const living = groups.filter(groupLives);
    if (living.length === 0 || Date.now() > deadline) {
      return living;
    }
    await sleep(pollMs);
  }
}
