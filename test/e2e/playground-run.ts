import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { type ProcessEnd, SupervisedProcess } from '../testbed/supervised-process.ts';
import { eventually } from './eventually.ts';

const commandLimitMs = 60_000;
const endLimitMs = 60_000;

export interface ShellResult {
  readonly code: number | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs lines in a shell, with an empty stdin. */
export async function inShell(script: string): Promise<ShellResult> {
  const shell = new SupervisedProcess('/bin/sh', ['-c', script]);
  const output = Promise.all([shell.stdout, shell.stderr].map(stream => (stream === null ? '' : text(stream))));
  const end = await shell.wait(commandLimitMs);
  if (end === undefined) shell.signal('SIGKILL');
  const [stdout = '', stderr = ''] = await output;
  return { code: end?.code, stdout, stderr };
}

/** The processes that a process has started with some text among their arguments. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ps.html */
export async function childrenOf(parent: number, argument: string): Promise<readonly number[]> {
  const { stdout } = await inShell('ps -A -o pid= -o ppid= -o args=');
  const rows = stdout.split('\n').filter(row => row.includes(argument));
  const ids = rows.map(row => row.trim().split(/\s+/).slice(0, 2).map(Number));
  return ids.filter(([, ppid]) => ppid === parent).map(([pid = Number.NaN]) => pid);
}

/** A started playground, and what it prints. */
export class PlaygroundRun {
  readonly process: SupervisedProcess;
  #complaints = '';
  #printed = '';

  private constructor(program: string, env: Readonly<Record<string, string>>) {
    this.process = new SupervisedProcess(process.execPath, [program], { env });
    this.process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#printed += chunk;
    });
    this.process.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#complaints += chunk;
    });
  }

  /** Starts a program and waits until it says that it is ready. */
  static async start(
    program: string,
    limitMs: number,
    env: Readonly<Record<string, string>> = {},
  ): Promise<PlaygroundRun> {
    const run = new PlaygroundRun(program, env);
    const isReady = (): true | undefined => {
      assert.equal(run.process.end, undefined, run.printed + run.complaints);
      return run.printed.includes('Ctrl-C ends it') ? true : undefined;
    };
    await eventually('the playground is ready', isReady, limitMs);
    return run;
  }

  get printed(): string {
    return this.#printed;
  }

  /** What it wrote to stderr so far. */
  get complaints(): string {
    return this.#complaints;
  }

  /** The printed lines that start so, without their indentation. */
  linesWith(start: string): readonly string[] {
    return this.#printed
      .split('\n')
      .map(line => line.trim())
      .filter(line => line.startsWith(start));
  }

  /** What a printed line has after its start; the line must be there. */
  valueOf(start: string): string {
    const [line] = this.linesWith(start);
    assert.ok(line !== undefined, `${start} is not in: ${this.#printed}`);
    return line.slice(start.length);
  }

  /** As a person would: the printed exports in a shell, then the command. */
  type(command: string): Promise<ShellResult> {
    return inShell([...this.linesWith('export '), command].join('\n'));
  }

  /** Ctrl-C: it must end well and complain of nothing. */
  async interrupt(): Promise<void> {
    assert.ok(this.process.signal('SIGINT'));
    const end: ProcessEnd | undefined = await this.process.wait(endLimitMs);
    assert.deepEqual(end, { code: 0, signal: null }, this.#printed + this.#complaints);
    assert.equal(this.#complaints, '');
  }

  async stop(): Promise<void> {
    await this.process.stop(endLimitMs);
  }
}
