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

  /** Starts anew with this limit. */
  limit(limitMs: number): void {
    clearTimeout(this.#timer);
    this.#limitMs = limitMs;
    this.#timer = setTimeout(() => this.#controller.abort(new SilenceError(this.#what, this.#limitMs)), limitMs);
  }

  /** Something came. */
  heard(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
