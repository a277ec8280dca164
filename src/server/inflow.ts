import type { IncomingMessage } from 'node:http';

/** What strangers may send of large bodies in one turn of the event loop: 1 MiB costs about 2 ms to decrypt and copy. */
const turnBytes = 1024 * 1024;

/** What a connection that may read again brings in the next turn, at most. */
const readBytes = 64 * 1024;

/**
 * Holds strangers' large bodies back, so that between two turns of the event loop there is never much of them to read. What is
 * paused waits in the client's socket, not in our memory.
 */
export class Inflow {
  readonly #paused = new Set<IncomingMessage>();
  #leftBytes = turnBytes;
  #waits = false;

  /** From now on this request takes its share of each turn, also when its body is only read to be thrown away. */
  pace(request: IncomingMessage): void {
    request.on('data', (chunk: Buffer) => this.#took(request, chunk.length));
    request.once('close', () => this.#resume(request));
  }

  #took(request: IncomingMessage, bytes: number): void {
    this.#leftBytes -= bytes;
    this.#nextTurn();
    if (this.#leftBytes > 0 || request.complete) return;
    this.#paused.add(request);
    // The socket is paused, not the request: a paused request goes on collecting chunks, of one byte each if the client likes.
    // And it is paused behind the ticks of this chunk, in one of which the stream asks the socket for more.
    queueMicrotask(() => {
      if (this.#paused.has(request)) request.socket.pause();
    });
  }

  #resume(request: IncomingMessage): void {
    if (this.#paused.delete(request)) request.socket.resume();
  }

  #nextTurn(): void {
    if (this.#waits) return;
    this.#waits = true;
    setImmediate(() => {
      this.#waits = false;
      this.#leftBytes = turnBytes;
      let left = turnBytes / readBytes;
      for (const request of this.#paused) {
        if (left-- <= 0) break;
        this.#resume(request);
      }
      if (this.#paused.size > 0) this.#nextTurn();
    });
  }
}
