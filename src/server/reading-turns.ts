import type { Socket } from 'node:net';
import { CheapestFirst } from './cheapest-first.ts';
import type { RecentCost } from './recent-cost.ts';

/** What may be read of strangers in one turn of the event loop: decrypted, split into requests and chunks, copied. */
const turnMs = 20;

/** Connections of heavy addresses that go on in one turn: twice as many after a short turn, half as many after a long one. */
const mostPerTurn = 64;

/** An address that has cost less lately is light: a few reviews a second. */
const lightMs = 3;

/**
 * What reading costs: for each request or chunk, and for each byte. Reckoned, not measured: most of it is spent inside of
 * Node.js before anybody hears of it, and a clock would put it down to whoever is heard of next.
 */
const readMs = 0.02;
const byteMs = 5 / (1024 * 1024);

/**
 * Holds strangers back while the server is busy. 64 kB of a TLS connection can cost 20 ms, when they are ten thousand chunks of a
 * byte; a hundred connections that are read in one turn would stop the server for seconds. So when a turn has lasted too
 * long, no stranger is read any further. In each turn that follows go on all whose address has cost little lately, and as
 * many of the others as turns stay short with, the cheapest first. What is not read waits in the client's socket, not in our memory. Trusted peers are always read.
 */
export class ReadingTurns {
  readonly #cost: RecentCost;
  readonly #open = new Map<Socket, string>();
  readonly #held: CheapestFirst<Socket>;
  #startedAtMs = 0;
  #perTurn = 8;
  #wasLong = false;
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
    this.#held.delete(share, socket);
  }

  /** To be called whenever something of a stranger was read: a request's headers, or a chunk of its body. */
  touch(share: string, bytes: number): void {
    const nowMs = performance.now();
    if (!this.#waits) {
      this.#startedAtMs = nowMs;
      this.#nextTurn();
    } else if (nowMs - this.#startedAtMs > turnMs) {
      // Behind the ticks of this chunk: in one of them its stream asks the socket for more, which would undo the pause.
      queueMicrotask(this.#holdAll);
      this.#wasLong = true;
      this.#startedAtMs = Number.POSITIVE_INFINITY;
    }
    this.#cost.add(share, readMs + bytes * byteMs);
  }

  readonly #holdAll = (): void => {
    for (const [socket, share] of this.#open) {
      if (this.#held.has(share, socket)) continue;
      this.#held.push(share, socket);
      socket.pause();
    }
  };

  #nextTurn(): void {
    this.#waits = true;
    setImmediate(() => {
      this.#waits = false;
      for (const socket of this.#held.takeBelow(lightMs)) socket.resume();
      this.#perTurn = this.#wasLong ? Math.max(1, this.#perTurn / 2) : Math.min(mostPerTurn, this.#perTurn * 2);
      this.#wasLong = false;
      for (let count = 0; count < this.#perTurn; count++) {
        const next = this.#held.shift();
        if (next === undefined) return;
        next.item.resume();
      }
      this.#startedAtMs = performance.now();
      this.#nextTurn();
    });
  }
}
