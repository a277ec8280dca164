import type { IncomingMessage } from 'node:http';
import { ClientGoneError, HttpError } from './http-error.ts';

/**
 * 7 MiB. etcd takes requests of 1.5 MiB and the API server objects of 3 MB; an update carries two of them, and the rest
 * of the review needs room. https://github.com/kubernetes-sigs/controller-runtime/blob/main/pkg/webhook/admission/http.go
 */
export const bodyLimitBytes = 7 * 1024 * 1024;

/** True for `application/json`, in any case, with any parameters. */
export function isJsonType(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  if (contentType === undefined) return false;
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase() === 'application/json';
}

/**
 * Judges a request by its headers, before its body is read.
 * @throws {HttpError} 415 for another content type or an encoded body, 413 for a body announced larger than the limit.
 */
export function checkBodyHeaders(request: IncomingMessage, limitBytes: number): void {
  const { headers } = request;
  if (!isJsonType(headers['content-type'])) throw new HttpError(415, 'Content-Type must be application/json');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new HttpError(415, 'Content-Encoding must be absent or identity');
  }
  const length = headers['content-length'];
  if (length !== undefined && Number(length) > limitBytes) throw tooLarge(limitBytes);
}

function tooLarge(limitBytes: number): HttpError {
  return new HttpError(413, `the body is larger than the limit of ${limitBytes} bytes`);
}

/** Bytes of bodies that are being received, over all connections. */
export class BodyBudget {
  readonly #limitBytes: number;
  #bytes = 0;

  /** Default 96 MiB: a dozen of the largest bodies, and thousands of those that pods make; within the memory of a small pod. */
  constructor(limitBytes = 96 * 1024 * 1024) {
    this.#limitBytes = limitBytes;
  }

  /** False when they would be too many together; nothing is taken then. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#limitBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/**
 * Collects one request's body.
 * `done` rejects with an HttpError (413 larger than the limit, 408 not here in time, or whatever `fail` was told) or
 * a ClientGoneError when the connection ends first.
 */
export class BodyReader {
  readonly done: Promise<Buffer>;
  readonly #request: IncomingMessage;
  readonly #limitBytes: number;
  readonly #timer: NodeJS.Timeout;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  readonly #budget: BodyBudget;
  #sizeBytes = 0;
  #takenBytes = 0;

  constructor(request: IncomingMessage, limitBytes: number, timeoutMs: number, budget: BodyBudget) {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    this.done = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#request = request;
    this.#limitBytes = limitBytes;
    this.#budget = budget;
    this.#timer = setTimeout(this.#onTimeout, timeoutMs);
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
    this.#reject(error);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#budget.give(this.#takenBytes);
    this.#takenBytes = 0;
    // The listener for errors stays: an aborted request without one would bring the process down.
    this.#request.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onGone);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > this.#limitBytes) {
      this.fail(tooLarge(this.#limitBytes));
    } else if (!this.#budget.take(chunk.length)) {
      this.fail(new HttpError(413, 'too many bodies are being received at once'));
    } else {
      this.#takenBytes += chunk.length;
      this.#chunks.push(chunk);
    }
  };

  readonly #onEnd = (): void => {
    this.#stop();
    const [first] = this.#chunks;
    this.#resolve(
      first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#sizeBytes),
    );
  };

  readonly #onTimeout = (): void => {
    this.fail(new HttpError(408, 'the body did not arrive in time'));
  };

  readonly #onGone = (): void => {
    this.fail(new ClientGoneError('the client closed the connection before the body was complete'));
  };
}
