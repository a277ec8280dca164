import { connect as connectPlain, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { reviewBytes, reviewKinds } from '../cost/review-kinds.ts';

/** What an attacker aims at, and the addresses it comes from: without any, the machine's own. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly opsPort: number;
  readonly addresses: readonly string[];
}

/** Where a connection goes, and from where. */
interface Route {
  readonly host: string;
  readonly localAddress: string | undefined;
}

/** Goes on until the process is killed. */
type Attack = (target: Target) => Promise<void>;

function fieldsOf(body: Buffer | string, path: string, more: readonly string[] = []): string {
  const length = typeof body === 'string' ? body : `Content-Length: ${body.length}`;
  return ['POST '.concat(path, ' HTTP/1.1'), 'Host: x', 'Content-Type: application/json', length, ...more, '', ''].join(
    '\r\n',
  );
}

/** A connection that swallows everything, errors too. */
function dial(port: number, { host, localAddress }: Route, secure: boolean): Promise<Socket | undefined> {
  const { promise, resolve } = Promise.withResolvers<Socket | undefined>();
  const options = { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
  const socket: Socket = secure
    ? connectTls({ ...options, rejectUnauthorized: false }, () => resolve(socket))
    : connectPlain(options, () => resolve(socket));
  const limit = setTimeout(() => socket.destroy(), 3_000);
  socket.on('error', () => resolve(undefined));
  socket.on('close', () => {
    clearTimeout(limit);
    resolve(undefined);
  });
  socket.on('data', () => {});
  promise.then(
    () => clearTimeout(limit),
    () => {},
  );
  return promise;
}

/** Keeps so many runners going in all, spread over the addresses; one that ends is started again. */
async function keepGoing(
  { host, addresses }: Target,
  count: number,
  run: (route: Route) => Promise<void>,
): Promise<void> {
  const runner = async (index: number) => {
    for (;;) {
      await run({ host, localAddress: addresses[index % addresses.length] });
      await sleep(5);
    }
  };
  await Promise.all(Array.from({ length: count }, (_, index) => runner(index)));
}

function closed(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (socket.destroyed) resolve();
  socket.once('close', () => resolve());
  return promise;
}

/** Sends a request again and again on one connection, each after the answer to the last. */
async function flood(port: number, route: Route, secure: boolean, request: Buffer): Promise<void> {
  const socket = await dial(port, route, secure);
  if (socket === undefined) return;
  socket.on('data', chunk => {
    // The head of an answer: nobody reads the rest with care.
    if (chunk.includes('HTTP/1.1')) socket.write(request);
  });
  socket.write(request);
  await closed(socket);
}

function reviewFlood(
  count: number,
  kind: string,
  fields: readonly (readonly [string, number])[],
  path = '/mutate?timeout=30s',
): Attack {
  const found = reviewKinds[kind];
  if (found === undefined) throw new Error(`no kind ${kind}`);
  const body = reviewBytes(found, fields);
  const request = Buffer.concat([Buffer.from(fieldsOf(body, path)), body]);
  return target => keepGoing(target, count, route => flood(target.port, route, true, request));
}

/** Bodies that never end: so many bytes at once, then a few every now and then. */
function endless(count: number, firstBytes: number): Attack {
  const head = Buffer.from(fieldsOf(Buffer.alloc(7_000_000), '/mutate?timeout=30s'));
  const first = Buffer.concat([head, Buffer.alloc(firstBytes, ' ')]);
  return target =>
    keepGoing(target, count, async route => {
      const socket = await dial(target.port, route, true);
      if (socket === undefined) return;
      socket.write(first);
      const timer = setInterval(() => socket.write(' '.repeat(1_000)), 200);
      await closed(socket);
      clearInterval(timer);
    });
}

/** An HTTP chunk of a byte. */
const tinyChunk = '1\r\n \r\n';

/** Bytes without end, behind a head. */
function stream(count: number, head: string, unit: string, ops = false): Attack {
  const chunk = Buffer.from(unit.repeat(Math.floor(120_000 / unit.length)));
  return target =>
    keepGoing(target, count, async route => {
      const socket = await dial(ops ? target.opsPort : target.port, route, !ops);
      if (socket === undefined) return;
      socket.write(head);
      const write = () => {
        while (socket.writable && socket.write(chunk));
      };
      socket.on('drain', write);
      write();
      await closed(socket);
    });
}

/** A body of millions of HTTP chunks of a byte. */
const tinyChunks = (count: number, path: string): Attack =>
  stream(count, fieldsOf('Transfer-Encoding: chunked', path), tinyChunk);

/** Connections that say nothing. */
function idle(count: number, secure: boolean, ops = false): Attack {
  return target =>
    keepGoing(target, count, async route => {
      const socket = await dial(ops ? target.opsPort : target.port, route, secure);
      if (socket !== undefined) await closed(socket);
    });
}

/** Requests whose answers nobody reads, one behind the other on one connection. */
const pipelined: Attack = target => {
  const found = reviewKinds['pod'];
  if (found === undefined) throw new Error('no pods');
  const body = reviewBytes(found, [['labels', 1_000]]);
  const request = Buffer.concat([Buffer.from(fieldsOf(body, '/mutate?timeout=30s')), body]);
  const many = Buffer.concat(Array.from({ length: 50 }, () => request));
  return keepGoing(target, 20, async route => {
    const socket = await dial(target.port, route, true);
    if (socket === undefined) return;
    socket.pause();
    const write = () => {
      while (socket.writable && socket.write(many));
    };
    socket.on('drain', write);
    write();
    await closed(socket);
  });
};

const scrapes: Attack = target => {
  const request = Buffer.from('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  return keepGoing(target, 64, route => flood(target.opsPort, route, false, request));
};

const halfSent: Attack = target =>
  keepGoing(target, 1_000, async route => {
    const socket = await dial(target.opsPort, route, false);
    if (socket === undefined) return;
    socket.write('GET /livez HTTP/1.1\r\nHost');
    await closed(socket);
  });

const handshakes: Attack = target =>
  keepGoing(target, 16, async route => void (await dial(target.port, route, true))?.destroy());

/** Attacks that still do harm: no test runs them yet. */
export const openAttacks: Readonly<Record<string, Attack>> = {
  // A probe in thirty takes longer than a second.
  'bodies in chunks of a byte at the ops port': stream(
    60,
    'GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
    tinyChunk,
    true,
  ),
  // Up to 256 MiB: what is broken is read on for two seconds, an error for each read.
  garbage: stream(60, '', '\0'),
};

/** Every attack that was found to harm a version of the server, or seemed likely to. */
export const attacks: Readonly<Record<string, Attack>> = {
  'bodies that never end': endless(40, 250_000),
  'large bodies that never end': endless(30, 6_000_000),
  'a body in chunks of a byte': tinyChunks(8, '/mutate?timeout=30s'),
  // Refused at once: its body is read to be thrown away.
  'a refused body in chunks of a byte': tinyChunks(60, '/nowhere'),
  'six megabytes of empty containers': reviewFlood(2, 'pod', [['containers without a name', 6_000_000]]),
  'pods of a million bytes of containers': reviewFlood(6, 'pod', [['containers', 1_000_000]]),
  'long lists of containers to skip': reviewFlood(6, 'pod', [['one annotation', 2_400_000]]),
  'annotations that are near misses': reviewFlood(6, 'pod', [['annotations that are near misses', 240_000]]),
  'labels by the hundred thousand': reviewFlood(6, 'pod', [['labels', 1_180_000]]),
  'variables by the hundred thousand': reviewFlood(6, 'pod', [['environment variables', 3_000_000]]),
  'resources with hundreds of thousands of fields': reviewFlood(
    6,
    'resource, updated',
    [['a map', 1_150_000]],
    '/validate?timeout=30s',
  ),
  'objects of a shape each': reviewFlood(
    10,
    'workload, updated',
    [['template: objects of a shape each', 1_050_000]],
    '/validate?timeout=30s',
  ),
  'workloads that changed in one place': reviewFlood(
    6,
    'workload, updated',
    [['template: empty lists', 290_000]],
    '/validate?timeout=30s',
  ),
  'usual reviews, as many as can be': reviewFlood(64, 'pod', [['labels', 1_000]]),
  'reviews of a hundred kilobytes, as many as can be': reviewFlood(100, 'pod', [['labels', 100_000]]),
  'denials, as many as can be': reviewFlood(64, 'pod, denied', [['labels', 1_000]]),
  'pipelines whose answers nobody reads': pipelined,
  'idle connections by the thousand': idle(4_000, true),
  'handshakes that never end': idle(4_000, false),
  'handshakes, as many as can be': handshakes,
  'a flood of scrapes': scrapes,
  'half-sent requests at the ops port': halfSent,
  'idle connections at the ops port': idle(4_000, false, true),
};

/** Attacks that do the most harm at once: on the heap, on the event loop, on the connections and on the ops port. */
export const worstMix = [
  'bodies that never end',
  'workloads that changed in one place',
  'labels by the hundred thousand',
  'denials, as many as can be',
  'idle connections by the thousand',
  'a flood of scrapes',
] as const;
