import type { Load } from './load.ts';
import type { MeasuredServer } from './measured-server.ts';

/** What one server did under load. */
export interface Figures {
  readonly reviewsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosecondsPerReview: number;
  readonly rssBytes: number;
  readonly reviews: number;
}

/** The middle one; rounds that another process disturbed do not count. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** One server and its load, measured in stretches. */
export class Measurement {
  readonly cpuMicroseconds: number[] = [];
  readonly #server: MeasuredServer;
  readonly #load: Load;
  readonly #rates: number[] = [];
  readonly #latenciesMs: number[] = [];

  constructor(server: MeasuredServer, load: Load) {
    this.#server = server;
    this.#load = load;
  }

  sample(): Promise<string> {
    return this.#load.sample();
  }

  async warmUp(seconds: number): Promise<void> {
    await this.#load.run(seconds);
  }

  async measure(seconds: number): Promise<void> {
    const before = await this.#server.usage();
    const result = await this.#load.run(seconds);
    const after = await this.#server.usage();
    const { length } = result.latenciesMs;
    this.#rates.push(length / result.seconds);
    this.cpuMicroseconds.push((after.cpuMicroseconds - before.cpuMicroseconds) / length);
    for (const latencyMs of result.latenciesMs) this.#latenciesMs.push(latencyMs);
  }

  async figures(): Promise<Figures> {
    const sorted = this.#latenciesMs.toSorted((left, right) => left - right);
    const quantile = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
    return {
      reviewsPerSecond: median(this.#rates),
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      cpuMicrosecondsPerReview: median(this.cpuMicroseconds),
      rssBytes: (await this.#server.usage()).rssBytes,
      reviews: sorted.length,
    };
  }
}
