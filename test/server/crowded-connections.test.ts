import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { parseCidr } from '../../src/server/cidr.ts';
import { isWell, type Running, start } from './running-server.ts';
import { sampleReview } from './sample-review.ts';
import { readAll, requestText } from './wire.ts';

const review = JSON.stringify(sampleReview());
const count = (cause: string): string => `carm_webhook_refused_requests_total{cause="${cause}"}`;

async function idle(server: Running, localAddress: string): Promise<TLSSocket> {
  const socket = await server.dial({ localAddress });
  return socket.on('error', () => {}).resume();
}

/** TCP connections that never begin a handshake. */
function silent(t: TestContext, server: Running, howMany: number, localAddress = '127.0.0.2'): void {
  for (let index = 0; index < howMany; index++) {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
  }
}

test('idle connections make room, those of the address that holds most first', async t => {
  const server = await start(t, { limits: { connections: 10 } });
  const other = await idle(server, '127.0.0.3');
  const crowd: TLSSocket[] = [];
  for (let index = 0; index < 9; index++) crowd.push(await idle(server, '127.0.0.2'));
  assert.equal(await server.metric(count('connection')), 0);
  for (let more = 0; more < 3; more++) assert.ok(await isWell(server));
  await sleep(50);
  assert.deepEqual([crowd[0]?.destroyed, crowd[8]?.destroyed, other.destroyed], [true, false, false]);
  assert.ok(((await server.metric(count('connection'))) ?? 0) > 0);
  const [line] = server.logs.filter(({ level }) => level === 'warn');
  assert.deepEqual([line?.['cause'], line?.['address']], ['connection', '127.0.0.2']);
});

test('a review that waits keeps its connection while others are idle', async t => {
  const server = await start(t, { limits: { connections: 5 } });
  const waiting = await server.dial();
  const reading = readAll(waiting, 3000);
  waiting.write(requestText('POST /mutate', { 'Content-Length': String(review.length) }, review.slice(0, 99)));
  await sleep(50);
  for (let index = 0; index < 20; index++) await idle(server, `127.0.0.${index + 2}`);
  waiting.write(review.slice(99));
  waiting.end();
  assert.match((await reading).text, /^HTTP\/1\.1 200 /);
});

test('addresses of --api-server-cidrs lose no connection to strangers', async t => {
  const apiServer = parseCidr('127.0.0.1');
  assert.ok(apiServer !== undefined);
  const server = await start(t, { apiServerCidrs: [apiServer], limits: { connections: 5, handshakes: 5 } });
  const mine = [await idle(server, '127.0.0.1'), await idle(server, '127.0.0.1')];
  for (let index = 0; index < 20; index++) await idle(server, `127.0.0.${index + 2}`);
  silent(t, server, 20);
  await sleep(100);
  assert.deepEqual(
    mine.map(({ destroyed }) => destroyed),
    [false, false],
  );
  assert.ok(await isWell(server));
});

test('handshakes that are not finished make room for others, and end in seconds', { timeout: 15_000 }, async t => {
  const server = await start(t, { limits: { handshakes: 10 } });
  silent(t, server, 50);
  for (let looks = 0; looks < 40 && (await server.metric(count('handshake'))) !== 40; looks++) await sleep(50);
  assert.equal(await server.metric(count('handshake')), 40);
  assert.ok(await isWell(server));
  const closed = Promise.withResolvers<void>();
  const one = connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.3' });
  t.after(() => one.destroy());
  one.on('error', () => {}).on('close', () => closed.resolve());
  const startedAtMs = performance.now();
  await closed.promise;
  assert.ok(performance.now() - startedAtMs < 6000);
});

test('handshakes of many wait for their turns, and each is done', { timeout: 15_000 }, async t => {
  const server = await start(t, { limits: { handshakesPerTurn: 1 } });
  const sockets = await Promise.all(Array.from({ length: 60 }, (_, index) => idle(server, `127.0.0.${index + 2}`)));
  assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 0);
  assert.ok(await isWell(server));
});

test('one client may begin more connections at once than handshakes may be open', { timeout: 15_000 }, async t => {
  const server = await start(t, { limits: { handshakes: 20 } });
  const sockets = await Promise.all(Array.from({ length: 150 }, () => idle(server, '127.0.0.1')));
  assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 0);
  assert.equal(await server.metric(count('handshake')), 0);
});

test('failed handshakes leave no seat taken', { timeout: 15_000 }, async t => {
  const server = await start(t, { limits: { connections: 5 } });
  for (let index = 0; index < 20; index++) {
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await new Promise(resolve => socket.once('close', resolve));
  }
  assert.ok(await isWell(server));
  assert.equal(await server.metric(count('connection')), 0);
});

test('requests of one connection that are not answered are limited', async t => {
  const server = await start(t, { admit: () => new Promise(() => {}) });
  const socket = await server.dial();
  socket.on('error', () => {});
  const reading = readAll(socket, 3000);
  socket.write(requestText('POST /mutate', {}, review).repeat(100));
  assert.ok((await reading).closed);
  assert.equal(await server.metric(count('pipelining')), 1);
  assert.equal(server.logs.find(({ cause }) => cause === 'pipelining')?.['address'], '127.0.0.1');
});
