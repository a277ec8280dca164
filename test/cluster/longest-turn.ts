/**
 * How long the event loop was held, in milliseconds of this thread's own CPU: on a machine that is shared, time on the clock
 * says as much of the others.
 */
export class LongestTurn {
  #last = process.threadCpuUsage();
  #longestMs = 0;
  #stopped = false;

  constructor() {
    const turn = (): void => {
      const now = process.threadCpuUsage();
      const ms = (now.user + now.system - this.#last.user - this.#last.system) / 1000;
      this.#last = now;
      this.#longestMs = Math.max(this.#longestMs, ms);
      if (!this.#stopped) setImmediate(turn);
    };
    setImmediate(turn);
  }

  /** The longest since the last call. */
  takeMs(): number {
    const ms = this.#longestMs;
    this.#longestMs = 0;
    // What is done between two calls, such as collecting garbage to measure the heap, is none of it.
    this.#last = process.threadCpuUsage();
    return ms;
  }

  stop(): void {
    this.#stopped = true;
  }
}
