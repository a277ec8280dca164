/** Waiting times between attempts: exponential, jittered, without end. */

export interface BackoffOptions {
  /** Upper end of the first wait. */
  readonly baseMs?: number;
  /** Upper end of every wait. */
  readonly capMs?: number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** The n-th wait lies between half of and all of `min(capMs, baseMs * 2^n)`, so that clients that failed together part. */
export class Backoff {
  readonly #baseMs: number;
  readonly #capMs: number;
  readonly #random: () => number;
  #ceilingMs: number;

  constructor(options: BackoffOptions = {}) {
    this.#baseMs = options.baseMs ?? 200;
    this.#capMs = options.capMs ?? 10_000;
    this.#random = options.random ?? Math.random;
    this.#ceilingMs = Math.min(this.#baseMs, this.#capMs);
  }

  /** The next wait in milliseconds. `atLeastMs` is what the server asked for; it is jittered upwards only. */
  next(atLeastMs = 0): number {
    const ceilingMs = this.#ceilingMs;
    this.#ceilingMs = Math.min(this.#capMs, ceilingMs * 2);
    const waitMs = ceilingMs / 2 + (ceilingMs / 2) * this.#random();
    return atLeastMs > waitMs ? atLeastMs + waitMs / 2 : waitMs;
  }

  reset(): void {
    this.#ceilingMs = Math.min(this.#baseMs, this.#capMs);
  }
}
