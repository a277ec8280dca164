import assert from 'node:assert/strict';
import https from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReviewResult } from '../../src/admission/admit.ts';
import { start } from './running-server.ts';
import { allowed, sampleReview } from './sample-review.ts';
import { readAll, requestText, splitAnswers } from './wire.ts';

const review = JSON.stringify(sampleReview());

test('draining under load fails no request, and ends', { timeout: 20_000 }, async t => {
  const server = await start(t, {
    admit: async (_endpoint, request) => {
      await sleep(Math.random() * 20);
      return allowed(request);
    },
    shutdownDelayMs: 600,
    drainTimeoutMs: 5000,
  });
  let removed = false;
  let answered = 0;
  let closes = 0;
  // A balancer that follows /readyz stops sending here; requests sent before are the ones that may not fail.
  const balancer = (async () => {
    while ((await server.ops('/readyz')).status === 200) await sleep(20);
    await sleep(100);
    removed = true;
  })();
  const clients = Array.from({ length: 8 }, async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    while (!removed) {
      const { status, headers } = await server.post('/mutate', review, { agent });
      assert.equal(status, 200);
      answered++;
      if (headers['connection'] === 'close') closes++;
    }
    agent.destroy();
  });
  while (answered <= 50) await sleep(10);
  assert.equal(closes, 0);
  const drained = server.drain('SIGTERM');
  assert.deepEqual(await server.ops('/readyz').then(({ status, body }) => [status, body]), [503, 'shutting down\n']);
  assert.equal((await server.ops('/livez')).status, 200);
  await Promise.all([...clients, balancer]);
  const startedAtMs = performance.now();
  await drained;
  assert.ok(performance.now() - startedAtMs < 2500);
  assert.ok(closes >= 8, `${answered} answers, ${closes} closes`);
  await assert.rejects(server.ops('/livez'));
  await assert.rejects(server.post('/mutate', review));
});

test('a review in flight when the port closes is answered', { timeout: 20_000 }, async t => {
  const decision = Promise.withResolvers<ReviewResult>();
  const server = await start(t, { admit: () => decision.promise, shutdownDelayMs: 0, drainTimeoutMs: 5000 });
  const answer = server.post('/mutate', review);
  while ((await server.metric('carm_webhook_reviews_in_flight')) !== 1) await sleep(5);
  const drained = server.drain('SIGTERM');
  await sleep(300);
  await assert.rejects(server.post('/mutate', review), /ECONNREFUSED/);
  assert.equal((await server.ops('/livez')).status, 200);
  decision.resolve(
    JSON.parse(
      JSON.stringify(
        allowed({
          uid: 'late',
          resource: { group: '', version: 'v1', resource: 'pods' },
          subResource: undefined,
          kind: 'Pod',
          name: '',
          namespace: '',
          operation: 'CREATE',
          userInfo: { username: '', uid: '', groups: [], extra: undefined },
          object: {},
          oldObject: undefined,
          dryRun: false,
        }),
      ),
    ),
  );
  const { status, headers, body } = await answer;
  assert.deepEqual([status, headers['connection'], JSON.parse(body).response.uid], [200, 'close', 'late']);
  await drained;
});

test('connections that carry nothing do not hold the drain up', { timeout: 20_000 }, async t => {
  const server = await start(t, { drainTimeoutMs: 10_000 });
  const idle = await server.dial();
  idle.on('data', () => {}).on('error', () => {});
  idle.write(requestText('POST /mutate', {}, review));
  const unused = await server.dial();
  unused.resume().on('error', () => {});
  // A connection that never begins its handshake.
  const silent = connect(server.port, '127.0.0.1');
  silent.on('error', () => {});
  t.after(() => silent.destroy());
  await sleep(100);
  const startedAtMs = performance.now();
  await Promise.race([server.drain('SIGTERM'), sleep(4000)]);
  assert.ok(performance.now() - startedAtMs < 3500, 'it took too long');
});

/** Go tells its callers nothing of a write that failed at once, and tries again elsewhere; after an orderly end it cannot. */
for (const [what, restMs, end] of [
  ['a connection between two requests ends by a reset', 300, 'ECONNRESET'],
  ['one whose answer may still be on its way ends in order', 0, 'an orderly end'],
] as const) {
  test(what, { timeout: 20_000 }, async t => {
    const server = await start(t, { shutdownDelayMs: 0, drainTimeoutMs: 5000 });
    const socket = await server.dial();
    const answered = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<string>();
    socket.once('data', () => answered.resolve());
    socket.once('error', error => ended.resolve('code' in error ? String(error.code) : error.message));
    socket.once('end', () => ended.resolve('an orderly end'));
    socket.write(requestText('POST /mutate', {}, review));
    await answered.promise;
    await sleep(restMs);
    const drained = server.drain('SIGTERM');
    assert.equal(await ended.promise, end);
    await drained;
  });
}

test('a request that arrives as the port closes, on a connection that was there, is answered', {
  timeout: 20_000,
}, async t => {
  const server = await start(t, { drainTimeoutMs: 5000 });
  const socket = await server.dial();
  const reading = readAll(socket);
  const drained = server.drain('SIGTERM');
  await sleep(50);
  socket.write(requestText('POST /mutate', {}, review));
  const [answer] = splitAnswers((await reading).text);
  assert.deepEqual([answer?.status, answer?.headers['connection']], [200, 'close']);
  await drained;
});

test('what does not end in time is cut', { timeout: 20_000 }, async t => {
  const server = await start(t, { admit: () => new Promise<ReviewResult>(() => {}), drainTimeoutMs: 300 });
  const answer = assert.rejects(server.post('/mutate?timeout=30s', review));
  while ((await server.metric('carm_webhook_reviews_in_flight')) !== 1) await sleep(5);
  const startedAtMs = performance.now();
  await server.drain('SIGTERM');
  assert.ok(performance.now() - startedAtMs < 2000);
  await answer;
});

test('an old connection closes with an answer, never by itself', { timeout: 20_000 }, async t => {
  const server = await start(t, { limits: { connectionMaxAgeMs: 200 } });
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  assert.equal((await server.post('/mutate', review, { agent })).headers['connection'], 'keep-alive');
  await sleep(260);
  assert.equal((await server.post('/mutate', review, { agent })).headers['connection'], 'close');
  assert.equal((await server.post('/mutate', review, { agent })).headers['connection'], 'keep-alive');
});

test('pipelined requests on an old connection are all answered, the last answer closes it', {
  timeout: 20_000,
}, async t => {
  const server = await start(t, { limits: { connectionMaxAgeMs: 1 } });
  const socket = await server.dial();
  await sleep(20);
  const reading = readAll(socket);
  socket.write(requestText('POST /mutate', {}, review).repeat(3));
  const { text, closed } = await reading;
  assert.ok(closed);
  const answers = splitAnswers(text);
  assert.deepEqual(
    answers.map(({ status, headers }) => `${status} ${headers['connection']}`),
    ['200 keep-alive', '200 keep-alive', '200 close'],
  );
});
