/** An API server of one collection, in memory, that misbehaves when it is told to. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface StoredObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
}

interface HistoryEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: StoredObject;
  readonly version: number;
}

/** What is done to one request instead of, or in the middle of, a proper answer. */
export type Fault =
  | { readonly kind: 'reset' | 'silence' | 'html' | 'half-body' | 'endless-list' | 'wrong-version' | 'expired-page' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string; readonly reason?: string }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'error-event'; readonly status: number; readonly reason: string }
  | {
      /** Comes after `afterEvents` events or bookmarks of a watch. */
      readonly kind:
        | 'garbage-line'
        | 'reset-mid-line'
        | 'fin-mid-chunk'
        | 'fin-half-line'
        | 'mute'
        | 'trickle'
        | 'old-events'
        | 'fin';
      readonly afterEvents: number;
    };

export interface FakeRequest {
  readonly kind: 'list' | 'page' | 'watch' | 'get';
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly socket: object;
}

interface Watcher {
  readonly send: (event: HistoryEvent) => void;
  readonly end: () => void;
}

export const collectionPath = '/api/v1/serviceaccounts';

export class FakeApiServer {
  /** Decides about each request. */
  faultFor: (request: FakeRequest) => Fault | undefined = () => undefined;
  bookmarkEveryMs = 60;
  readonly requests: FakeRequest[] = [];
  readonly objects = new Map<string, StoredObject>();
  #history: HistoryEvent[] = [];
  #version = 100;
  /** The newest version that is no longer kept. */
  #compacted = 100;
  readonly #pages = new Map<string, { readonly rest: StoredObject[]; readonly version: number }>();
  #tokens = 0;
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#handle(request, response));
    server.on('connection', socket => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(this.#port, '127.0.0.1', resolve);
    await promise;
    this.#port = portOf(server.address());
    this.#server = server;
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const server = this.#server;
    if (server === undefined) return;
    server.close(() => resolve());
    for (const watcher of this.#watchers) watcher.end();
    for (const socket of this.#sockets) socket.destroy();
    await promise;
    this.#server = undefined;
  }

  /** As after a restart of the real one: no history, another version, the same objects at the same port. */
  forgetHistory(version: number): void {
    this.#history = [];
    this.#pages.clear();
    this.#version = version;
    this.#compacted = version;
  }

  cutConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  put(namespace: string, name: string, annotations: Record<string, string> = {}): void {
    const key = `${namespace}/${name}`;
    this.#version += 1;
    const object = { metadata: { name, namespace, resourceVersion: String(this.#version), annotations } };
    const type = this.objects.has(key) ? 'MODIFIED' : 'ADDED';
    this.objects.set(key, object);
    this.#publish({ type, object, version: this.#version });
  }

  delete(key: string): void {
    const old = this.objects.get(key);
    if (old === undefined) return;
    this.#version += 1;
    this.objects.delete(key);
    const object = { metadata: { ...old.metadata, resourceVersion: String(this.#version) } };
    this.#publish({ type: 'DELETED', object, version: this.#version });
  }

  compact(): void {
    this.#history = [];
    this.#pages.clear();
    this.#compacted = this.#version;
  }

  #publish(event: HistoryEvent): void {
    this.#history.push(event);
    for (const watcher of this.#watchers) watcher.send(event);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    const isCollection = url.pathname === collectionPath;
    const kind = !isCollection
      ? 'get'
      : url.searchParams.has('watch')
        ? 'watch'
        : url.searchParams.has('continue')
          ? 'page'
          : 'list';
    const seen: FakeRequest = { kind, url, headers: request.headers, socket: request.socket };
    this.requests.push(seen);
    const fault = this.faultFor(seen);
    response.on('error', () => {});
    if (fault?.kind === 'slow') {
      setTimeout(() => this.#answer(seen, response, undefined), fault.delayMs).unref();
    } else {
      this.#answer(seen, response, fault);
    }
  }

  #answer(seen: FakeRequest, response: ServerResponse, fault: Fault | undefined): void {
    // The client may have left while a slow answer was waited for.
    if (response.destroyed || response.closed) return;
    switch (fault?.kind) {
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'silence':
        return;
      case 'html':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>\n<body>It works!</body>\n</html>\n');
        return;
      case 'status':
        sendStatus(response, fault.status, fault.reason ?? '', fault.retryAfter);
        return;
      case 'half-body':
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"kind":"List","metadata":{"resourceVersion":"1', () => response.socket?.resetAndDestroy());
        return;
      case 'expired-page':
        if (seen.kind !== 'page') break;
        sendStatus(response, 410, 'Expired');
        return;
      default:
    }
    if (seen.kind === 'watch') this.#watch(seen.url, response, fault);
    else if (seen.kind === 'get') this.#get(seen.url, response);
    else this.#list(seen.url, response, fault);
  }

  #get(url: URL, response: ServerResponse): void {
    const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/serviceaccounts\/([^/]+)$/.exec(url.pathname) ?? [];
    const object = this.objects.get(`${namespace}/${name}`);
    if (object === undefined) sendStatus(response, 404, 'NotFound');
    else sendJson(response, 200, object);
  }

  #list(url: URL, response: ServerResponse, fault: Fault | undefined): void {
    const token = url.searchParams.get('continue');
    const limit = Number(url.searchParams.get('limit') ?? 0);
    const page = token === null ? { rest: [...this.objects.values()], version: this.#version } : this.#pages.get(token);
    if (page === undefined && fault?.kind !== 'endless-list') {
      sendStatus(response, 410, 'Expired');
      return;
    }
    const { rest, version } = page ?? { rest: [], version: Number(token?.split('-')[1]) };
    const items = limit > 0 ? rest.slice(0, limit) : rest;
    const metadata: Record<string, string> = { resourceVersion: String(version) };
    if (limit > 0 && rest.length > limit) {
      this.#tokens += 1;
      metadata['continue'] = `page-${this.#tokens}`;
      this.#pages.set(`page-${this.#tokens}`, { rest: rest.slice(limit), version });
    }
    if (fault?.kind === 'endless-list') {
      this.#tokens += 1;
      metadata['continue'] = `endless-${version}-${this.#tokens}`;
    }
    if (fault?.kind === 'wrong-version') metadata['resourceVersion'] = 'not-a-version';
    const list = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items };
    if (fault?.kind === 'endless-list') setTimeout(() => sendJson(response, 200, list), 5).unref();
    else sendJson(response, 200, list);
  }

  #watch(url: URL, response: ServerResponse, fault: Fault | undefined): void {
    const from = Number(url.searchParams.get('resourceVersion'));
    if (!Number.isInteger(from)) {
      sendStatus(response, 400, 'BadRequest');
      return;
    }
    if (from < this.#compacted) {
      sendStatus(response, 410, 'Expired');
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const after = fault !== undefined && 'afterEvents' in fault ? fault.afterEvents : Number.POSITIVE_INFINITY;
    let sent = 0;
    let ended = false;
    const timers: NodeJS.Timeout[] = [];
    const end = () => {
      ended = true;
      for (const timer of timers) clearInterval(timer);
      this.#watchers.delete(watcher);
      if (!response.writableEnded && !response.destroyed) response.end();
    };
    const write = (line: string) => {
      if (ended) return;
      if (sent < after) {
        sent += 1;
        response.write(line);
        if (sent < after) return;
      }
      if (fault !== undefined && sent === after) {
        sent += 1;
        this.#breakWatch(fault.kind, response, line, end, timers);
      }
    };
    const watcher: Watcher = {
      // As kube-apiserver does: nothing that is not newer than what was asked for.
      send: ({ type, object, version }) => {
        if (version > from) write(`${JSON.stringify({ type, object })}\n`);
      },
      end,
    };
    response.once('close', end);
    this.#watchers.add(watcher);
    if (fault?.kind === 'error-event') {
      const object = { kind: 'Status', code: fault.status, reason: fault.reason };
      write(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      end();
      return;
    }
    for (const event of this.#history) watcher.send(event);
    const bookmark = () => {
      if (this.#version < from) return;
      write(
        `${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#version) } } })}\n`,
      );
    };
    // The history alone may have brought the end.
    if (ended) return;
    timers.push(setInterval(bookmark, this.bookmarkEveryMs));
    timers.push(setTimeout(end, Number(url.searchParams.get('timeoutSeconds')) * 1000));
  }

  #breakWatch(
    kind: Fault['kind'],
    response: ServerResponse,
    line: string,
    end: () => void,
    timers: NodeJS.Timeout[],
  ): void {
    const half = line.slice(0, Math.floor(line.length / 2));
    switch (kind) {
      case 'garbage-line':
        response.write('{"type":"ADDED","object":{"metadata":}}\n');
        return;
      case 'reset-mid-line':
        response.write(half, () => response.socket?.resetAndDestroy());
        return;
      case 'fin-mid-chunk':
        // A chunk that announces 256 bytes and does not bring them.
        response.socket?.end(`100\r\n${half}`);
        return;
      case 'fin-half-line':
        response.write(half);
        end();
        return;
      case 'fin':
        end();
        return;
      case 'trickle':
        timers.push(setInterval(() => response.write(' '), 20).unref());
        return;
      case 'old-events':
        for (const { type, object } of this.#history.slice(0, -1).reverse()) {
          response.write(`${JSON.stringify({ type, object })}\n`);
        }
        return;
      default:
    }
  }
}

function sendStatus(response: ServerResponse, code: number, reason: string, retryAfter?: string): void {
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  sendJson(response, code, {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: `made ${code}`,
  });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}
