/**
 * An API server whose objects are as large as etcd takes them, made on the fly: what is large is one buffer for all of them,
 * written as fast as it is read.
 */

import type { ServerResponse } from 'node:http';
import { LoopbackServer } from '../loopback-server.ts';
import { repeatedText } from './repeated-text.ts';

/** JSON of an object's members in pieces, without its braces; `metadata` lacks name, namespace and version. */
export interface LargeObject {
  /** Members of `metadata`. */
  readonly metadata: readonly Buffer[];
  /** Other members, such as `data`. */
  readonly rest?: readonly Buffer[];
}

export interface LargeCollection {
  readonly count: number;
  readonly namespaced: boolean;
  readonly object: (index: number) => LargeObject;
}

const member = (text: string): LargeObject => ({ metadata: [Buffer.from(text)] });
const annotations = (entries: Readonly<Record<string, string>>): LargeObject =>
  member(`"annotations":${JSON.stringify(entries)}`);

const large = 1_400_000;
const annotated = 250_000;

/** What whoever may edit an object can make of its metadata. */
export const largeMetadata: Readonly<Record<string, LargeObject>> = {
  'an annotation that is read': annotations({ 'eks.amazonaws.com/role-arn': 'x'.repeat(annotated) }),
  'every annotation that is read': annotations(
    Object.fromEntries(
      ['role-arn', 'audience', 'token-expiration', 'sts-regional-endpoints'].map(name => [
        `eks.amazonaws.com/${name}`,
        'ä'.repeat(annotated / 8),
      ]),
    ),
  ),
  'as much as is kept': annotations({
    'eks.amazonaws.com/role-arn': 'ä'.repeat(2040),
    'eks.amazonaws.com/audience': 'ä'.repeat(2000),
  }),
  'bindings that are too long': annotations({
    'services.k8s.aws/owner-account-id': '1'.repeat(annotated / 2),
    'services.k8s.aws/team-id': 'x'.repeat(annotated / 2),
  }),
  'a foreign annotation': annotations({ 'example.com/note': '"'.repeat(annotated) }),
  'annotations that are slips': member(
    `"annotations":{${repeatedText(annotated, index => `"eks.amazonaws.co${index}/role-arn":"x"`)}}`,
  ),
  labels: member(`"labels":{${repeatedText(large, index => `"label-${index}":"v"`)}}`),
  owners: member(
    `"ownerReferences":[${repeatedText(large, index => `{"apiVersion":"v1","kind":"ConfigMap","name":"c","uid":"${index}"}`)}]`,
  ),
  'managed fields': member(`"managedFields":[{"fieldsV1":{${repeatedText(large, index => `"f:${index}":{}`)}}}]`),
};

export class HostileApiServer {
  /** By path. Every other path is an empty collection. */
  readonly collections: Record<string, LargeCollection> = {};
  #version = 1000;
  readonly #watches = new Map<string, ServerResponse>();
  readonly #server = new LoopbackServer((request, response) => {
    response.on('error', () => {});
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.searchParams.has('watch')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      this.#watches.set(url.pathname, response);
    } else {
      void this.#list(url, response);
    }
  });

  start(): Promise<string> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** After `expire`, true again when the new list was read: whoever watches has listed. */
  isWatched(path: string): boolean {
    const watch = this.#watches.get(path);
    return watch !== undefined && !watch.destroyed && !watch.writableEnded;
  }

  /** Sends an event for each object of a collection. Resolves when all of them are on their way. */
  async updateAll(path: string): Promise<void> {
    const { count } = this.#collection(path);
    const watch = this.#watches.get(path);
    if (watch === undefined) throw new Error(`nobody watches ${path}`);
    for (let index = 0; index < count; index++) {
      await write(watch, [Buffer.from('{"type":"MODIFIED","object":'), ...this.#json(path, index), Buffer.from('}\n')]);
    }
  }

  /** Lets the version that is watched from be too old: the next thing is a new list. */
  expire(path: string): void {
    const status = { kind: 'Status', code: 410, reason: 'Expired' };
    this.#watches.get(path)?.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    this.#watches.delete(path);
  }

  /** The version of the object that was sent last. */
  get version(): string {
    return String(this.#version);
  }

  #collection(path: string): LargeCollection {
    return this.collections[path] ?? { count: 0, namespaced: false, object: () => ({ metadata: [] }) };
  }

  #json(path: string, index: number): readonly Buffer[] {
    const { namespaced, object } = this.#collection(path);
    const { metadata, rest = [] } = object(index);
    this.#version += 1;
    const place = namespaced ? '"namespace":"team",' : '';
    const head = `{"metadata":{${place}"name":"object-${index}","resourceVersion":"${this.#version}"`;
    const comma = Buffer.from(',');
    return [
      Buffer.from(head),
      ...metadata.flatMap(piece => [comma, piece]),
      Buffer.from('}'),
      ...rest.flatMap(piece => [comma, piece]),
      Buffer.from('}'),
    ];
  }

  async #list(url: URL, response: ServerResponse): Promise<void> {
    const { count } = this.#collection(url.pathname);
    const start = Number(url.searchParams.get('continue') ?? 0);
    const end = Math.min(count, start + Number(url.searchParams.get('limit') ?? count));
    const metadata = { resourceVersion: '1000', ...(end < count ? { continue: String(end) } : {}) };
    response.writeHead(200, { 'content-type': 'application/json' });
    await write(response, [Buffer.from(`{"kind":"List","metadata":${JSON.stringify(metadata)},"items":[`)]);
    for (let index = start; index < end && !response.destroyed; index++) {
      await write(response, [Buffer.from(index > start ? ',' : ''), ...this.#json(url.pathname, index)]);
    }
    if (!response.destroyed) response.end(']}');
  }
}

/** As fast as it is read, and no faster. */
async function write(response: ServerResponse, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (response.destroyed) return;
    if (response.write(piece)) continue;
    const { promise, resolve } = Promise.withResolvers<void>();
    response.once('drain', resolve).once('close', resolve);
    await promise;
    response.off('drain', resolve).off('close', resolve);
  }
}
