import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { BodyReader } from './body.ts';
import { HttpError } from './http-error.ts';
import { refuseOnSocket } from './refusal.ts';

/** What is known of one TLS connection. */
export interface Connection {
  /** The latest response of the connection; with pipelining, earlier ones may still be open. */
  last: ServerResponse | undefined;
  /** The reader of the one request whose body is arriving. */
  reading: BodyReader | undefined;
  /** The bytes of the connection cannot be read any further. */
  broken: boolean;
  /** From here on, by performance.now(), an answer closes the connection. */
  retireAtMs: number;
}

export interface ConnectionOptions {
  /** From this age on a connection is closed with its next answer, so that new replicas get their share. 0: never. */
  readonly maxAgeMs: number;
  /** Told of every refusal that no request stands for. */
  readonly onRefused: (error: HttpError) => void;
}

function remoteOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function errorOf(cause: Error & { readonly code?: string }): HttpError {
  switch (cause.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpError(408, 'the request did not arrive in time');
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError(400, 'the request headers are too large');
    case 'HPE_INVALID_EOF_STATE':
      return new HttpError(400, 'the connection ended in the middle of a request');
    default:
      return new HttpError(400, 'malformed HTTP request');
  }
}

/**
 * The connections of the review server: which are to close with their next answer, and what becomes of bytes that are
 * no HTTP. kube-apiserver keeps its connections as long as it can, so ageing is what spreads load over new replicas.
 * Node's maxRequestsPerSocket is not used: it answers requests beyond the limit by 503.
 */
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #open = new Map<Duplex, Connection>();
  /** Sockets amid their TLS handshake, by their remote end; http's own closing functions do not know them. */
  readonly #handshaking = new Map<string, Socket>();
  #retiring = false;

  constructor(server: Server, options: ConnectionOptions) {
    this.#options = options;
    server.on('connection', (socket: Socket) => {
      const remote = remoteOf(socket);
      this.#handshaking.set(remote, socket);
      socket.once('close', () => {
        if (this.#handshaking.get(remote) === socket) this.#handshaking.delete(remote);
      });
    });
    server.on('secureConnection', socket => {
      this.#handshaking.delete(remoteOf(socket));
      this.#open.set(socket, { last: undefined, reading: undefined, broken: false, retireAtMs: this.#retireAtMs() });
      socket.once('close', () => this.#open.delete(socket));
    });
    server.on('clientError', (error, socket) => this.#onClientError(error, socket));
    server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      this.#refuse(socket, new HttpError(405, 'CONNECT is not served here', 'POST'));
    });
  }

  /** To be called once for every request, in the order of arrival. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#open.get(request.socket);
    if (connection !== undefined) connection.last = response;
  }

  /** `undefined` when the connection is gone already. */
  of(request: IncomingMessage): Connection | undefined {
    return this.#open.get(request.socket);
  }

  /** True when this answer is to be the connection's last. Never while pipelined requests wait: they would be lost. */
  isLast(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#open.get(request.socket);
    if (connection === undefined) return true;
    if (connection.last !== response) return false;
    return this.#retiring || connection.broken || performance.now() >= connection.retireAtMs;
  }

  /** From now on every answer closes its connection. */
  retire(): void {
    this.#retiring = true;
  }

  /** Every connection open now closes with its next answer: their clients were checked against a CA that has changed. */
  retireOpen(): void {
    for (const connection of this.#open.values()) connection.retireAtMs = 0;
  }

  /** Ends the connections that wait for nothing, also those that never carried a request or finished a handshake. */
  closeUnused(): void {
    for (const [socket, { last, reading }] of this.#open) {
      if (reading === undefined && (last === undefined || last.writableFinished || last.destroyed)) socket.destroy();
    }
    for (const socket of this.#handshaking.values()) socket.destroy();
  }

  /** Cuts everything. */
  closeAll(): void {
    for (const socket of this.#open.keys()) socket.destroy();
    for (const socket of this.#handshaking.values()) socket.destroy();
  }

  #retireAtMs(): number {
    const { maxAgeMs } = this.#options;
    if (maxAgeMs <= 0) return Number.POSITIVE_INFINITY;
    // Spread, so that connections opened together do not all come back together.
    return performance.now() + maxAgeMs * (0.8 + 0.4 * Math.random());
  }

  #refuse(socket: Duplex, error: HttpError): void {
    if (socket.writable) this.#options.onRefused(error);
    refuseOnSocket(socket, error);
  }

  #onClientError(cause: Error & { readonly code?: string }, socket: Duplex): void {
    const connection = this.#open.get(socket);
    // No connection yet: the handshake failed, and TLS has said so itself.
    if (connection === undefined || cause.code === 'ECONNRESET' || cause.code === 'EPIPE') {
      socket.destroy();
      return;
    }
    // The parser reports every further chunk of a broken stream again.
    if (connection.broken) return;
    connection.broken = true;
    const error = errorOf(cause);
    const { last, reading } = connection;
    if (reading !== undefined && !reading.hasAll) reading.fail(error);
    else if (last === undefined || last.writableFinished || last.destroyed) this.#refuse(socket, error);
    // A refusal that lingers has nothing left to wait for.
    else if (last.headersSent && !last.writableEnded) last.end();
    // What came whole before the garbage is answered first, and mostly closes the connection by itself.
    else last.once('finish', () => this.#refuse(socket, error));
  }
}
