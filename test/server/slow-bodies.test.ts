import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isWell, start } from './running-server.ts';
import { sampleReview } from './sample-review.ts';
import { readAll, requestText, splitAnswers } from './wire.ts';

const review = JSON.stringify(sampleReview());

test('a body that does not come ends in seconds, whatever time its review asks for', { timeout: 20_000 }, async t => {
  const server = await start(t);
  const socket = await server.dial();
  const reading = readAll(socket, 8000);
  const startedAtMs = performance.now();
  const length = { 'Content-Length': '1000000' };
  socket.write(requestText('POST /mutate?timeout=30s', length, review.slice(0, 50)));
  const trickle = setInterval(() => socket.write(' '), 100);
  socket.once('end', () => clearInterval(trickle));
  t.after(() => clearInterval(trickle));
  const { text } = await reading;
  assert.equal(splitAnswers(text)[0]?.status, 408);
  assert.ok(performance.now() - startedAtMs < 7000);
});

test('a small review in chunks of one byte is a review', async t => {
  const server = await start(t);
  const socket = await server.dial();
  const reading = readAll(socket);
  const chunked = { 'Content-Length': null, 'Transfer-Encoding': 'chunked' };
  const chunks = [...review].map(byte => `1\r\n${byte}\r\n`).join('');
  socket.write(requestText('POST /mutate', chunked, `${chunks}0\r\n\r\n`));
  setTimeout(() => socket.end(), 100);
  assert.deepEqual(
    splitAnswers((await reading).text).map(({ status }) => status),
    [200],
  );
});

test('megabytes in chunks of one byte are cut off', { timeout: 20_000 }, async t => {
  const server = await start(t);
  const socket = await server.dial();
  socket.on('error', () => {});
  const reading = readAll(socket);
  socket.write(requestText('POST /mutate', { 'Content-Length': null, 'Transfer-Encoding': 'chunked' }));
  const chunks = '1\r\n \r\n'.repeat(10_000);
  let sent = 0;
  for (; sent < 100 && !socket.destroyed; sent++) {
    socket.write(chunks);
    await sleep(1);
  }
  assert.ok((await reading).closed);
  assert.ok(sent < 100, 'a megabyte was read');
  assert.ok(await isWell(server));
});
