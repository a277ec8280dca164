import type { Peer } from './peers.ts';

/** `queued`: not begun with; `handshake`: not known yet who it is; `idle`: nobody waits for an answer; `busy`: somebody does. */
export type SeatState = 'queued' | 'handshake' | 'idle' | 'busy';

export interface SeatLimits {
  readonly seats: number;
  /** Of these, connections whose TLS handshake has begun and is not finished. */
  readonly handshakes: number;
}

/** One connection. */
export interface Seat {
  /** With a client certificate, a stranger is known only after the handshake. */
  peer: Peer;
  state: SeatState;
  /** When the state began. */
  sinceMs: number;
  /** Ends the connection; called at most once, after its seat was taken. */
  readonly close: (state: SeatState, sinceMs: number) => void;
}

/** Addresses whose recent cost differs by less are alike. */
const costStepMs = 5;

const order: Readonly<Record<SeatState, number>> = { idle: 3, queued: 2, handshake: 2, busy: 1 };

/**
 * The connections of a port. When all seats are taken, a newcomer gets the seat of a stranger: an idle one, else one amid its
 * handshake, else one that waits; of these, one of the address that has cost most CPU lately (who dials again and again), else of
 * the one that holds most connections for longest. An idle connection is lost to
 * nobody, for it is reset: Go's client sends its request again on another (https://pkg.go.dev/net/http#Transport). A trusted peer loses its seat to
 * nobody but a trusted peer, and only when idle.
 */
export class Seats {
  readonly #limits: SeatLimits;
  readonly #costOf: (share: string) => number;
  readonly #now: () => number;
  readonly #seats = new Set<Seat>();
  readonly #byShare = new Map<string, number>();
  #handshakes = 0;

  /**
   * @param costOf CPU that an address has cost lately, in milliseconds.
   * @param now milliseconds; only tests have a clock of their own.
   */
  constructor(limits: SeatLimits, costOf: (share: string) => number = () => 0, now = () => performance.now()) {
    this.#limits = limits;
    this.#costOf = costOf;
    this.#now = now;
  }

  get size(): number {
    return this.#seats.size;
  }

  /** Undefined when there is no seat. @param close told when the connection has to end to make room. */
  take(peer: Peer, state: 'queued' | 'idle', close: Seat['close']): Seat | undefined {
    if (this.#seats.size >= this.#limits.seats && !this.#free(peer, () => true)) return undefined;
    const seat: Seat = { peer, state, sinceMs: this.#now(), close };
    this.#seats.add(seat);
    this.#count(peer.share, 1);
    return seat;
  }

  /** The handshake of a queued connection begins. False when it has to end, for others have more right to theirs. */
  beginHandshake(seat: Seat): boolean {
    if (!this.#seats.has(seat)) return false;
    const inHandshake = ({ state }: Seat): boolean => state === 'handshake';
    if (this.#handshakes >= this.#limits.handshakes && !this.#free(seat.peer, inHandshake)) return false;
    this.change(seat, 'handshake');
    this.#handshakes++;
    return true;
  }

  change(seat: Seat, state: SeatState, peer = seat.peer): void {
    if (!this.#seats.has(seat)) return;
    if (seat.state === 'handshake' && state !== 'handshake') this.#handshakes--;
    seat.state = state;
    seat.peer = peer;
    seat.sinceMs = this.#now();
  }

  leave(seat: Seat): void {
    if (!this.#seats.delete(seat)) return;
    if (seat.state === 'handshake') this.#handshakes--;
    this.#count(seat.peer.share, -1);
  }

  /** Closes the connection that has least right to its seat. False when all have more than the newcomer. */
  #free(newcomer: Peer, isMeant: (seat: Seat) => boolean): boolean {
    const nowMs = this.#now();
    let worst: Seat | undefined;
    let worstOrder = -1;
    let worstCost = -1;
    let worstHeld = -1;
    for (const seat of this.#seats) {
      if (!isMeant(seat)) continue;
      const { peer, state, sinceMs } = seat;
      if (peer.trusted && (!newcomer.trusted || state === 'busy')) continue;
      const eachOrder = peer.trusted ? 0 : order[state];
      const cost = Math.floor(this.#costOf(peer.share) / costStepMs);
      const held = (this.#byShare.get(peer.share) ?? 0) * (nowMs - sinceMs);
      const difference = eachOrder - worstOrder || cost - worstCost || held - worstHeld;
      if (difference <= 0) continue;
      worst = seat;
      worstOrder = eachOrder;
      worstCost = cost;
      worstHeld = held;
    }
    if (worst === undefined) return false;
    const { state } = worst;
    this.leave(worst);
    worst.close(state, worst.sinceMs);
    return true;
  }

  #count(share: string, difference: number): void {
    const count = (this.#byShare.get(share) ?? 0) + difference;
    if (count > 0) this.#byShare.set(share, count);
    else this.#byShare.delete(share);
  }
}
