import { FairQueue } from '../../fair-queue.ts';

interface Waiting<L> {
  readonly budgetNamespace: string;
  readonly start: (lane: L) => void;
}

/**
 * Runs a few searches at a time, and one for each namespace whose budget pays: whoever makes theirs long, by what they wrote into
 * their namespace, holds up nobody else. Namespaces that wait take turns.
 */
export class SearchLanes<L> {
  readonly #free: L[];
  readonly #running = new Set<string>();
  /** Reviews that wait, of which the server has a bounded number. */
  readonly #waiting = new FairQueue<Waiting<L>>();

  constructor(lanes: readonly L[]) {
    this.#free = [...lanes];
  }

  /** Runs `work` when its turn comes. It must end, since it holds its lane until then. */
  async run<T>(budgetNamespace: string, work: (lane: L) => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<L>();
    this.#waiting.push(budgetNamespace, { budgetNamespace, start: resolve });
    this.#startNext();
    const lane = await promise;
    try {
      return await work(lane);
    } finally {
      this.#free.push(lane);
      this.#running.delete(budgetNamespace);
      this.#startNext();
    }
  }

  #startNext(): void {
    const [lane] = this.#free;
    const next =
      lane === undefined ? undefined : this.#waiting.shift(budgetNamespace => !this.#running.has(budgetNamespace));
    if (lane === undefined || next === undefined) return;
    this.#free.shift();
    this.#running.add(next.budgetNamespace);
    next.start(lane);
  }
}
