import { FairQueue } from '../../fair-queue.ts';

interface Waiting<L> {
  readonly payer: string;
  readonly start: (lane: L) => void;
}

/**
 * A few at a time, and of those that the same namespace pays for one: whoever makes theirs long, by what they wrote into
 * their namespace, holds up nobody else. Namespaces whose searches wait have their turn one after the other.
 */
export class SearchLanes<L> {
  readonly #free: L[];
  readonly #running = new Set<string>();
  /** Reviews that wait, of which the server has a bounded number. */
  readonly #waiting = new FairQueue<Waiting<L>>();

  constructor(lanes: readonly L[]) {
    this.#free = [...lanes];
  }

  /** Runs it when it is its turn. It must end: until then it has its lane. */
  async run<T>(payer: string, work: (lane: L) => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<L>();
    this.#waiting.push(payer, { payer, start: resolve });
    this.#startNext();
    const lane = await promise;
    try {
      return await work(lane);
    } finally {
      this.#free.push(lane);
      this.#running.delete(payer);
      this.#startNext();
    }
  }

  #startNext(): void {
    const [lane] = this.#free;
    const next = lane === undefined ? undefined : this.#waiting.shift(payer => !this.#running.has(payer));
    if (lane === undefined || next === undefined) return;
    this.#free.shift();
    this.#running.add(next.payer);
    next.start(lane);
  }
}
