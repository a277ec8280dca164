import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { LoopbackBridge } from './loopback-bridge.ts';

const limit = { timeout: 10_000 };
const host = '127.0.0.1';

describe('a bridge from a port over a Unix socket to a server', () => {
  let folder: string;
  let server: Server;
  /** What the server does with each connection. */
  let serve: (socket: Socket) => void;
  let inner: LoopbackBridge;
  let outer: LoopbackBridge;
  const socketPath = () => join(folder, 'api.sock');

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'carm-webhook-bridge-'));
    serve = socket => socket.pipe(socket);
    server = createServer(socket => {
      socket.on('error', () => undefined);
      serve(socket);
    });
    server.listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    inner = await LoopbackBridge.start({ listen: { path: socketPath() }, target: { host, port } });
    outer = await LoopbackBridge.start({
      listen: { host, port: 0 },
      target: { path: socketPath() },
      maxConnections: 2,
    });
  }, limit);
  afterEach(async () => {
    await outer.stop();
    await inner.stop();
    server.close();
    rmSync(folder, { recursive: true });
  }, limit);

  async function client(): Promise<Socket> {
    const socket = connect({ host, port: outer.port });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  /** The server's side of a new connection, and a client's. */
  async function pair(): Promise<{ readonly near: Socket; readonly far: Socket }> {
    const { promise, resolve } = Promise.withResolvers<Socket>();
    serve = socket => {
      socket.resume();
      resolve(socket);
    };
    const near = await client();
    near.resume();
    return { near, far: await promise };
  }

  test('bytes arrive as they were sent, both ways', limit, async () => {
    const sent = randomBytes(3_000_000);
    const socket = await client();
    socket.write(sent);
    const received: Buffer[] = [];
    let length = 0;
    for await (const chunk of socket) {
      received.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= sent.length) break;
    }
    assert.ok(Buffer.concat(received).equals(sent));
  });

  test('what was said before the end arrives', limit, async () => {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    serve = socket => void buffer(socket).then(resolve);
    const sent = randomBytes(1_000_000);
    (await client()).end(sent);
    assert.ok((await promise).equals(sent));
    serve = socket => void socket.end(sent);
    assert.ok((await buffer(await client())).equals(sent));
  });

  test('a connection ends with its client', limit, async () => {
    const { near, far } = await pair();
    near.resetAndDestroy();
    await once(far, 'close');
  });

  test('a connection ends with its server', limit, async () => {
    const { near, far } = await pair();
    far.resetAndDestroy();
    await once(near, 'close');
  });

  test('connections beyond the limit are closed, those within are not', limit, async () => {
    const first = await pair();
    const second = await pair();
    const third = await client();
    third.resume();
    await once(third, 'close');
    assert.ok(first.near.writable && second.near.writable);
    first.near.destroy();
    await once(first.far, 'close');
    const { near } = await pair();
    assert.ok(near.writable);
  });

  test('without a server connections end', limit, async () => {
    await inner.stop();
    const socket = await client();
    socket.resume();
    await once(socket, 'close');
    inner = await LoopbackBridge.start({ listen: { path: socketPath() }, target: { path: join(folder, 'nobody') } });
    const another = await client();
    another.resume();
    await once(another, 'close');
  });

  test('stopping one ends its connections and removes its socket', limit, async () => {
    const { near, far } = await pair();
    assert.ok(existsSync(socketPath()));
    const ends = Promise.all([once(near, 'close'), once(far, 'close')]);
    await inner.stop();
    await ends;
    assert.equal(existsSync(socketPath()), false);
    inner = await LoopbackBridge.start({ listen: { path: socketPath() }, target: { host, port: 9 } });
  });

  test('an address that is taken is an error', limit, async () => {
    const taken = { listen: { path: socketPath() }, target: { host, port: 9 } };
    await assert.rejects(LoopbackBridge.start(taken), { code: 'EADDRINUSE' });
  });
});
