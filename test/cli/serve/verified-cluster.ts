import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { LoopbackServer } from '../../loopback-server.ts';

export interface WrittenEvent {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly [field: string]: unknown;
}

interface Lease {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly holderIdentity: string; readonly renewTime: string };
}

/**
 * An API server with one namespace for each account, bound to it, and a map with a role for each; it takes the Leases and Events of
 * the server.
 */
export class VerifiedCluster {
  /** By name of the namespace. */
  readonly #accounts: ReadonlyMap<string, string>;
  readonly #server = new LoopbackServer((request, response) => void this.#answer(request, response));
  readonly events: WrittenEvent[] = [];
  readonly leases = new Map<string, Lease>();
  /** Methods that are answered 403. */
  readonly forbidden = new Set<string>();
  url = '';

  constructor(accounts: ReadonlyMap<string, string>) {
    this.#accounts = accounts;
  }

  async start(): Promise<void> {
    this.url = await this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  get kubeconfig(): string {
    const named = { name: 'c', cluster: { server: this.url, 'insecure-skip-tls-verify': true } };
    const context = { name: 'c', context: { cluster: 'c', user: 'u' } };
    const users = [{ name: 'u', user: { token: 'token' } }];
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      clusters: [named],
      contexts: [context],
      users,
    });
  }

  #items(path: string): readonly object[] {
    const metadata = (name: string, more: object) => ({ metadata: { name, resourceVersion: '1', ...more } });
    if (path === '/api/v1/namespaces') {
      const labels = { 'carm-webhook.dev/inject': 'enabled' };
      return [...this.#accounts].map(([name, account]) =>
        metadata(name, { labels, annotations: { 'services.k8s.aws/owner-account-id': account } }),
      );
    }
    if (path === '/api/v1/serviceaccounts') {
      return [...this.#accounts.keys()].map(namespace => metadata('default', { namespace }));
    }
    const roles = [...this.#accounts].map(([name, account]) => [account, `arn:aws:iam::${account}:role/${name}`]);
    return [{ ...metadata('ack-role-account-map', { namespace: 'ack-system' }), data: Object.fromEntries(roles) }];
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const say = (code: number, body: object) =>
      response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (request.method !== 'GET') {
      if (this.forbidden.has(request.method ?? '')) return void say(403, { kind: 'Status', reason: 'Forbidden' });
      return void say(200, this.#write(request.method ?? '', pathname, JSON.parse(await text(request))));
    }
    if (searchParams.has('watch')) {
      response.writeHead(200, { 'Content-Type': 'application/json' }).flushHeaders();
      return;
    }
    const items = pathname.endsWith('/leases') ? [...this.leases.values()] : this.#items(pathname);
    say(200, { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '7' }, items });
  }

  #write(method: string, path: string, body: unknown): object {
    const name = path.split('/').at(-1) ?? '';
    if (method === 'POST') this.events.push(body as WrittenEvent);
    else if (method === 'PATCH') this.leases.set(name, body as Lease);
    else this.leases.delete(name);
    return { kind: 'Status', status: 'Success' };
  }
}
