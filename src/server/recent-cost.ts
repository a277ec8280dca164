/** What was spent weighs half as much after this time. */
const halfLifeMs = 1000;

/** CPU that each address has cost lately, in milliseconds. Only addresses that have cost something are kept. */
export class RecentCost {
  readonly #ms = new Map<string, number>();
  readonly #now: () => number;
  #halvedAtMs: number;

  /** @param now milliseconds; only tests have a clock of their own. */
  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#halvedAtMs = now();
  }

  of(share: string): number {
    return this.#ms.get(share) ?? 0;
  }

  add(share: string, ms: number): void {
    this.#halve();
    this.#ms.set(share, this.of(share) + ms);
  }

  #halve(): void {
    const nowMs = this.#now();
    if (nowMs - this.#halvedAtMs < halfLifeMs) return;
    this.#halvedAtMs = nowMs;
    for (const [share, ms] of this.#ms) {
      if (ms < 1) this.#ms.delete(share);
      else this.#ms.set(share, ms / 2);
    }
  }
}
