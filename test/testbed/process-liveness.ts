import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 50;

/** Whether there is a process of this id. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: there is one, of another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** State and process group of a process. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function isLiveMember(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, and may hold anything.
    const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(processGroup) === group && state !== 'Z';
  } catch {
    // Gone between the listing and the look.
    return false;
  }
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
