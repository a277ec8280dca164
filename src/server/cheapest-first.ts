import type { RecentCost } from './recent-cost.ts';

/** A queue whose next is of the address that has cost least lately: who is in no hurry to spend never waits for those who are. */
export class CheapestFirst<T> {
  readonly #cost: RecentCost;
  readonly #byShare = new Map<string, Set<T>>();

  constructor(cost: RecentCost) {
    this.#cost = cost;
  }

  get isEmpty(): boolean {
    return this.#byShare.size === 0;
  }

  has(share: string, item: T): boolean {
    return this.#byShare.get(share)?.has(item) ?? false;
  }

  push(share: string, item: T): void {
    const items = this.#byShare.get(share);
    if (items === undefined) this.#byShare.set(share, new Set([item]));
    else items.add(item);
  }

  delete(share: string, item: T): void {
    const items = this.#byShare.get(share);
    items?.delete(item);
    if (items?.size === 0) this.#byShare.delete(share);
  }

  /** All items of addresses that have cost less than this lately. */
  takeBelow(ms: number): readonly T[] {
    const taken: T[] = [];
    for (const [share, items] of this.#byShare) {
      if (this.#cost.of(share) >= ms) continue;
      this.#byShare.delete(share);
      taken.push(...items);
    }
    return taken;
  }

  /** Of equal addresses, the one that came first; of an address, its oldest. */
  shift(): { readonly share: string; readonly item: T } | undefined {
    let least: string | undefined;
    let leastMs = Number.POSITIVE_INFINITY;
    for (const share of this.#byShare.keys()) {
      const ms = this.#cost.of(share);
      if (ms >= leastMs) continue;
      least = share;
      leastMs = ms;
    }
    if (least === undefined) return undefined;
    for (const item of this.#byShare.get(least) ?? []) {
      this.delete(least, item);
      return { share: least, item };
    }
    return undefined;
  }
}
