/** Ends an attempt when nothing has happened for too long. */

import { SilenceError } from './restart-cause.ts';

export class SilenceTimer {
  readonly #controller = new AbortController();
  readonly #what: string;
  #timer: NodeJS.Timeout | undefined;
  #limitMs = 0;

  /** @param what is being waited for, as the error says it */
  constructor(what: string) {
    this.#what = what;
  }

  /** Aborted with a SilenceError when the time is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something came, or something else is waited for: the time starts again, with this limit. */
  limit(limitMs: number): void {
    if (this.#timer !== undefined && limitMs === this.#limitMs) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#limitMs = limitMs;
    this.#timer = setTimeout(() => this.#controller.abort(new SilenceError(this.#what, limitMs)), limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
