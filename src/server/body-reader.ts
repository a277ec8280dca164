import type { IncomingMessage } from 'node:http';
import { BodyBuffer } from './body-buffer.ts';
import { bodyTooLarge } from './body-headers.ts';
import type { BodyRoom, BodyStay } from './body-room.ts';
import { ClientGoneError, HttpError } from './http-error.ts';
import type { Peer } from './peers.ts';
import type { OnShortage } from './shortage.ts';
import { stopParsing } from './stop-parsing.ts';

/** A body comes in milliseconds, whatever time its review has: who takes longer holds memory that others need. */
export const longestBodyWaitMs = 3000;

/**
 * kube-apiserver announces the length of its bodies and sends them in TLS records of kilobytes. Each chunk costs some
 * microseconds whatever its size: past the first thousand they have to be worth it.
 */
const freeChunks = 1000;
const leastAverageBytes = 256;

/** An error to be thrown when there is no room for a body; it may be sent again a moment later. */
export class NoRoomError extends HttpError {
  constructor() {
    super(413, 'too many bodies are being received at once');
  }
}

export interface BodyReaderOptions {
  readonly peer: Peer;
  readonly limitBytes: number;
  readonly timeoutMs: number;
  readonly room: BodyRoom;
  /** Called for each chunk that was read. */
  readonly onRead: (bytes: number) => void;
  readonly onShortage: OnShortage;
}

/**
 * Collects one request's body.
 * `done` rejects with an HttpError (413 larger than the limit or no room for it, 408 not here in time, or whatever
 * `fail` was told) or a ClientGoneError when the connection ends first.
 */
export class BodyReader {
  readonly done: Promise<Buffer>;
  /** What the body holds of the room; the caller ends it when the review was answered. */
  readonly stay: BodyStay;
  readonly #request: IncomingMessage;
  readonly #options: BodyReaderOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: Error) => void;
  /** The first chunk, which is not copied unless another follows: a usual review comes in one. */
  #first: Buffer | undefined;
  #buffer: BodyBuffer | undefined;
  #chunks = 0;
  #isCut = false;

  constructor(request: IncomingMessage, options: BodyReaderOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    this.done = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#request = request;
    this.#options = options;
    this.stay = options.room.enter(options.peer, () => this.#lackRoom());
    const late = (): void => this.fail(new HttpError(408, 'the body did not arrive in time'));
    this.#timer = setTimeout(late, Math.min(options.timeoutMs, longestBodyWaitMs));
    this.#timer.unref();
    request.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onGone).on('error', this.#onGone);
  }

  /** True when the whole body arrived, even if its last events are still to come. */
  get hasAll(): boolean {
    return this.#request.complete;
  }

  /** Ends the reading; later events of the request change nothing any more. */
  fail(error: Error): void {
    this.#stop();
    this.free();
    this.#reject(error);
  }

  /** To be called once the body was parsed: its bytes are gone then. */
  free(): void {
    this.#buffer?.free();
    this.#buffer = undefined;
    this.#first = undefined;
  }

  /**
   * To be called before the body is parsed. From here on it is not cut off.
   * @throws {NoRoomError}
   */
  settle(bodyBytes: number): void {
    const { onShortage, peer, room } = this.#options;
    if (this.#isCut) throw new NoRoomError();
    if (room.settle(this.stay, bodyBytes)) return;
    onShortage('body', peer);
    throw new NoRoomError();
  }

  /** Why the review need not be decided any more. */
  readonly lost = (): Error | undefined => {
    if (this.#isCut) return new NoRoomError();
    if (!this.#request.socket.destroyed) return undefined;
    return new ClientGoneError('the client closed the connection before its review was decided');
  };

  #stop(): void {
    clearTimeout(this.#timer);
    // The listener for errors stays: an aborted request without one would bring the process down.
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onGone);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#options.onRead(chunk.length);
    if (this.#first === undefined && this.#buffer === undefined) {
      // Node.js has copied it to a buffer of its own length.
      if (!this.#lacks(chunk.length, chunk.length)) this.#first = chunk;
      return;
    }
    const first = this.#first;
    this.#first = undefined;
    this.#buffer ??= new BodyBuffer();
    if (first !== undefined) this.#append(this.#buffer, first, chunk.length);
    if (this.#buffer !== undefined) this.#append(this.#buffer, chunk, 0);
  };

  /** @param moreBytes that are known to follow, so that the buffer grows once. */
  #append(buffer: BodyBuffer, chunk: Buffer, moreBytes: number): void {
    if (++this.#chunks > freeChunks && buffer.sizeBytes < this.#chunks * leastAverageBytes) {
      this.fail(new HttpError(413, 'the body comes in too many small chunks'));
      stopParsing(this.#request.socket);
      return;
    }
    const capacity = buffer.capacityFor(chunk.length + moreBytes, this.#options.limitBytes);
    if (capacity > buffer.capacity && this.#lacks(buffer.sizeBytes + chunk.length + moreBytes, capacity)) return;
    buffer.add(chunk, capacity);
  }

  /** Fails when the body is too large or the room has no place for its buffer; true then. */
  #lacks(sizeBytes: number, capacity: number): boolean {
    const { limitBytes, room } = this.#options;
    if (sizeBytes > limitBytes) {
      this.fail(bodyTooLarge(limitBytes));
      return true;
    }
    if (!room.grow(this.stay, capacity)) {
      this.#lackRoom();
      return true;
    }
    return false;
  }

  #lackRoom(): void {
    this.#isCut = true;
    this.#options.onShortage('body', this.#options.peer);
    this.fail(new NoRoomError());
  }

  readonly #onEnd = (): void => {
    this.#stop();
    this.#resolve(this.#first ?? this.#buffer?.bytes() ?? Buffer.alloc(0));
  };

  readonly #onGone = (): void => {
    this.fail(new ClientGoneError('the client closed the connection before the body was complete'));
  };
}
