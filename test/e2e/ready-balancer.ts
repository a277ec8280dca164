import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Replica {
  readonly url: string;
  readonly opsUrl: string;
}

const lookEveryMs = 100;
const lookLimitMs = 1000;

/**
 * Stands for a Service: gives each new TCP connection to one replica of those whose `/readyz` said yes, in turn, and leaves
 * connections that are open alone, whatever becomes of their replica's readiness.
 * https://kubernetes.io/docs/reference/networking/virtual-ips/
 */
export class ReadyBalancer {
  readonly #replicas: readonly Replica[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #ready: readonly Replica[] = [];
  #turn = 0;
  #looking: NodeJS.Timeout | undefined;
  #refused = 0;

  private constructor(replicas: readonly Replica[]) {
    this.#replicas = replicas;
    this.#server = createServer(client => this.#accept(client));
  }

  static async start(replicas: readonly Replica[]): Promise<ReadyBalancer> {
    const balancer = new ReadyBalancer(replicas);
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    await balancer.#look();
    return balancer;
  }

  /** `https://127.0.0.1:PORT` */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the balancer is not listening');
    return `https://127.0.0.1:${address.port}`;
  }

  /** How many connections came while no replica was ready. */
  get refused(): number {
    return this.#refused;
  }

  isReady(replica: Replica): boolean {
    return this.#ready.includes(replica);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#looking);
    this.#looking = undefined;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(client: Socket): void {
    this.#turn += 1;
    const replica = this.#ready[this.#turn % this.#ready.length];
    if (replica === undefined) {
      this.#refused += 1;
      client.resetAndDestroy();
      return;
    }
    const { hostname, port } = new URL(replica.url);
    const server = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.pipe(other);
      // The other end learns of a broken connection by the close that follows.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.destroySoon();
      });
    }
  }

  async #look(): Promise<void> {
    const answers = await Promise.all(this.#replicas.map(isReady));
    this.#ready = this.#replicas.filter((_, index) => answers[index]);
    if (this.#server.listening) this.#looking = setTimeout(() => void this.#look(), lookEveryMs);
  }
}

async function isReady({ opsUrl }: Replica): Promise<boolean> {
  try {
    return (await fetch(`${opsUrl}/readyz`, { signal: AbortSignal.timeout(lookLimitMs) })).ok;
  } catch {
    return false;
  }
}
