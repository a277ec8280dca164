import { randomInt } from 'node:crypto';

/** Random numbers that can be had again by their seed. mulberry32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  /** @param seed a whole number, such as from the environment; a fresh one without it */
  constructor(seed: string | undefined) {
    this.seed = seed === undefined ? randomInt(2 ** 32) : Number(seed) >>> 0;
    this.#state = this.seed;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
