import type { Logger } from './logs.ts';
import type { Peer } from './peers.ts';

/**
 * What there was no room for:
 * - `body`: memory for a review's body;
 * - `connection`, `handshake`: a connection to the webhook port, before or after its TLS handshake;
 * - `pipelining`: one more request on a connection that has many unanswered;
 * - `ops_connection`: a connection to the ops port.
 */
export const shortageCauses = ['body', 'connection', 'handshake', 'pipelining', 'ops_connection'] as const;
export type ShortageCause = (typeof shortageCauses)[number];

/** Told of everything that is refused or cut off for lack of capacity. */
export type OnShortage = (cause: ShortageCause, peer: Peer) => void;

/** A flood is many a second: one line of each cause in this time, the others are only counted. */
const quietMs = 1000;

interface Quiet {
  suppressed: number;
  lastAddress: string;
}

/** Where each is counted. */
export interface ShortageCounts {
  shortage(cause: ShortageCause): void;
}

/** Counts what is refused for lack of capacity, and logs it at warn, a line a second for each cause at most. */
export class Shortages {
  readonly #metrics: ShortageCounts;
  readonly #logger: Logger;
  readonly #quiet = new Map<ShortageCause, Quiet>();

  constructor(metrics: ShortageCounts, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
  }

  readonly report: OnShortage = (cause, { address }) => {
    this.#metrics.shortage(cause);
    const quiet = this.#quiet.get(cause);
    if (quiet === undefined) {
      this.#log(cause, address, 0);
      return;
    }
    quiet.suppressed++;
    quiet.lastAddress = address;
  };

  #log(cause: ShortageCause, address: string, suppressed: number): void {
    const fields = { cause, address, ...(suppressed > 0 && { suppressed }) };
    this.#logger.warn(fields, 'refused: no capacity left');
    this.#quiet.set(cause, { suppressed: 0, lastAddress: address });
    setTimeout(() => this.#speakAgain(cause), quietMs).unref();
  }

  /** What was suppressed is told even when nothing follows it. */
  #speakAgain(cause: ShortageCause): void {
    const quiet = this.#quiet.get(cause);
    this.#quiet.delete(cause);
    if (quiet !== undefined && quiet.suppressed > 0) this.#log(cause, quiet.lastAddress, quiet.suppressed);
  }
}
