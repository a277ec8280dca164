import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { pod } from '../decisions/manifests.ts';
import { reviewBody } from '../decisions/review.ts';

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
  readonly #agent: Agent;
  readonly #port: number;
  readonly #failures: string[] = [];
  readonly #tookMs: number[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #isDone = false;
  #running: Promise<void> | undefined;

  constructor(port: number, localAddress: string) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, rejectUnauthorized: false, localAddress });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async end(): Promise<Experience> {
    this.#isDone = true;
    await this.#running;
    await Promise.all(this.#underWay);
    this.#agent.destroy();
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
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const body = JSON.stringify(reviewBody({ object: pod() }));
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: this.#port,
        path: '/mutate?timeout=1s',
        method: 'POST',
        agent: this.#agent,
        headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
      },
      response => {
        let text = '';
        response.setEncoding('utf8').on('data', chunk => {
          text += chunk;
        });
        response.on('error', error => resolve(error.message));
        response.on('end', () => {
          const isInjected = response.statusCode === 200 && text.includes('"reason":"Injected"');
          resolve(isInjected ? undefined : `HTTP ${response.statusCode}: ${text.slice(0, 200)}`);
        });
      },
    );
    outgoing.on('error', error => resolve(error.message));
    const timer = setTimeout(() => outgoing.destroy(new Error('no answer within a second')), timeoutMs);
    outgoing.end(body);
    const failure = await promise;
    clearTimeout(timer);
    if (failure === undefined) this.#tookMs.push(performance.now() - startedAt);
    else this.#failures.push(failure);
  }
}
