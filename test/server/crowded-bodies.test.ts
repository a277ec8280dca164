import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { parseCidr } from '../../src/server/cidr.ts';
import { isWell, type Running, start } from './running-server.ts';
import { sampleReview } from './sample-review.ts';
import { readAll, requestText, splitAnswers } from './wire.ts';

const mebibyte = 1024 * 1024;

/** A review of a certain length. */
function reviewOf(bytes: number): string {
  return JSON.stringify({ ...sampleReview('large'), padding: ' '.repeat(bytes) });
}

/** Sends all but the end of a body, from an address of its own. */
async function hold(server: Running, localAddress: string, bytes: number): Promise<TLSSocket> {
  const socket = await server.dial({ localAddress });
  socket.on('error', () => {});
  const length = { 'Content-Length': String(2 * bytes) };
  socket.write(requestText('POST /mutate?timeout=30s', length, ' '.repeat(bytes)));
  return socket;
}

const refused = 'carm_webhook_refused_requests_total{cause="body"}';

test('a lone peer may use the whole room', async t => {
  const server = await start(t, { limits: { bodyRoomBytes: 8 * mebibyte } });
  assert.equal((await server.post('/mutate', reviewOf(2 * mebibyte))).status, 200);
  assert.equal(await server.metric(refused), 0);
});

test('a hundred addresses that hold all the room lose it to a review', { timeout: 20_000 }, async t => {
  const server = await start(t, { limits: { bodyRoomBytes: 8 * mebibyte } });
  const addresses = Array.from({ length: 100 }, (_, index) => `127.0.0.${index + 2}`);
  const sockets = await Promise.all(addresses.map(address => hold(server, address, 100_000)));
  const readings = sockets.map(socket => readAll(socket, 6000));
  while (((await server.metric(refused)) ?? 0) === 0) await sleep(10);
  for (let count = 0; count < 5; count++) {
    assert.equal((await server.post('/mutate', reviewOf(mebibyte))).status, 200);
    assert.ok(await isWell(server));
  }
  assert.equal((await server.ops('/readyz')).status, 200);
  const [line, ...others] = server.logs.filter(({ level }) => level === 'warn');
  assert.equal(line?.['cause'], 'body');
  assert.match(String(line?.['address']), /^127\.0\.0\.\d+$/);
  assert.ok(others.length <= 3, 'a line a second');
  const statuses = (await Promise.all(readings)).map(({ text }) => splitAnswers(text)[0]?.status);
  assert.ok(statuses.includes(413) && statuses.every(status => status === 413 || status === 408), `${statuses}`);
});

test('the API server by its address is refused nothing that strangers hold, and they nothing of its', async t => {
  const apiServer = parseCidr('127.0.0.1/32');
  assert.ok(apiServer !== undefined);
  const server = await start(t, { apiServerCidrs: [apiServer], limits: { bodyRoomBytes: 4 * mebibyte } });
  for (let index = 2; index < 30; index++) await hold(server, `127.0.0.${index}`, 200_000);
  assert.equal((await server.post('/mutate', reviewOf(mebibyte))).status, 200);
  const held = await hold(server, '127.0.0.1', 1_900_000);
  const reading = readAll(held, 500);
  await sleep(100);
  for (let index = 2; index < 30; index++) await hold(server, `127.0.0.${index}`, 200_000);
  const { text } = await reading;
  assert.equal(text, '', 'the API server was cut off for strangers');
});
