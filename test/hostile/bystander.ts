import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pod } from '../decisions/manifests.ts';
import { reviewBody } from '../decisions/review.ts';
import { ApiServerPool } from './api-server-pool.ts';

const everyMs = 100;
const timeoutMs = 1_000;

/** What became of the reviews of somebody who has nothing to do with an attack. */
export interface Experience {
  readonly reviews: number;
  readonly failures: readonly string[];
  readonly worstMs: number;
  readonly medianMs: number;
}

/** Sends ten reviews a second, each with a second for its answer, as an API server would for the pods of another tenant. */
export class Bystander {
  readonly #pool: ApiServerPool;
  readonly #failures: string[] = [];
  readonly #tookMs: number[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #isDone = false;
  #running: Promise<void> | undefined;

  constructor(port: number, localAddress: string) {
    this.#pool = new ApiServerPool({ host: '127.0.0.1', port, rejectUnauthorized: false, localAddress });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async end(): Promise<Experience> {
    this.#isDone = true;
    await this.#running;
    await Promise.all(this.#underWay);
    this.#pool.close();
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    return {
      reviews: this.#tookMs.length + this.#failures.length,
      failures: this.#failures,
      worstMs: sorted.at(-1) ?? Number.NaN,
      medianMs: sorted[sorted.length >> 1] ?? Number.NaN,
    };
  }

  async #run(): Promise<void> {
    while (!this.#isDone) {
      const review = this.#review();
      this.#underWay.add(review);
      void review.then(() => this.#underWay.delete(review));
      await sleep(everyMs);
    }
  }

  async #review(): Promise<void> {
    const startedAt = performance.now();
    const late = AbortSignal.timeout(timeoutMs);
    try {
      await this.#answer(late);
      this.#tookMs.push(performance.now() - startedAt);
    } catch (error) {
      this.#failures.push(error instanceof Error ? error.message : String(error));
    }
  }

  async #answer(late: AbortSignal): Promise<void> {
    const socket = await this.#pool.take(late);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const body = JSON.stringify(reviewBody({ object: pod() }));
    const headers = {
      Connection: 'keep-alive',
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    };
    const options = { path: '/mutate?timeout=1s', method: 'POST', createConnection: () => socket, headers };
    const outgoing = request(options, response => {
      let text = '';
      response.setEncoding('utf8').on('data', chunk => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const isInjected = response.statusCode === 200 && text.includes('"reason":"Injected"');
        if (response.headers.connection === 'close') socket.destroy();
        if (isInjected) resolve();
        else reject(new Error(`HTTP ${response.statusCode}: ${text.slice(0, 200)}`));
      });
    });
    outgoing.on('error', reject);
    late.addEventListener('abort', () => outgoing.destroy(new Error('no answer within a second')), { once: true });
    outgoing.end(body);
    await promise;
    this.#pool.give(socket);
  }
}
