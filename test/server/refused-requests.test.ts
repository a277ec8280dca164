import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isWell, type Running, start } from './running-server.ts';
import { sampleReview } from './sample-review.ts';
import { readAll, requestText, splitAnswers } from './wire.ts';

const review = JSON.stringify(sampleReview());

/** Sends bytes on a connection of its own, ends our side, and returns the answers. */
async function exchange(server: Running, bytes: string | Buffer) {
  const socket = await server.dial();
  const reading = readAll(socket);
  socket.write(bytes);
  // Late enough to be seen as what the server does without it.
  setTimeout(() => socket.end(), 50);
  const { text, closed } = await reading;
  assert.ok(closed, 'the connection stayed open');
  return splitAnswers(text);
}

interface Row {
  readonly name: string;
  readonly bytes: string;
  readonly statuses: readonly number[];
  readonly line?: RegExp;
  readonly allow?: string;
}

const rows: readonly Row[] = [
  {
    name: 'truncated JSON',
    bytes: requestText('POST /mutate', {}, review.slice(0, -9)),
    statuses: [400],
    line: /not JSON/,
  },
  { name: 'an empty body', bytes: requestText('POST /mutate', {}, ''), statuses: [400], line: /not JSON/ },
  { name: 'a body of null', bytes: requestText('POST /mutate', {}, 'null'), statuses: [400] },
  {
    name: 'v1beta1',
    bytes: requestText('POST /mutate', {}, review.replace('admission.k8s.io/v1', 'admission.k8s.io/v1beta1')),
    statuses: [400],
    line: /admission\.k8s\.io\/v1/,
  },
  {
    name: 'no uid',
    bytes: requestText('POST /mutate', {}, review.replace('"uid"', '"uidd"')),
    statuses: [400],
    line: /uid/,
  },
  {
    name: 'no request',
    bytes: requestText('POST /mutate', {}, review.replace('"request"', '"requests"')),
    statuses: [400],
  },
  {
    name: 'another content type',
    bytes: requestText('POST /mutate', { 'Content-Type': 'text/plain' }, review),
    statuses: [415],
    line: /application\/json/,
  },
  { name: 'no content type', bytes: requestText('POST /mutate', { 'Content-Type': null }, review), statuses: [415] },
  {
    name: 'a content type that only begins alike',
    bytes: requestText('POST /mutate', { 'Content-Type': 'application/json-patch+json' }, review),
    statuses: [415],
  },
  {
    name: 'content type with a parameter, in capitals',
    bytes: requestText('POST /mutate', { 'Content-Type': 'Application/JSON; charset=utf-8' }, review),
    statuses: [200],
  },
  { name: 'gzip', bytes: requestText('POST /mutate', { 'Content-Encoding': 'gzip' }, review), statuses: [415] },
  { name: 'identity', bytes: requestText('POST /mutate', { 'Content-Encoding': 'identity' }, review), statuses: [200] },
  { name: 'GET', bytes: requestText('GET /mutate'), statuses: [405], allow: 'POST' },
  { name: 'OPTIONS', bytes: requestText('OPTIONS /validate'), statuses: [405], allow: 'POST' },
  { name: 'TRACE', bytes: requestText('TRACE /validate'), statuses: [405], allow: 'POST' },
  { name: 'CONNECT', bytes: requestText('CONNECT example.com:443'), statuses: [405], allow: 'POST' },
  { name: 'OPTIONS *', bytes: requestText('OPTIONS *'), statuses: [404] },
  { name: 'an unknown path', bytes: requestText('POST /', {}, review), statuses: [404] },
  { name: 'a trailing slash', bytes: requestText('POST /mutate/', {}, review), statuses: [404] },
  { name: 'a path in capitals', bytes: requestText('POST /Mutate', {}, review), statuses: [404] },
  { name: 'a malformed escape in the path', bytes: requestText('POST /%ff%', {}, review), statuses: [404] },
  {
    name: 'a malformed escape in the query',
    bytes: requestText('POST /mutate?timeout=%ff%', {}, review),
    statuses: [200],
  },
  { name: 'an absolute URL', bytes: requestText('POST https://localhost/mutate', {}, review), statuses: [200] },
  {
    name: 'an unknown expectation',
    bytes: requestText('POST /mutate', { Expect: 'miracles' }, review),
    statuses: [200],
  },
  {
    name: 'Expect: 100-continue',
    bytes: requestText('POST /mutate', { Expect: '100-continue' }, review),
    statuses: [100, 200],
  },
  {
    name: 'Expect: 100-continue and too large',
    bytes: requestText('POST /mutate', { Expect: '100-continue', 'Content-Length': '8388608' }),
    statuses: [413],
  },
  {
    name: 'an upgrade',
    bytes: requestText('POST /mutate', { Upgrade: 'h2c', Connection: 'Upgrade' }, review),
    statuses: [200],
  },
  { name: 'no Host', bytes: requestText('POST /mutate', { Host: null }, review), statuses: [400], line: /Host/ },
  { name: 'HTTP/2 without having agreed on it', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', statuses: [400] },
  {
    name: 'headers of 20 kB',
    bytes: requestText('POST /mutate', { 'X-Long': 'x'.repeat(20_000) }, review),
    statuses: [400],
    line: /headers/,
  },
  { name: 'no HTTP', bytes: '\x00\xff\r\n', statuses: [400] },
  {
    name: 'a chunk size that is no number',
    bytes: requestText('POST /mutate', { 'Content-Length': null, 'Transfer-Encoding': 'chunked' }, 'zz\r\n'),
    statuses: [400],
  },
  {
    name: 'both lengths',
    bytes: requestText('POST /mutate', { 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n'),
    statuses: [400],
  },
  {
    name: 'Content-Length larger than the body',
    bytes: requestText('POST /mutate', { 'Content-Length': '9999' }, review),
    statuses: [400],
    line: /middle of a request/,
  },
  {
    name: 'Content-Length smaller than the body',
    bytes: requestText('POST /mutate', { 'Content-Length': '20' }, review),
    statuses: [400],
  },
  {
    name: 'a review in chunks',
    bytes: requestText(
      'POST /mutate',
      { 'Content-Length': null, 'Transfer-Encoding': 'chunked' },
      `${review.length.toString(16)}\r\n${review}\r\n0\r\n\r\n`,
    ),
    statuses: [200],
  },
  {
    name: 'a good review with garbage behind it',
    bytes: `${requestText('POST /mutate', {}, review)}\x00\x00\x00`,
    statuses: [200],
  },
  {
    name: 'three reviews in one write',
    bytes: requestText('POST /mutate', {}, review).repeat(3),
    statuses: [200, 200, 200],
  },
  {
    name: 'a bad one between two good ones',
    bytes: [review, '{', review].map(body => requestText('POST /mutate', {}, body)).join(''),
    statuses: [200, 400, 200],
  },
];

describe('what is no review gets a 4xx with one readable line', () => {
  for (const { name, bytes, statuses, line, allow } of rows) {
    test(name, async t => {
      const server = await start(t);
      const answers = await exchange(server, bytes);
      assert.deepEqual(
        answers.map(({ status }) => status),
        statuses,
      );
      for (const { status, body, headers } of answers) {
        if (status < 400) continue;
        assert.match(body, /^[\x20-\x7e]+\n$/);
        assert.match(body, line ?? /./);
        assert.equal(headers['allow'], allow);
        assert.equal(await server.metric(`carm_webhook_http_errors_total{code="${status}"}`), 1);
      }
      assert.ok(await isWell(server));
    });
  }

  test('HEAD has no body', async t => {
    const socket = await (await start(t)).dial();
    const reading = readAll(socket);
    socket.end(requestText('HEAD /mutate'));
    assert.match((await reading).text, /^HTTP\/1\.1 405 .*\r\n\r\n$/s);
  });
});

describe('a body that does not come as it should', () => {
  test('8 MiB: 413, read by a client that sends it all', async t => {
    const server = await start(t);
    const { status, headers, body } = await server.post('/mutate', Buffer.alloc(8 * 1024 * 1024, 0x20));
    assert.equal(status, 413);
    assert.equal(headers['connection'], 'close');
    assert.match(body, /limit of 7340032 bytes/);
    assert.ok(await isWell(server));
  });

  test('8 MiB from a client that reads only after it has sent it all: 413', async t => {
    const server = await start(t);
    const socket = await server.dial();
    const sent = Promise.withResolvers<void>();
    const body = ' '.repeat(8 * 1024 * 1024);
    socket.on('error', sent.reject);
    socket.write(requestText('POST /mutate', {}, body), () => sent.resolve());
    await sent.promise;
    const [answer] = splitAnswers((await readAll(socket)).text);
    assert.equal(answer?.status, 413);
    assert.ok(await isWell(server));
  });

  test('8 MiB in chunks, unannounced: 413', async t => {
    const server = await start(t);
    const socket = await server.dial();
    const reading = readAll(socket);
    socket.write(requestText('POST /mutate', { 'Content-Length': null, 'Transfer-Encoding': 'chunked' }));
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (let sent = 0; sent < 128; sent++) socket.write(chunk);
    socket.write('0\r\n\r\n');
    const [answer] = splitAnswers((await reading).text);
    assert.equal(answer?.status, 413);
    assert.ok(await isWell(server));
  });

  test('slow: 408 when the time of the review is over', async t => {
    const server = await start(t);
    const socket = await server.dial();
    const reading = readAll(socket);
    const startedAtMs = performance.now();
    socket.write(
      requestText('POST /mutate?timeout=1s', { 'Content-Length': String(review.length) }, review.slice(0, 50)),
    );
    const { text, closed } = await reading;
    assert.ok(closed);
    const [answer] = splitAnswers(text);
    assert.equal(answer?.status, 408);
    assert.ok(performance.now() - startedAtMs < 5000);
    assert.equal(await server.metric('carm_webhook_http_errors_total{code="408"}'), 1);
    assert.ok(await isWell(server));
  });

  test('headers that never end: 408', async t => {
    const server = await start(t, { limits: { headersTimeoutMs: 300, checkIntervalMs: 50 } });
    const socket = await server.dial();
    const reading = readAll(socket);
    socket.write('POST /mutate HTTP/1.1\r\nHost: local');
    const [answer] = splitAnswers((await reading).text);
    assert.equal(answer?.status, 408);
    assert.ok(await isWell(server));
  });

  test('cut by its client: no answer, no review, no error', async t => {
    const server = await start(t);
    const socket = await server.dial();
    socket.write(requestText('POST /mutate', { 'Content-Length': '9999' }, review));
    await sleep(50);
    socket.destroy();
    await sleep(50);
    assert.ok(await isWell(server));
    assert.equal(server.logs.filter(({ level }) => level === 'error').length, 0);
    assert.equal(await server.metric('carm_webhook_reviews_in_flight'), 0);
  });
});

test('the text of a broken body reaches neither answer nor log', async t => {
  const server = await start(t);
  const { status, body } = await server.post('/mutate', '{"secret": hunter2}');
  assert.equal(status, 400);
  assert.doesNotMatch(body + JSON.stringify(server.logs), /hunter2/);
});

test('an answer whose request was read whole leaves the connection open', async t => {
  const server = await start(t);
  const socket = await server.dial();
  const reading = readAll(socket);
  for (const bytes of [
    requestText('POST /mutate', {}, '{'),
    requestText('GET /nowhere'),
    requestText('POST /mutate', {}, review),
  ]) {
    socket.write(bytes);
    await sleep(30);
  }
  socket.end();
  assert.deepEqual(
    splitAnswers((await reading).text).map(({ status }) => status),
    [400, 404, 200],
  );
});

test('a client that speaks no TLS is cut off, and nobody else', async t => {
  const server = await start(t);
  await assert.rejects(fetch(`http://127.0.0.1:${server.port}/mutate`, { signal: AbortSignal.timeout(5000) }));
  assert.ok(await isWell(server));
});
