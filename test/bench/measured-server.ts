import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { imageEnvironment } from '../hostile/image-environment.ts';

/** What a process used so far. */
export interface Usage {
  readonly cpuMicroseconds: number;
  readonly rssBytes: number;
}

const startLimitMs = 20_000;

function portOf(line: string): number | undefined {
  try {
    const { msg, port } = JSON.parse(line);
    return msg === 'serving' && typeof port === 'number' ? port : undefined;
  } catch {
    return undefined;
  }
}

/** A server in a process of its own, with the settings of the image, whose use of CPU and memory can be asked. */
export class MeasuredServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts a program that prints a JSON line with `"msg":"serving"` and its port. */
  static async start(program: string, args: readonly string[]): Promise<MeasuredServer> {
    const probe = new URL('./usage-probe.mjs', import.meta.url).href;
    const child = fork(program, args, {
      env: { ...process.env, ...imageEnvironment() },
      execArgv: ['--import', probe],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const timer = setTimeout(() => reject(new Error(`${program} did not start in time`)), startLimitMs);
    child.once('exit', code => reject(new Error(`${program} ended with code ${code}`)));
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', line => {
        const port = portOf(line);
        if (port !== undefined) resolve(port);
      });
    }
    try {
      return new MeasuredServer(child, await promise);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async usage(): Promise<Usage> {
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(5000) });
    this.#child.send('usage');
    const [usage] = await answer;
    return usage;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}
