import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { accessKinds, asList, ofKinds, only, renderDeploy } from './manifests.ts';

export interface Freeze {
  /** `both`: nothing is forwarded; `from-server`: requests still arrive, answers do not. */
  readonly direction: 'both' | 'from-server';
  /** `open`: only connections that are open now; `all`: those that come too. */
  readonly connections: 'open' | 'all';
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Forwards TCP to an API server, TLS within, until told to stop forwarding (nobody sees a connection end) or to cut. */
export class FaultyProxy {
  readonly #target: URL;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #freezeNew: Freeze['direction'] | undefined;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer(client => this.#accept(client));
  }

  static async start(targetUrl: string): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(new URL(targetUrl));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** `https://127.0.0.1:PORT` */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is not listening');
    return `https://127.0.0.1:${address.port}`;
  }

  get openConnections(): number {
    return this.#pairs.size;
  }

  /** Bytes that come meanwhile are kept and delivered by `thaw`. */
  freeze({ direction, connections }: Freeze): void {
    this.#freezeNew = connections === 'all' ? direction : undefined;
    for (const pair of this.#pairs) stopForwarding(pair, direction);
  }

  thaw(): void {
    this.#freezeNew = undefined;
    for (const { client, server } of this.#pairs) {
      forward(client, server);
      forward(server, client);
    }
  }

  /** Resets connections, all or those that `which` picks; returns how many. */
  cut(which: () => boolean = () => true): number {
    const cut = [...this.#pairs].filter(which);
    for (const { client, server } of cut) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
    return cut.length;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }

  #accept(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const pair = { client, server };
    this.#pairs.add(pair);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      // The other end learns of a broken connection by the close that follows.
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
    forward(client, server);
    forward(server, client);
    if (this.#freezeNew !== undefined) stopForwarding(pair, this.#freezeNew);
  }
}

function forward(from: Socket, to: Socket): void {
  from.unpipe(to);
  from.pipe(to);
}

function stopForwarding({ client, server }: Pair, direction: Freeze['direction']): void {
  server.unpipe(client);
  server.pause();
  if (direction === 'both') {
    client.unpipe(server);
    client.pause();
  }
}

/**
 * Gives the webhook's ServiceAccount its permissions and writes a kubeconfig with its token that leads through a proxy.
 * The API server's certificate is for 127.0.0.1, whatever the port.
 */
export async function kubeconfigThrough(plane: ControlPlane, proxy: FaultyProxy): Promise<string> {
  const manifests = await renderDeploy();
  const ackSystem = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ack-system' } };
  await plane.kubectl(['apply', '-f', '-'], { input: asList([ackSystem, ...ofKinds(manifests, ...accessKinds)]) });
  const { name, namespace = '' } = only(manifests, 'ServiceAccount').metadata;
  const path = plane.kubeconfigFor({ token: await plane.tokenFor(namespace, name) });
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll(plane.url, proxy.url));
  return path;
}
