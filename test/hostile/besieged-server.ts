import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { writeState } from '../decisions/state.ts';
import { imageEnvironment } from './image-environment.ts';
import type { Strain } from './loop-probe.ts';

const bundle = fileURLToPath(new URL('../../dist/carm-webhook.mjs', import.meta.url));
const probe = new URL('./loop-probe.ts', import.meta.url).href;
const attacker = fileURLToPath(new URL('./attacker.ts', import.meta.url));
const startLimitMs = 20_000;

/** What Node picks by itself in a container of 512 MiB. */
export const heapFlag = '--max-old-space-size=256';

/** What a kubelet's probe found. */
export interface ProbeResult {
  readonly path: string;
  readonly status: number | undefined;
  readonly tookMs: number;
}

/** The built bundle under attack, with the heap of a small pod; and the processes that attack it. */
export class BesiegedServer {
  readonly port: number;
  readonly opsPort: number;
  readonly #child: ChildProcess;
  readonly #attackers: ChildProcess[] = [];
  readonly #cleanUp: () => Promise<void>;
  /** Lines of its log at `warn` and above. */
  readonly complaints: readonly Readonly<Record<string, unknown>>[];

  private constructor(
    child: ChildProcess,
    ports: { readonly port: number; readonly opsPort: number },
    complaints: readonly Readonly<Record<string, unknown>>[],
    cleanUp: () => Promise<void>,
  ) {
    this.#child = child;
    this.port = ports.port;
    this.opsPort = ports.opsPort;
    this.complaints = complaints;
    this.#cleanUp = cleanUp;
  }

  static async start(flags: readonly string[] = [], nodeFlags: readonly string[] = []): Promise<BesiegedServer> {
    const state = await writeState();
    const fixed = ['--tls-self-signed', '--bind-address=127.0.0.1', '--port=0', '--ops-port=0', '--shutdown-delay=0s'];
    const child = fork(bundle, ['serve', `--state=${state.folder}`, ...fixed, ...flags], {
      env: { ...process.env, ...imageEnvironment() },
      execArgv: [heapFlag, ...nodeFlags, '--import', probe],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const complaints: Record<string, unknown>[] = [];
    const ready = Promise.withResolvers<{ port: number; opsPort: number }>();
    const timer = setTimeout(() => ready.reject(new Error('the server did not start in time')), startLimitMs);
    child.once('exit', code => ready.reject(new Error(`the server ended with code ${code}`)));
    if (child.stdout === null) throw new Error('the server has no stdout');
    createInterface({ input: child.stdout }).on('line', line => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      if (entry['level'] === 'warn' || entry['level'] === 'error') complaints.push(entry);
      const { port, opsPort } = entry;
      if (typeof port === 'number' && typeof opsPort === 'number') ready.resolve({ port, opsPort });
    });
    try {
      return new BesiegedServer(child, await ready.promise, complaints, () => state.remove());
    } catch (error) {
      child.kill('SIGKILL');
      await state.remove();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts an attack from a process of its own, which goes on until `endAttacks`. */
  attack(name: string, addresses: readonly string[]): void {
    const args = [name, '127.0.0.1', String(this.port), String(this.opsPort), addresses.join(',')];
    const child = fork(attacker, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    // Attackers are on other machines: they must not take the CPU of the one that they attack.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    this.#attackers.push(child);
  }

  async endAttacks(): Promise<void> {
    const ended = this.#attackers.splice(0).map(async child => {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`an attacker ended by itself, code ${child.exitCode}`);
      }
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    });
    await Promise.all(ended);
  }

  /** What it went through since the last question. @param collect garbage first: needs `--expose-gc`. */
  async strain(collect = false): Promise<Strain> {
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(10_000) });
    this.#child.send(collect ? 'collect' : 'strain');
    const [strain] = await answer;
    return strain;
  }

  /** Asks as kubelet does: a connection for each probe, from the node's address. */
  async probe(path: string, timeoutMs: number): Promise<ProbeResult> {
    const startedAt = performance.now();
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const outgoing = get(
      { host: '127.0.0.1', port: this.opsPort, path, agent: false, timeout: timeoutMs },
      response => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      },
    );
    outgoing.on('error', () => resolve(undefined));
    const timer = setTimeout(() => outgoing.destroy(), timeoutMs);
    const status = await promise;
    clearTimeout(timer);
    return { path, status, tookMs: performance.now() - startedAt };
  }

  async stop(): Promise<void> {
    for (const child of this.#attackers) child.kill('SIGKILL');
    if (this.isAlive) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exit;
    }
    await this.#cleanUp();
  }
}
