/**
 * A few at a time, and of those that the same namespace pays for one: whoever makes theirs long, by what they wrote into
 * their namespace, holds up nobody else. The rest stand in line.
 */
export class SearchLanes<L> {
  readonly #free: L[];
  readonly #running = new Set<string>();
  /** In the order in which they came: reviews that wait, of which the server has a bounded number. */
  readonly #waiting: { readonly payer: string; readonly start: (lane: L) => void }[] = [];

  constructor(lanes: readonly L[]) {
    this.#free = [...lanes];
  }

  /** Runs it when it is its turn. It must end: until then it has its lane. */
  async run<T>(payer: string, work: (lane: L) => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<L>();
    this.#waiting.push({ payer, start: resolve });
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
    const index = this.#waiting.findIndex(({ payer }) => !this.#running.has(payer));
    const lane = index < 0 ? undefined : this.#free.pop();
    if (lane === undefined) return;
    for (const { payer, start } of this.#waiting.splice(index, 1)) {
      this.#running.add(payer);
      start(lane);
    }
  }
}
