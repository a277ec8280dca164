import type { Server, Socket } from 'node:net';
import { FairQueue } from './fair-queue.ts';
import type { Peer } from './peers.ts';

export interface DoorOptions {
  /** Connections of strangers that the server begins with in one turn of the event loop. */
  readonly perTurn: number;
  /** Who is at the other end; undefined turns the connection away. */
  readonly admit: (socket: Socket) => Peer | undefined;
}

/**
 * Stands before a server, which begins with a new connection only after it was admitted, and at its turn: a TLS handshake
 * costs about a millisecond of CPU before anything is known of the client. However many connect at once, whoever is connected
 * is served in between, and each address gets its turn. Trusted peers do not wait.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #begin: (socket: Socket) => void;
  readonly #queue = new FairQueue<Socket>();
  #begun = 0;
  #waits = false;

  constructor(server: Server, options: DoorOptions) {
    this.#options = options;
    // What the server would do by itself: an added listener is called only after it has made its objects for the socket.
    const inside = server.listeners('connection');
    this.#begin = socket => {
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
    } else if (this.#begun < this.#options.perTurn && this.#queue.size === 0) {
      this.#begun++;
      this.#nextTurn();
      this.#begin(socket);
    } else {
      socket.on('error', () => {});
      this.#queue.push(peer.share, socket);
      this.#nextTurn();
    }
  }

  #nextTurn(): void {
    if (this.#waits) return;
    this.#waits = true;
    setImmediate(() => {
      this.#waits = false;
      this.#begun = 0;
      while (this.#begun < this.#options.perTurn && this.#queue.size > 0) {
        const socket = this.#queue.shift();
        if (socket === undefined || socket.destroyed) continue;
        this.#begun++;
        this.#begin(socket);
      }
      if (this.#begun > 0) this.#nextTurn();
    });
  }
}
