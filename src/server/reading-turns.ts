import type { Socket } from 'node:net';
import { CheapestFirst } from './cheapest-first.ts';
import type { RecentCost } from './recent-cost.ts';

/** What may be read of strangers in one turn of the event loop: decrypted, split into requests and chunks, copied. */
const turnMs = 20;

/** Connections that may read again in each turn. */
const perTurn = 8;

/** An address that has cost this much lately is heavy: one of its connections in a turn, or the light ones would wait for many. */
const heavyMs = 10;

/** What a turn costs at least, so that an address does not have all of them before its first is measured. */
const leastMs = 0.1;

/**
 * Holds strangers back while the server is busy. 64 kB of a TLS connection can cost 20 ms, when they are ten thousand chunks of a
 * byte; a hundred connections that are read in one turn would stop the server for seconds. So when a turn has lasted too
 * long, no stranger is read any further, and then a few at a time: those first whose address has cost least lately. What is not read
 * waits in the client's socket, not in our memory. Trusted peers are always read.
 */
export class ReadingTurns {
  readonly #cost: RecentCost;
  readonly #open = new Map<Socket, string>();
  readonly #held: CheapestFirst<Socket>;
  /** They have their turn and keep it, whatever others cost in it. */
  readonly #resumed = new Set<Socket>();
  #startedAtMs = 0;
  #lastAtMs = 0;
  #waits = false;

  constructor(cost: RecentCost) {
    this.#cost = cost;
    this.#held = new CheapestFirst(cost);
  }

  /** @param share by which turns are given. */
  add(socket: Socket, share: string): void {
    this.#open.set(socket, share);
  }

  delete(socket: Socket): void {
    const share = this.#open.get(socket);
    if (share === undefined) return;
    this.#open.delete(socket);
    this.#resumed.delete(socket);
    this.#held.delete(share, socket);
  }

  /** To be called whenever something of a stranger was read. */
  touch(share: string): void {
    const nowMs = performance.now();
    if (!this.#waits) {
      this.#startedAtMs = nowMs;
      this.#nextTurn();
    } else {
      // Most of what a read costs is spent before anybody hears of it: decrypting, finding the chunks.
      this.#cost.add(share, nowMs - this.#lastAtMs);
      if (nowMs - this.#startedAtMs > turnMs) {
        // Behind the ticks of this chunk: in one of them its stream asks the socket for more, which would undo the pause.
        queueMicrotask(this.#holdAll);
        this.#startedAtMs = Number.POSITIVE_INFINITY;
      }
    }
    this.#lastAtMs = nowMs;
  }

  readonly #holdAll = (): void => {
    for (const [socket, share] of this.#open) {
      if (this.#resumed.has(socket) || this.#held.has(share, socket)) continue;
      this.#held.push(share, socket);
      socket.pause();
    }
  };

  #nextTurn(): void {
    this.#waits = true;
    setImmediate(() => {
      this.#waits = false;
      this.#resumed.clear();
      for (let count = 0; count < perTurn && this.#resumeOne() < heavyMs; ) count++;
      if (this.#resumed.size === 0 && this.#held.isEmpty) return;
      this.#startedAtMs = performance.now();
      this.#lastAtMs = this.#startedAtMs;
      this.#nextTurn();
    });
  }

  /** Tells what the address has cost of the connection that may read now. */
  #resumeOne(): number {
    const next = this.#held.shift();
    if (next === undefined) return Number.POSITIVE_INFINITY;
    const { share, item } = next;
    const spentMs = this.#cost.of(share);
    this.#cost.add(share, leastMs);
    this.#resumed.add(item);
    item.resume();
    return spentMs;
  }
}
