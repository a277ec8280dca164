/** A queue that takes from each share in turn: whoever queues much waits behind themselves. */
export class FairQueue<T> {
  readonly #byShare = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(share: string, item: T): void {
    const items = this.#byShare.get(share);
    if (items === undefined) this.#byShare.set(share, [item]);
    else items.push(item);
    this.#size++;
  }

  /**
   * The oldest item of the share that has waited longest for its turn.
   * @param isAllowed shares that must not have their turn yet keep their place.
   */
  shift(isAllowed: (share: string) => boolean = () => true): T | undefined {
    for (const [share, items] of this.#byShare) {
      if (!isAllowed(share)) continue;
      this.#byShare.delete(share);
      const item = items.shift();
      if (items.length > 0) this.#byShare.set(share, items);
      this.#size--;
      return item;
    }
    return undefined;
  }
}
