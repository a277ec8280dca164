import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './process-liveness.ts';

/** A holder that has not touched its lock for so long is gone. */
const staleMs = 60_000;
const touchMs = 5_000;
const pollMs = 500;

interface Holder {
  readonly pid: number;
  readonly host: string;
}

function readHolder(file: string): Holder | undefined {
  try {
    const [pid, host] = readFileSync(file, 'utf8').trim().split(' ');
    return pid === undefined || host === undefined ? undefined : { pid: Number(pid), host };
  } catch {
    return undefined;
  }
}

function isStale(file: string): boolean {
  const holder = readHolder(file);
  if (holder !== undefined && holder.host === hostname() && !isAlive(holder.pid)) {
    return true;
  }
  const touched = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return touched !== undefined && Date.now() - touched > staleMs;
}

/**
 * A file that says who builds, so that two clones of one user do not both compile for minutes. It saves work and guards nothing: in
 * the worst case (two waiters that find the same stale lock) both build, and the last one's result stays.
 */
export class BuildLock {
  readonly #file: string;
  readonly #timer: NodeJS.Timeout;

  private constructor(file: string) {
    this.#file = file;
    this.#timer = setInterval(() => this.#touch(), touchMs);
    this.#timer.unref();
  }

  /** Waits for the lock; `onWait` is told of the holder's process id each time it is found taken. */
  static async acquire(file: string, onWait: (pid: number | undefined) => void): Promise<BuildLock> {
    mkdirSync(dirname(file), { recursive: true });
    for (;;) {
      try {
        writeFileSync(file, `${process.pid} ${hostname()}\n`, { flag: 'wx' });
        return new BuildLock(file);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
          throw error;
        }
      }
      if (isStale(file)) {
        rmSync(file, { force: true });
      } else {
        onWait(readHolder(file)?.pid);
        await sleep(pollMs);
      }
    }
  }

  release(): void {
    clearInterval(this.#timer);
    if (readHolder(this.#file)?.pid === process.pid) {
      rmSync(this.#file, { force: true });
    }
  }

  #touch(): void {
    try {
      const now = new Date();
      utimesSync(this.#file, now, now);
    } catch {
      // Someone removed it; the build goes on all the same.
    }
  }
}
