import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { BodyReader } from './body-reader.ts';
import { Door } from './door.ts';
import { HttpError } from './http-error.ts';
import { sendHttpError, sendHttpErrorOnSocket } from './http-error-response.ts';
import type { Peer, Peers } from './peers.ts';
import { ReadingTurns } from './reading-turns.ts';
import { RecentCost } from './recent-cost.ts';
import { type Seat, type SeatState, Seats } from './seats.ts';
import type { ServerLimits } from './server-limits.ts';
import type { OnShortage } from './shortage.ts';
import { stopParsing } from './stop-parsing.ts';

/**
 * Requests of one connection that are not answered yet. HTTP/1.1 clients hardly pipeline, kube-apiserver's never:
 * https://pkg.go.dev/net/http#Transport
 */
const mostUnanswered = 32;

/** In which an answer reaches its client. */
const answerTravelMs = 100;

/** CPU of a TLS handshake. */
const handshakeMs = 0.5;

/** What is known of one TLS connection. */
export interface Connection {
  /** Beneath the TLS. */
  readonly socket: Socket;
  readonly seat: Seat;
  /** Requests that are not answered yet. */
  unanswered: number;
  /** The latest response of the connection; with pipelining, earlier ones may still be open. */
  last: ServerResponse | undefined;
  /** The reader of the one request whose body is arriving. */
  reading: BodyReader | undefined;
  /** The bytes of the connection cannot be read any further. */
  broken: boolean;
  /** From here on, by performance.now(), an answer closes the connection. */
  retireAtMs: number;
  /** Since when, by performance.now(), every request is answered. */
  atRestSinceMs: number;
}

export interface ConnectionOptions {
  readonly peers: Peers;
  readonly limits: Pick<ServerLimits, 'connectionMaxAgeMs' | 'connections' | 'handshakes' | 'handshakesPerTurn'>;
  readonly onShortage: OnShortage;
  /** Told of every HTTP error that is sent. */
  readonly onRefused: (error: HttpError) => void;
}

/** A socket before the end of its TLS handshake. */
interface Handshake {
  readonly socket: Socket;
  readonly seat: Seat;
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

/** Whether no request is being read or answered. */
function isAtRest({ last, reading }: Connection): boolean {
  return reading === undefined && (last === undefined || last.writableFinished || last.destroyed);
}

/** A reset takes what the client has not received yet with it: the last answer must have had time to arrive. */
function mayBeReset(socket: Duplex, connection: Connection): boolean {
  const restMs = performance.now() - connection.atRestSinceMs;
  return isAtRest(connection) && !socket.writableEnded && restMs >= answerTravelMs;
}

/**
 * The connections of the review server: who gets one, which are to close with their next answer, and what becomes of bytes
 * that are no HTTP. kube-apiserver keeps its connections as long as it can, so ageing is what spreads load over new replicas.
 * Node's maxRequestsPerSocket is not used: it answers requests beyond the limit by 503.
 */
export class Connections {
  /** Of strangers. */
  readonly reading: ReadingTurns;
  readonly #options: ConnectionOptions;
  readonly #open = new Map<Duplex, Connection>();
  readonly #seats: Seats;
  /** By their remote end; http's own closing functions do not know them. */
  readonly #handshaking = new Map<string, Handshake>();
  #retiring = false;

  constructor(server: Server, options: ConnectionOptions) {
    this.#options = options;
    const cost = new RecentCost();
    const { connections, handshakes, handshakesPerTurn } = options.limits;
    this.#seats = new Seats({ seats: connections, handshakes }, share => cost.of(share));
    this.reading = new ReadingTurns(cost);
    new Door(server, {
      perTurn: handshakesPerTurn,
      costMs: handshakeMs,
      cost,
      admit: socket => this.#admit(socket),
      mayBegin: socket => this.#mayBegin(socket),
    });
    server.on('secureConnection', socket => this.#enter(socket));
    server.on('clientError', (error, socket) => this.#onClientError(error, socket));
    server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      this.#refuseSocket(socket, new HttpError(405, 'CONNECT is not served here', 'POST'));
    });
  }

  /**
   * To be called once for every request, in the order of arrival.
   * @returns false when the connection has too many requests open: it is cut, and this one is not to be handled.
   */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#open.get(request.socket);
    if (connection === undefined) return !request.socket.destroyed;
    if (connection.unanswered >= mostUnanswered) {
      if (!request.socket.destroyed) this.#options.onShortage('pipelining', connection.seat.peer);
      stopParsing(request.socket);
      return false;
    }
    const { peer } = connection.seat;
    if (!peer.trusted) this.reading.touch(peer.share, 0);
    connection.last = response;
    if (connection.unanswered++ === 0) this.#seats.change(connection.seat, 'busy');
    response.once('close', () => {
      if (--connection.unanswered > 0) return;
      connection.atRestSinceMs = performance.now();
      this.#seats.change(connection.seat, 'idle');
    });
    return true;
  }

  /** Who sent the request. */
  peerOf(request: IncomingMessage): Peer {
    return this.#open.get(request.socket)?.seat.peer ?? this.#options.peers.of(request.socket.remoteAddress);
  }

