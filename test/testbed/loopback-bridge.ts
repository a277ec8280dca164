import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What one end of a bridge listens at, and where it sends what comes: a TCP port, or the path of a Unix socket. */
export type BridgeAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface LoopbackBridgeOptions {
  readonly listen: BridgeAddress;
  readonly target: BridgeAddress;
  /** Connections beyond these are closed as they come. */
  readonly maxConnections?: number;
}

/** kubectl takes one for each call, and one more for each container that it is attached to. */
const defaultMaxConnections = 256;

/**
 * Forwards each connection as it is, byte for byte; it ends with either side, as TLS connections do. Two of them lead from loopback into another network namespace: the outer one from
 * a port to a Unix socket, which is a file and so is seen in both, the inner one from there to the server.
 */
export class LoopbackBridge {
  readonly #target: BridgeAddress;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor({ target, maxConnections = defaultMaxConnections }: LoopbackBridgeOptions) {
    this.#target = target;
    this.#server = createServer(client => this.#accept(client));
    this.#server.maxConnections = maxConnections;
  }

  /** Starts to listen. Whether the target is there shows with each connection. @throws when the address is taken */
  static async start(options: LoopbackBridgeOptions): Promise<LoopbackBridge> {
    const bridge = new LoopbackBridge(options);
    bridge.#server.listen(options.listen);
    await once(bridge.#server, 'listening');
    return bridge;
  }

  /** The port that it listens at, chosen by the system for port 0. */
  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the bridge listens at no port');
    return address.port;
  }

  /** Ends every connection, removes a Unix socket's file, and settles when all is closed. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(client: Socket): void {
    const server = connect(this.#target);
    join(client, server);
    join(server, client);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    }
  }
}

function join(from: Socket, to: Socket): void {
  from.pipe(to);
  // The other side learns of it by the close that follows.
  from.on('error', () => undefined);
  from.once('close', hadError => {
    if (hadError) to.destroy();
    // What came before the end is still delivered.
    else to.destroySoon();
  });
}
