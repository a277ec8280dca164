import type { Load } from './load.ts';
import type { MeasuredServer } from './measured-server.ts';

/** What one server did under load. */
export interface Figures {
  readonly reviewsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosecondsPerReview: number;
  readonly idleRssBytes: number;
  readonly loadedRssBytes: number;
  readonly reviews: number;
  /** Microseconds of CPU a review, round by round. */
  readonly cpuOfRounds: readonly number[];
}

/** The middle one; rounds that another process disturbed do not count. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** One server and its load, measured in rounds. */
export class Measurement {
  readonly #server: MeasuredServer;
  readonly #load: Load;
  readonly #idleRssBytes: number;
  readonly #rates: number[] = [];
  readonly #cpuOfRounds: number[] = [];
  readonly #latenciesMs: number[] = [];

  constructor(server: MeasuredServer, load: Load, idleRssBytes: number) {
    this.#server = server;
    this.#load = load;
    this.#idleRssBytes = idleRssBytes;
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
    this.#cpuOfRounds.push((after.cpuMicroseconds - before.cpuMicroseconds) / length);
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
      cpuMicrosecondsPerReview: median(this.#cpuOfRounds),
      idleRssBytes: this.#idleRssBytes,
      loadedRssBytes: (await this.#server.usage()).rssBytes,
      reviews: sorted.length,
      cpuOfRounds: this.#cpuOfRounds,
    };
  }
}
