import type { Peer } from './peers.ts';

/** A usual review is smaller: a pod has some 10 kB, and managedFields twice that. */
export const smallBodyBytes = 64 * 1024;

/**
 * What a parsed review holds, by the bytes of its text, while it waits for live reads. A pod of 10 kB parses into 1.8
 * times its text, an object of 50,000 labels into 5 times; the text itself is gone by then.
 */
export const parsedFactor = 3;

/**
 * What each rank leaves free for those before it: a sixteenth. A review that is being decided cannot be taken back, and the
 * API server must find room beside strangers' reviews that wait.
 */
const reservedShare = 1 / 16;

/** What one review holds of the room, from the first byte of its body that has to wait to its answer. */
export interface BodyStay {
  readonly peer: Peer;
  readonly sinceMs: number;
  /** Ends the reading or the waiting of this body; called at most once, after the room has taken back what it held. */
  readonly cut: () => void;
  bytes: number;
  large: boolean;
  /** Being decided: its memory is in use and cannot be taken back. */
  settled: boolean;
}

/** Who goes first when there is not enough: the lower number. */
function rankOf({ peer, large }: BodyStay): number {
  return (peer.trusted ? 0 : 2) + (large ? 1 : 0);
}

/**
 * The memory that the bodies of reviews share, over all connections. A lone peer may use all of it. When it is spent,
 * somebody is cut off to make room: of the least entitled rank, the one whose address has most bodies waiting for longest, by
 * their number times the time. One address that floods loses by its number, a hundred that each hold a little lose by
 * their time, and the API server, which sends in milliseconds what it sends, loses by neither. Nobody is cut off for somebody
 * who is less entitled.
 */
export class BodyRoom {
  readonly #limitBytes: number;
  readonly #reservedBytes: number;
  readonly #now: () => number;
  readonly #stays = new Set<BodyStay>();
  /** Of each share, the bodies that can be cut off. */
  readonly #waiting = new Map<string, number>();
  #bytes = 0;

  /** @param now milliseconds; only tests have a clock of their own. */
  constructor(limitBytes: number, now = () => performance.now()) {
    this.#limitBytes = limitBytes;
    this.#reservedBytes = limitBytes * reservedShare;
    this.#now = now;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param cut told when the stay has to end to make room. */
  enter(peer: Peer, cut: () => void): BodyStay {
    const stay: BodyStay = { peer, sinceMs: this.#now(), cut, bytes: 0, large: false, settled: false };
    this.#stays.add(stay);
    return stay;
  }

  /** Charges the size of a body's buffer, before it is allocated. False when there is no room, and nothing has changed. */
  grow(stay: BodyStay, bytes: number): boolean {
    const wasLarge = stay.large;
    stay.large ||= bytes > smallBodyBytes;
    if (this.#charge(stay, bytes)) return true;
    stay.large = wasLarge;
    return false;
  }

  /** Charges what a complete body will hold once it is parsed; from here on the stay is not cut. False when there is no room. */
  settle(stay: BodyStay, bodyBytes: number): boolean {
    stay.large ||= bodyBytes > smallBodyBytes;
    if (!this.#charge(stay, bodyBytes * parsedFactor)) return false;
    stay.settled = true;
    if (stay.bytes > 0) this.#count(stay, -1);
    return true;
  }

  leave(stay: BodyStay): void {
    if (!this.#stays.delete(stay)) return;
    if (!stay.settled && stay.bytes > 0) this.#count(stay, -1);
    this.#bytes -= stay.bytes;
    stay.bytes = 0;
  }

  #charge(stay: BodyStay, bytes: number): boolean {
    if (!this.#stays.has(stay)) return false;
    const more = bytes - stay.bytes;
    const limit = this.#limitBytes - this.#reservedBytes * rankOf(stay);
    while (this.#bytes + more > limit && more > 0) {
      const worst = this.#leastEntitled(stay);
      if (worst === undefined) return false;
      this.leave(worst);
      worst.cut();
    }
    if (stay.bytes === 0 && bytes > 0) this.#count(stay, 1);
    this.#bytes += more;
    stay.bytes = bytes;
    return true;
  }

  /** Who is to go for `stay`; undefined when that would be itself. */
  #leastEntitled(stay: BodyStay): BodyStay | undefined {
    const nowMs = this.#now();
    let worst: BodyStay | undefined;
    let worstRank = rankOf(stay);
    let worstCost = -1;
    for (const each of this.#stays) {
      const rank = rankOf(each);
      if (each.settled || each.bytes === 0 || rank < worstRank) continue;
      const cost = (this.#waiting.get(each.peer.share) ?? 0) * (nowMs - each.sinceMs);
      // The longest waiter comes first in the set: of equals, it goes.
      if (rank === worstRank && cost <= worstCost) continue;
      worst = each;
      worstRank = rank;
      worstCost = cost;
    }
    return worst === stay ? undefined : worst;
  }

  #count({ peer }: BodyStay, difference: number): void {
    const count = (this.#waiting.get(peer.share) ?? 0) + difference;
    if (count > 0) this.#waiting.set(peer.share, count);
    else this.#waiting.delete(peer.share);
  }
}
