import type { Server, Socket } from 'node:net';
import { CheapestFirst } from './cheapest-first.ts';
import type { Peer } from './peers.ts';
import type { RecentCost } from './recent-cost.ts';

export interface DoorOptions {
  /** Connections of strangers that the server begins with in one turn of the event loop. */
  readonly perTurn: number;
  /** What the beginning of one costs in CPU. */
  readonly costMs: number;
  readonly cost: RecentCost;
  /** Who is at the other end; undefined turns the connection away. */
  readonly admit: (socket: Socket) => Peer | undefined;
  /** Asked when its turn has come; false turns it away after all. */
  readonly mayBegin?: (socket: Socket) => boolean;
}

/**
 * Stands before a server, which begins with a new connection only after it was admitted, and at its turn: a TLS handshake
 * costs about a millisecond of CPU before anything is known of the client. However many connect at once, whoever is connected
 * is served in between, and the address that has cost least lately goes first. Trusted peers do not wait.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #begin: (socket: Socket) => void;
  readonly #queue: CheapestFirst<Socket>;
  #begun = 0;
  #waits = false;

  constructor(server: Server, options: DoorOptions) {
    this.#options = options;
    this.#queue = new CheapestFirst(options.cost);
    // What the server would do by itself: an added listener is called only after it has made its objects for the socket.
    const inside = server.listeners('connection');
    const { mayBegin = () => true } = options;
    this.#begin = socket => {
      if (!mayBegin(socket)) {
        socket.destroy();
        return;
      }
      for (const listener of inside) Reflect.apply(listener, server, [socket]);
    };
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => this.#onConnection(socket));
  }

  #onConnection(socket: Socket): void {
    const peer = this.#options.admit(socket);
    if (peer === undefined) {
      // It may be reset already, and nobody else listens.
      socket.on('error', () => {});
      socket.destroy();
    } else if (peer.trusted) {
      this.#begin(socket);
    } else if (this.#begun < this.#options.perTurn && this.#queue.isEmpty) {
      this.#nextTurn();
      this.#beginStranger(peer.share, socket);
    } else {
      socket.on('error', () => {});
      this.#queue.push(peer.share, socket);
      this.#nextTurn();
    }
  }

  #beginStranger(share: string, socket: Socket): void {
    this.#begun++;
    this.#options.cost.add(share, this.#options.costMs);
    this.#begin(socket);
  }

  #nextTurn(): void {
    if (this.#waits) return;
    this.#waits = true;
    setImmediate(() => {
      this.#waits = false;
      this.#begun = 0;
      while (this.#begun < this.#options.perTurn && !this.#queue.isEmpty) {
        const next = this.#queue.shift();
        if (next !== undefined && !next.item.destroyed) this.#beginStranger(next.share, next.item);
      }
      if (this.#begun > 0) this.#nextTurn();
    });
  }
}
