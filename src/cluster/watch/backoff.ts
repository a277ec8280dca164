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
  readonly #options: Required<BackoffOptions>;
  #ceilingMs = 0;

  constructor(options: BackoffOptions = {}) {
    this.#options = { baseMs: 200, capMs: 10_000, random: Math.random, ...options };
    this.reset();
  }

  /** The next wait in milliseconds. `atLeastMs` is what the server asked for; it is jittered upwards only. */
  next(atLeastMs = 0): number {
    const ceilingMs = this.#ceilingMs;
    this.#ceilingMs = Math.min(this.#options.capMs, ceilingMs * 2);
    const waitMs = ceilingMs / 2 + (ceilingMs / 2) * this.#options.random();
    return atLeastMs > waitMs ? atLeastMs + waitMs / 2 : waitMs;
  }

  reset(): void {
    this.#ceilingMs = Math.min(this.#options.baseMs, this.#options.capMs);
  }
}
