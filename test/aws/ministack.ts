import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from '../testbed/log-end.ts';
import { freePort } from '../testbed/loopback-port.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import { pythonProgram } from './aws-programs.ts';

const readyLimitMs = 30_000;
const probeLimitMs = 1_000;
const pollMs = 50;
const startAttempts = 3;

/** An error to be thrown when ministack does not get ready; the message has the end of its log. */
export class MinistackFailed extends Error {
  override readonly name = 'MinistackFailed';
  readonly code = 'MinistackFailed';
}

/** AWS accounts with IAM, STS and other services that evaluate policies. https://pypi.org/project/ministack/ */
export class Ministack {
  readonly port: number;
  readonly #process: SupervisedProcess;
  readonly #folder: string;

  private constructor(port: number) {
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'carm-webhook-ministack-'));
    this.#process = new SupervisedProcess(pythonProgram('python'), ['-m', 'ministack'], {
      cwd: this.#folder,
      logFile: this.#logFile,
      env: {
        ...withoutAws(),
        GATEWAY_PORT: String(port),
        BIND_HOST: '127.0.0.1',
        // Without it every policy allows everything.
        AUTH: 'true',
        LOG_LEVEL: 'WARNING',
        HOME: this.#folder,
        TMPDIR: this.#folder,
        PYTHONDONTWRITEBYTECODE: '1',
      },
    });
  }

  /** @throws {TestbedMissing} @throws {MinistackFailed} */
  static async start(): Promise<Ministack> {
    for (let attempt = 1; ; attempt++) {
      const ministack = new Ministack(await freePort());
      try {
        await ministack.#untilReady();
        return ministack;
      } catch (error) {
        await ministack.stop();
        // Another process took the port between our look and ministack's.
        if (attempt === startAttempts || !(error instanceof MinistackFailed)) throw error;
      }
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #logFile(): string {
    return join(this.#folder, 'ministack.log');
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + readyLimitMs;
    while (!(await this.#isReady())) {
      const { end } = this.#process;
      if (end !== undefined || Date.now() > deadline) {
        const why = end === undefined ? 'is not ready' : `ended (${end.code ?? end.signal})`;
        throw new MinistackFailed(`ministack ${why}; the end of its log:\n${lastLines(this.#logFile)}`);
      }
      await sleep(pollMs);
    }
  }

  async #isReady(): Promise<boolean> {
    if (this.#process.end !== undefined) return false;
    try {
      return (await fetch(`${this.url}/_ministack/health`, { signal: AbortSignal.timeout(probeLimitMs) })).ok;
    } catch {
      return false;
    }
  }
}

/** Whatever the person who runs the tests has set for their own accounts. */
function withoutAws(): Record<string, undefined> {
  return Object.fromEntries(
    Object.keys(process.env)
      .filter(name => name.startsWith('AWS_'))
      .map(name => [name, undefined]),
  );
}