  /** What is to be told of each chunk that is read of a request's body. */
  onRead(request: IncomingMessage): (bytes: number) => void {
    const { share, trusted } = this.peerOf(request);
    return trusted ? () => {} : bytes => this.reading.touch(share, bytes);
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

  /** Answers a request by an HTTP error. */
  refuse(request: IncomingMessage, response: ServerResponse, error: HttpError): void {
    this.#options.onRefused(error);
    sendHttpError(request, response, error, this.isLast(request, response), this.onRead(request));
  }

  /** From now on every answer closes its connection. */
  retire(): void {
    this.#retiring = true;
  }

  /** Every connection open now closes with its next answer: their clients were checked against a CA that has changed. */
  retireOpen(): void {
    for (const connection of this.#open.values()) connection.retireAtMs = 0;
  }

  /**
   * Ends the connections between two requests, by a TCP reset. A client may take one for its next request in this very moment.
   * After an orderly end its system would still take the bytes, and the request would fail. After a reset the write itself fails,
   * which says that nothing was sent, and Go's client tries again on another connection:
   * https://github.com/golang/go/blob/go1.26.0/src/net/http/transport.go (nothingWrittenError).
   */
  async resetIdle(): Promise<void> {
    for (const [socket, connection] of [...this.#open]) {
      if (connection.last === undefined) continue;
      // What has arrived becomes a request first, which is answered.
      await nextTurn();
      if (mayBeReset(socket, connection)) connection.socket.resetAndDestroy();
    }
  }

  /** Ends the connections that wait for nothing, also those that never carried a request or finished a handshake. */
  closeUnused(): void {
    for (const [socket, connection] of this.#open) {
      if (mayBeReset(socket, connection)) connection.socket.resetAndDestroy();
      else if (isAtRest(connection)) socket.destroy();
    }
    for (const { socket } of this.#handshaking.values()) socket.destroy();
  }

  /** Cuts everything. */
  closeAll(): void {
    for (const socket of this.#open.keys()) socket.destroy();
    for (const { socket } of this.#handshaking.values()) socket.destroy();
  }

  /** Before the TLS handshake. */
  #admit(socket: Socket): Peer | undefined {
    const { onShortage, peers } = this.#options;
    const peer = peers.of(socket.remoteAddress);
    const seat = this.#seats.take(peer, 'queued', (state, sinceMs) => this.#cut(socket, state, sinceMs, peer));
    if (seat === undefined) {
      onShortage('connection', peer);
      return undefined;
    }
    const remote = remoteOf(socket);
    this.#handshaking.set(remote, { socket, seat });
    socket.once('close', () => {
      this.#seats.leave(seat);
      if (this.#handshaking.get(remote)?.socket === socket) this.#handshaking.delete(remote);
    });
    return peer;
  }

  #mayBegin(socket: Socket): boolean {
    const handshake = this.#handshaking.get(remoteOf(socket));
    // A socket that was reset already has no remote end: it must not stand for another one of that kind.
    if (handshake?.socket !== socket) return false;
    if (this.#seats.beginHandshake(handshake.seat)) return true;
    this.#options.onShortage('handshake', handshake.seat.peer);
    return false;
  }

  /** After the TLS handshake. */
  #enter(socket: TLSSocket): void {
    const remote = remoteOf(socket);
    const handshake = this.#handshaking.get(remote);
    this.#handshaking.delete(remote);
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    const { seat } = handshake;
    // True only where a client certificate was asked for and has been verified.
    const trusted = seat.peer.trusted || socket.authorized;
    this.#seats.change(seat, 'idle', { ...seat.peer, trusted });
    this.#open.set(socket, {
      socket: handshake.socket,
      seat,
      unanswered: 0,
      last: undefined,
      reading: undefined,
      broken: false,
      retireAtMs: this.#retireAtMs(),
      atRestSinceMs: performance.now(),
    });
    if (!trusted) this.reading.add(socket, seat.peer.share);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.reading.delete(socket);
      this.#seats.leave(seat);
    });
  }

  #cut(socket: Socket, state: SeatState, sinceMs: number, peer: Peer): void {
    this.#options.onShortage(state === 'handshake' || state === 'queued' ? 'handshake' : 'connection', peer);
    // For the reason that resetIdle has.
    if (state === 'idle' && performance.now() - sinceMs >= answerTravelMs) socket.resetAndDestroy();
    else socket.destroy();
  }

  #retireAtMs(): number {
    const { connectionMaxAgeMs } = this.#options.limits;
    if (connectionMaxAgeMs <= 0) return Number.POSITIVE_INFINITY;
    // Spread, so that connections opened together do not all come back together.
    return performance.now() + connectionMaxAgeMs * (0.8 + 0.4 * Math.random());
  }

  #refuseSocket(socket: Duplex, error: HttpError): void {
    if (socket.writable) this.#options.onRefused(error);
    sendHttpErrorOnSocket(socket, error);
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
    else if (last === undefined || last.writableFinished || last.destroyed) this.#refuseSocket(socket, error);
    // An HTTP error that lingers has nothing left to wait for.
    else if (last.headersSent && !last.writableEnded) last.end();
    // What came whole before the garbage is answered first, and mostly closes the connection by itself.
    else last.once('finish', () => this.#refuseSocket(socket, error));
  }
}
