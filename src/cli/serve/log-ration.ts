/** Lines of one kind that are logged at once, and how long it takes until there is one more. */
const burst = 20;
const msForOne = 6000;

interface Stock {
  lines: number;
  atMs: number;
  leftOut: number;
}

/** How often the same may be logged: one bad object in a list that is read again and again must not fill a disk. */
export class LogRation {
  readonly #nowMs: () => number;
  readonly #stocks = new Map<string, Stock>();

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /**
   * @param key of a closed set: each has a ration of its own.
   * @returns fields for the line that may be logged: how many were left out before it; undefined when it may not.
   */
  take(key: string): { readonly leftOut?: number } | undefined {
    const nowMs = this.#nowMs();
    const stock = this.#stocks.get(key) ?? { lines: burst, atMs: nowMs, leftOut: 0 };
    this.#stocks.set(key, stock);
    stock.lines = Math.min(burst, stock.lines + (nowMs - stock.atMs) / msForOne);
    stock.atMs = nowMs;
    if (stock.lines < 1) {
      stock.leftOut += 1;
      return undefined;
    }
    stock.lines -= 1;
    const { leftOut } = stock;
    stock.leftOut = 0;
    return leftOut === 0 ? {} : { leftOut };
  }
}
