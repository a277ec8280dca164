import type { TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

type Target = ConnectionOptions & Pick<TcpNetConnectOpts, 'localAddress'>;

/**
 * Connections as kube-apiserver's HTTP client keeps them: a request takes whatever comes first, a connection that is free again or a
 * new one. https://go.dev/src/net/http/transport.go (getConn, queueForIdleConn, queueForDial)
 */
export class ApiServerPool {
  readonly #options: Target;
  readonly #open = new Set<TLSSocket>();
  readonly #idle: TLSSocket[] = [];
  readonly #waiting = new Set<(socket: TLSSocket) => void>();

  constructor(options: Target) {
    this.#options = options;
  }

  /** A connection for one request; `abandoned` ends the wait. */
  async take(abandoned: AbortSignal): Promise<TLSSocket> {
    for (let socket = this.#idle.pop(); socket !== undefined; socket = this.#idle.pop()) {
      if (!socket.destroyed) return socket;
    }
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    this.#waiting.add(resolve);
    abandoned.addEventListener(
      'abort',
      () => {
        this.#waiting.delete(resolve);
        reject(new Error('no connection within a second'));
      },
      { once: true },
    );
    this.#dial();
    return promise;
  }

  /** Gives a connection back whose answer was read whole. */
  give(socket: TLSSocket): void {
    const [next] = this.#waiting;
    if (socket.destroyed) return;
    if (next === undefined) {
      this.#idle.push(socket);
    } else {
      this.#waiting.delete(next);
      next(socket);
    }
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #dial(): void {
    const socket = connectTls(this.#options);
    this.#open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#open.delete(socket));
    socket.once('secureConnect', () => this.give(socket));
  }
}
