/** Runs in a worker: what it does is none of the measured thread's work or heap. */

import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { parentPort, workerData } from 'node:worker_threads';
import { repeatedText } from '../repeated-text.ts';
import type { LargeCluster, LargeWorkerData, ServerSaid, ServerTold } from './large-api-server.ts';

const { key, cert } = workerData as LargeWorkerData;
const port = parentPort;
if (port === null) throw new Error('not a worker');

let cluster: LargeCluster = { kinds: 0, namespaces: {}, objectBytes: 0, shape: 'ordinary' };
let requests = 0;
let bytes = 0;

const version = 'v1alpha1';
const groupOf = (index: number) => `service${index}.services.k8s.aws`;

/** Of every object: what stands in front of its name, and after it. */
interface Pieces {
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** JSON of an object with another name and account. */
function piecesOf({ objectBytes, shape }: LargeCluster): Pieces {
  const fields = (prefix: string, size: number) => `{${repeatedText(size, index => `"${prefix}${index}":"${index}"`)}}`;
  const labels = shape === 'labels' ? `"labels":${fields('label-', objectBytes)},` : '';
  const managed = shape === 'ordinary' ? `"managedFields":[{"fieldsV1":${fields('f:', objectBytes / 2)}}],` : '';
  const spec =
    shape === 'ordinary'
      ? fields('field', objectBytes / 2)
      : shape === 'spec'
        ? `{"policy":"${'\\"'.repeat(objectBytes / 2)}"}`
        : '{}';
  return {
    head: Buffer.from(`{"apiVersion":"x/${version}","kind":"Thing","metadata":{${labels}${managed}`),
    tail: Buffer.from(`},"spec":${spec}`),
  };
}

let pieces = piecesOf(cluster);

async function write(response: ServerResponse, piece: Buffer | string): Promise<void> {
  bytes += piece.length;
  if (response.destroyed || response.write(piece)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve).once('close', resolve);
  await promise;
  response.off('drain', resolve).off('close', resolve);
}

function discovery(path: string): object | undefined {
  const groups = Array.from({ length: cluster.kinds }, (_, index) => groupOf(index));
  if (path === '/apis') {
    return {
      groups: groups.map(name => ({
        name,
        versions: [{ groupVersion: `${name}/${version}`, version }],
        preferredVersion: { groupVersion: `${name}/${version}`, version },
      })),
    };
  }
  const [, group = ''] = /^\/apis\/([^/]+)\/v1alpha1$/.exec(path) ?? [];
  return groups.includes(group) ? { resources: [{ name: 'things', kind: 'Thing', namespaced: true }] } : undefined;
}

/** Objects of a kind in a namespace, one after the other: the very last of all is of the account that is looked for. */
function* objectsOf(kind: number, namespace: string | undefined): Generator<readonly [string, string, string]> {
  const last = Object.keys(cluster.namespaces).at(-1);
  for (const [name, count] of Object.entries(cluster.namespaces)) {
    if (namespace !== undefined && name !== namespace) continue;
    for (let index = 0; index < count; index++) {
      const isLast = name === last && index === count - 1 && kind === cluster.kinds - 1;
      yield [name, `thing-${index}`, isLast ? '222222222222' : '111111111111'];
    }
  }
}

async function list(url: URL, response: ServerResponse): Promise<void> {
  const [, kind = '', , namespace] =
    /^\/apis\/service(\d+)\.services\.k8s\.aws\/v1alpha1(\/namespaces\/([^/]+))?\/things$/.exec(url.pathname) ?? [];
  const isSlow = cluster.slow !== undefined && (cluster.slow.in === undefined || cluster.slow.in === namespace);
  const start = Number(url.searchParams.get('continue') ?? 0);
  const limit = Number(url.searchParams.get('limit'));
  const all = [...objectsOf(Number(kind), namespace)];
  const end = start + limit;
  const page = all.slice(start, end);
  if (isSlow && cluster.slow?.delayMs !== undefined) {
    await new Promise(resolve => setTimeout(resolve, cluster.slow?.delayMs).unref());
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  const metadata = { resourceVersion: '9', ...(end < all.length && { continue: String(end) }) };
  await write(response, `{"kind":"ThingList","metadata":${JSON.stringify(metadata)},"items":[`);
  for (const [index, [place, name, account]] of page.entries()) {
    if (response.destroyed) return;
    const status = `"status":{"ackResourceMetadata":{"ownerAccountID":"${account}","region":"eu-central-1"}}`;
    response.cork();
    const begun = write(response, Buffer.concat([Buffer.from(index > 0 ? ',' : ''), pieces.head]));
    // It stops within an object, and says nothing more.
    const stops = isSlow && cluster.slow?.stopsMidBody === true;
    const id = `"namespace":"${place}","name":"${name}","resourceVersion":"1"`;
    const rest = stops
      ? undefined
      : write(response, Buffer.concat([Buffer.from(id), pieces.tail, Buffer.from(`,${status}}`)]));
    response.uncork();
    await Promise.all([begun, rest]);
    if (stops) return;
  }
  if (!response.destroyed) response.end(']}');
}

const sockets = new Set<Duplex>();
const server = createServer({ key, cert }, (request, response) => {
  requests += 1;
  response.on('error', () => {});
  const url = new URL(request.url ?? '/', 'https://localhost');
  if (url.pathname.endsWith('/things')) {
    void list(url, response);
    return;
  }
  const document = discovery(url.pathname);
  response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(document ?? { kind: 'Status', code: 404, reason: 'NotFound' }));
});
server.on('connection', socket => {
  sockets.add(socket);
  socket.on('error', () => {});
  socket.once('close', () => sockets.delete(socket));
});

const say = (said: ServerSaid): void => port.postMessage(said);
port.on('message', (told: ServerTold) => {
  if (told === 'stop') {
    server.close();
    for (const socket of sockets) socket.destroy();
    port.close();
    return;
  }
  if (told !== 'count') {
    cluster = told;
    pieces = piecesOf(cluster);
  }
  say({ requests, bytes });
  if (told === 'count') return;
  requests = 0;
  bytes = 0;
});
server.listen(0, '127.0.0.1', () => say({ port: (server.address() as AddressInfo).port }));
