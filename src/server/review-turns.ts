import { FairQueue } from '../fair-queue.ts';
import type { BodyStay } from './body-room.ts';

/** Small reviews of strangers in one turn of the event loop: a few milliseconds of work. */
const turnBytes = 256 * 1024;
/** The longest rest between two large reviews. */
const longestRestMs = 200;
/** What a review costs beside its bytes, counted as bytes. */
const reviewBytes = 4096;

interface Waiting {
  readonly lost: () => Error | undefined;
  readonly begin: () => void;
  readonly leave: (error: Error) => void;
}

/**
 * Whose complete body is parsed and decided next. Parsing 3 MiB takes tens of milliseconds, during which nothing else runs:
 * - one large review at a time, trusted peers' before strangers', fair between addresses, with turns of the event loop between;
 * - small reviews of trusted peers at once;
 * - small reviews of strangers at once too, until they have had their part of the turn.
 *
 * So a small review never waits behind more than one large one.
 */
export class ReviewTurns {
  readonly #small = new FairQueue<Waiting>();
  readonly #trustedLarge = new FairQueue<Waiting>();
  readonly #strangersLarge = new FairQueue<Waiting>();
  #spentBytes = 0;
  /** Whether a large review is being parsed, which may take several turns. */
  #parsesLarge = false;
  /** Whether the next large one has to wait although none is being parsed. */
  #rests = false;
  #beganAtMs = 0;
  #waits = false;

  /**
   * Undefined when the review may go on at once: the usual case, which costs no promise. Otherwise resolves at its turn,
   * or rejects with what `lost` tells then: nobody may be there any more to be answered.
   */
  wait(stay: BodyStay, bodyBytes: number, lost: () => Error | undefined): Promise<void> | undefined {
    const { peer, large } = stay;
    if (!large && peer.trusted) return undefined;
    this.#nextTurn();
    if (!large && this.#small.size === 0 && this.#spentBytes < turnBytes) {
      this.#spentBytes += bodyBytes + reviewBytes;
      return undefined;
    }
    if (large && !this.#parsesLarge && (!this.#rests || peer.trusted)) {
      this.#parsesLarge = true;
      this.#beganAtMs = performance.now();
      return undefined;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const begin = (): void => {
      this.#spentBytes += bodyBytes + reviewBytes;
      resolve();
    };
    this.#queueOf(stay).push(peer.share, { lost, begin, leave: reject });
    return promise;
  }

  /** To be called for each review that has had its turn, once it is parsed. */
  parsed({ large }: BodyStay): void {
    if (!large) return;
    this.#parsesLarge = false;
    // Whoever waits goes first: nobody who comes now overtakes them.
    this.#rests = true;
    if (this.#trustedLarge.size > 0) setImmediate(this.#beginLarge);
    // Strangers' large ones get half of the time, or each turn of the event loop would be a long one, and a new connection
    // needs many turns until it is answered.
    else setTimeout(this.#beginLarge, Math.min(longestRestMs, performance.now() - this.#beganAtMs)).unref();
  }

  readonly #beginLarge = (): void => {
    this.#rests = false;
    // A trusted one did not wait for the end of the rest: the next goes on when it is parsed.
    if (this.#parsesLarge) return;
    this.#beganAtMs = performance.now();
    this.#parsesLarge = this.#beginNext(this.#trustedLarge) || this.#beginNext(this.#strangersLarge);
  };

  #queueOf({ peer, large }: BodyStay): FairQueue<Waiting> {
    if (!large) return this.#small;
    return peer.trusted ? this.#trustedLarge : this.#strangersLarge;
  }

  #nextTurn(): void {
    if (this.#waits) return;
    this.#waits = true;
    setImmediate(() => {
      this.#waits = false;
      this.#spentBytes = 0;
      let more = true;
      while (more && this.#spentBytes < turnBytes) more = this.#beginNext(this.#small);
      if (this.#spentBytes > 0) this.#nextTurn();
    });
  }

  /** False when nobody waits. */
  #beginNext(queue: FairQueue<Waiting>): boolean {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const error = next.lost();
      if (error === undefined) {
        next.begin();
        return true;
      }
      next.leave(error);
    }
    return false;
  }
}
