import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a program ended: by itself (`code`) or by a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SupervisedOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** A file that stdout and stderr are appended to. Without it both are pipes, and the caller must read them. */
  readonly logFile?: string;
  /** Text for the program's stdin. Without it stdin is empty. */
  readonly input?: string;
  /** Stdin stays open for what is written to `stdin`. */
  readonly openInput?: boolean;
}

/** An error to be thrown when a program cannot be started at all. */
export class SpawnError extends Error {
  override readonly name = 'SpawnError';
  readonly code = 'SpawnFailed';
}

/*
 * A program must not outlive the test that started it, even when the test's process is killed with SIGKILL and can run no handler.
 * So a shell first leaves a guard behind, then becomes the program itself (exec keeps the process id, `$$`). The guard holds the
 * reading end of a pipe on descriptor 3 whose only writing end is in the test's process. A line there says that the program has
 * ended; the end of the pipe without a line says that the test's process is gone, and then the guard kills the program.
 */
const guardScript = '( read -r over <&3 || kill -KILL $$ ) </dev/null >/dev/null 2>&1 & exec 3<&-; exec "$@"';

/** A program that ends with the process that started it, whatever ends that process. Signals and exit codes are the program's own. */
export class SupervisedProcess {
  readonly command: string;
  readonly pid: number;
  /** Settles when the program has ended; never rejects. By itself it does not keep this process alive: see `wait`. */
  readonly ended: Promise<ProcessEnd>;
  readonly #child: ChildProcess;
  #end: ProcessEnd | undefined;

  /** @throws {SpawnError} when there is no process for it (an unknown program shows as exit code 127 instead). */
  constructor(command: string, args: readonly string[], options: SupervisedOptions = {}) {
    this.command = command;
    const log = options.logFile === undefined ? undefined : openSync(options.logFile, 'a');
    const stdin = options.input === undefined && options.openInput !== true ? 'ignore' : 'pipe';
    const output = log ?? 'pipe';
    try {
      this.#child = spawn('/bin/sh', ['-c', guardScript, 'guard', command, ...args], {
        stdio: [stdin, output, output, 'pipe'],
        // A process group of its own: Ctrl-C in a terminal reaches the test only, which then ends its programs in order.
        detached: true,
        env: options.env === undefined ? process.env : { ...process.env, ...options.env },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      });
    } finally {
      if (log !== undefined) {
        closeSync(log);
      }
    }
    if (this.#child.pid === undefined) {
      this.#child.once('error', () => undefined);
      throw new SpawnError(`${command} could not be started`);
    }
    this.pid = this.#child.pid;
    const lifeline = this.#lifeline();
    this.ended = new Promise(resolve => {
      this.#child.once('exit', (code, signal) => {
        this.#end = { code, signal };
        lifeline.end('over\n');
        resolve(this.#end);
      });
    });
    const { stdin: input } = this.#child;
    if (input !== null) {
      // The program may end before it has read its input; its exit code says more than EPIPE.
      input.on('error', () => undefined);
      if (options.openInput !== true) input.end(options.input);
    }
  }

  /** The program's input, where it was to stay open. */
  get stdin(): Writable | null {
    return this.#child.stdin;
  }

  /** The program's output, when it has no log file. */
  get stdout(): Readable | null {
    return this.#child.stdout;
  }

  get stderr(): Readable | null {
    return this.#child.stderr;
  }

  /** How it ended, or undefined while it runs. */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  /** Sends a signal to the program; false when it has ended already. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#end === undefined && this.#child.kill(signal);
  }

  /** Waits until the program has ended; undefined when it still runs after `limitMs`. */
  async wait(limitMs: number): Promise<ProcessEnd | undefined> {
    const limit = new AbortController();
    // The timer is what keeps this process alive meanwhile.
    const expiry = sleep(limitMs, undefined, { signal: limit.signal }).catch(() => undefined);
    const end = await Promise.race([this.ended, expiry]);
    limit.abort();
    return end;
  }

  /** Ends the program with SIGTERM, and with SIGKILL after `graceMs`; settles when it is gone. */
  async stop(graceMs = 5_000): Promise<ProcessEnd> {
    this.signal('SIGTERM');
    const end = await this.wait(graceMs);
    if (end !== undefined) {
      return end;
    }
    this.#child.ref();
    this.signal('SIGKILL');
    return this.ended;
  }

  /** A socket whose only purpose is to be open while this process lives. */
  #lifeline(): Writable {
    const pipe = this.#child.stdio[3];
    if (pipe === undefined || pipe === null || !('write' in pipe)) {
      throw new SpawnError(`${this.command} has no pipe to its guard`);
    }
    // The guard may be gone before the line reaches it.
    pipe.on('error', () => undefined);
    // A test that forgot to stop a program ends all the same, and the program with it.
    this.#child.unref();
    if ('unref' in pipe && typeof pipe.unref === 'function') {
      pipe.unref();
    }
    return pipe;
  }
}
