import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { propertyRuns } from '../property-runs.ts';
import { isWell, type Running, start } from './running-server.ts';
import { sampleReview } from './sample-review.ts';
import { readAll, requestText, splitAnswers } from './wire.ts';

const lawful = new Set([100, 200, 400, 404, 405, 408, 413, 415]);
const review = JSON.stringify(sampleReview());

/** Sends bytes, ends our side, and checks everything that comes back. */
async function endures(server: Running, bytes: Buffer): Promise<void> {
  const socket = await server.dial();
  const reading = readAll(socket, 5000);
  socket.end(bytes);
  const { text, closed } = await reading;
  assert.ok(closed, 'the connection stayed open');
  const answers = /^HTTP\/1\.1 /.test(text) ? splitHeadless(text) : [];
  assert.ok(answers.length > 0 || bytes.length === 0 || /^[\r\n]*$/.test(bytes.toString('latin1')), 'no answer');
  for (const status of answers) assert.ok(lawful.has(status), `status ${status}`);
}

/** The statuses; an answer to HEAD has a length and no body, so that what follows tells where it ends. */
function splitHeadless(text: string): number[] {
  try {
    return splitAnswers(text).map(({ status }) => status);
  } catch {
    return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1]));
  }
}

const mangled = fc
  .tuple(
    fc.constantFrom(
      requestText('POST /mutate', {}, review),
      requestText('GET /x'),
      requestText('POST /validate', { Expect: '100-continue' }, review),
    ),
    fc.nat(),
    fc.nat({ max: 40 }),
    fc.uint8Array({ maxLength: 12 }),
  )
  .map(([text, at, cut, bytes]) => {
    const whole = Buffer.from(text);
    const start = at % whole.length;
    return Buffer.concat([whole.subarray(0, start), bytes, whole.subarray(start + cut)]);
  });

const headerName = fc.stringMatching(/^[A-Za-z][A-Za-z-]{0,15}$/);
const headerValue = fc.oneof(
  fc.stringMatching(/^[\x20-\x7e]{0,40}$/),
  fc.constantFrom('100-continue', 'chunked', 'gzip', 'close', '-1', '18446744073709551616', 'h2c'),
);
const knownHeader = fc.constantFrom(
  'Expect',
  'Content-Length',
  'Transfer-Encoding',
  'Content-Type',
  'Connection',
  'Upgrade',
  'Host',
  'Content-Encoding',
  'TE',
  'Trailer',
);
const dressed = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT', 'PRI', 'M-SEARCH'),
    fc.oneof(
      fc.constantFrom('/mutate', '/validate', '*', '/', '//mutate', '/mutate?timeout=1s', '?', 'a:1'),
      fc.stringMatching(/^\/[\x21-\x7e]{0,30}$/),
    ),
    fc.dictionary(fc.oneof(knownHeader, headerName), headerValue, { maxKeys: 6 }),
    fc.oneof(fc.constant(review), fc.json(), fc.string()),
  )
  .map(([method, path, headers, body]) => Buffer.from(requestText(`${method} ${path}`, headers, body)));

function property(name: string, bytes: fc.Arbitrary<Uint8Array>, numRuns: number): void {
  test(name, async t => {
    const server = await start(t);
    await fc.assert(
      fc.asyncProperty(bytes, async each => {
        await endures(server, Buffer.from(each));
        assert.ok(await isWell(server));
      }),
      { numRuns, interruptAfterTimeLimit: propertyRuns(40_000), markInterruptAsFailure: false },
    );
    assert.deepEqual(
      server.logs.filter(({ level }) => level === 'error'),
      [],
    );
    assert.equal(await server.metric('carm_webhook_reviews_in_flight'), 0);
  });
}

property('any bytes', fc.uint8Array({ maxLength: 200 }), propertyRuns(40));
property('requests mangled anywhere', mangled, propertyRuns(60));
property('any method, path and headers', dressed, propertyRuns(60));

test('any body', async t => {
  const server = await start(t);
  const nearReview = fc
    .record({
      kind: fc.constant('AdmissionReview'),
      apiVersion: fc.constant('admission.k8s.io/v1'),
      request: fc.dictionary(
        fc.constantFrom(
          'uid',
          'kind',
          'resource',
          'operation',
          'userInfo',
          'object',
          'name',
          'namespace',
          'subResource',
          '__proto__',
        ),
        fc.jsonValue(),
      ),
    })
    .map(value => JSON.stringify(value));
  await fc.assert(
    fc.asyncProperty(fc.oneof(nearReview, fc.json(), fc.string()), async body => {
      const { status, body: answer } = await server.post('/mutate', body);
      assert.ok(status === 200 || status === 400, `status ${status}`);
      if (status === 200) assert.equal(JSON.parse(answer).response.uid, JSON.parse(body).request.uid);
    }),
    { numRuns: propertyRuns(100) },
  );
});
