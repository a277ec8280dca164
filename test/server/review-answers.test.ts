import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Admit, createAnswerFailure, type ReviewResult } from '../../src/admission/admit.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import { FakeCluster, inMode } from '../admission/fake-cluster.ts';
import { start } from './running-server.ts';
import { allowed, sampleReview } from './sample-review.ts';

describe('a parsable review is answered by HTTP 200', () => {
  test('with the uid, the version and the content type of a v1 review', async t => {
    const seen: string[] = [];
    const server = await start(t, {
      admit: (endpoint, request) => {
        seen.push(`${endpoint} ${request.name}`);
        return allowed(request);
      },
    });
    for (const path of ['/mutate', '/validate?timeout=5s']) {
      const { status, headers, body } = await server.post(path, sampleReview('uid-1', 'web-1'));
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'application/json');
      assert.equal(Number(headers['content-length']), Buffer.byteLength(body));
      assert.equal(headers['x-powered-by'], undefined);
      assert.deepEqual(JSON.parse(body), {
        kind: 'AdmissionReview',
        apiVersion: 'admission.k8s.io/v1',
        response: { uid: 'uid-1', allowed: true },
      });
    }
    assert.deepEqual(seen, ['mutate web-1', 'validate web-1']);
  });

  test('whatever letters the answer holds', async t => {
    const server = await start(t, {
      admit: (_endpoint, request) => {
        const { response, record } = allowed(request);
        return { response: { ...response, warnings: ['naïve – 日本 \ud800'] }, record };
      },
    });
    const { status, body } = await server.post('/mutate', sampleReview('ü'));
    assert.equal(status, 200);
    assert.equal(JSON.parse(body).response.uid, 'ü');
    assert.deepEqual(JSON.parse(body).response.warnings, ['naïve – 日本 \ud800']);
  });

  test('with JSON nested 100,000 deep, and with __proto__ as a key', async t => {
    const server = await start(t);
    const text = JSON.stringify(sampleReview('deep'));
    const deep = text.replace('"object":{', `"object":{"x":${'['.repeat(100_000)}${']'.repeat(100_000)},`);
    assert.equal(JSON.parse((await server.post('/mutate', deep)).body).response.uid, 'deep');
    const proto = text.replace('"object":{', '"__proto__":{"uid":"other"},"object":{"__proto__":{"kind":"x"},');
    assert.equal(JSON.parse((await server.post('/mutate', proto)).body).response.uid, 'deep');
  });

  test('with a body of just under 7 MiB', async t => {
    const server = await start(t);
    const review = sampleReview('large');
    const filled = { ...review, filler: 'x'.repeat(7 * 1024 * 1024 - JSON.stringify(review).length - 12) };
    assert.equal(JSON.stringify(filled).length, 7 * 1024 * 1024);
    const { status, body } = await server.post('/mutate', filled);
    assert.equal(status, 200);
    assert.equal(JSON.parse(body).response.uid, 'large');
  });
});

function hasCode(body: string): void {
  const { response } = JSON.parse(body);
  assert.equal(response.uid, 'uid-9');
  assert.equal(response.allowed, false);
  assert.equal(response.status.code, 500);
  assert.match(response.status.message, /review "uid-9" in the log of carm-webhook \(InternalError\) ask #platform$/);
  assert.equal(response.auditAnnotations.reason, 'InternalError');
  assert.doesNotMatch(body, /hunter2/);
}

describe('a failing decision is one InternalError review', () => {
  const answerFailure = createAnswerFailure(
    { cache: undefined },
    { ...defaultConfig, supportMessage: 'ask #platform' },
  );
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const failing: Readonly<Record<string, Admit>> = {
    'an exception': () => {
      throw new TypeError('boom');
    },
    'a rejection': () => Promise.reject(new RangeError('boom')),
    'a thrown string': () => Promise.reject('hunter2'),
    'an answer that cannot be serialised': (_endpoint, request) => {
      const { response, record } = allowed(request);
      return { response: Object.assign({}, response, { auditAnnotations: circular }), record };
    },
    'no answer at all': () => JSON.parse('null'),
    'a decision that never comes': () => new Promise<ReviewResult>(() => {}),
  };
  for (const [name, admit] of Object.entries(failing)) {
    test(name, async t => {
      const server = await start(t, { admit, answerFailure });
      const { status, body } = await server.post('/validate?timeout=1s', sampleReview('uid-9'));
      assert.equal(status, 200);
      hasCode(body);
      const series =
        'carm_webhook_reviews_total{webhook="pods.carm-webhook.dev",endpoint="validate",operation="CREATE",outcome="error",reason="InternalError"}';
      assert.equal(await server.metric(series), 1);
      assert.equal(await server.metric('carm_webhook_reviews_in_flight'), 0);
      const lines = server.logs.filter(line => line['level'] === 'error');
      assert.equal(lines.length, 1);
      assert.equal(lines[0]?.['uid'], 'uid-9');
      assert.doesNotMatch(JSON.stringify(server.logs), /hunter2/);
    });
  }

  for (const [mode, allowed] of [
    ['enforce', false],
    ['warn', true],
    ['audit', true],
  ] as const) {
    test(`that follows the mode, also where the decision never comes: ${mode}`, async t => {
      const answerFailure = createAnswerFailure(new FakeCluster(inMode(mode), {}), defaultConfig);
      const server = await start(t, { admit: () => new Promise<ReviewResult>(() => {}), answerFailure });
      const { response } = JSON.parse((await server.post('/mutate?timeout=1s', sampleReview())).body);
      assert.equal(response.allowed, allowed);
      assert.equal(response.auditAnnotations.denied, 'InternalError');
      assert.equal(response.warnings?.length, mode === 'warn' ? 1 : undefined);
    });
  }

  test('a decision that fails after its time changes nothing', async t => {
    const late = Promise.withResolvers<ReviewResult>();
    const server = await start(t, { admit: () => late.promise });
    const { body } = await server.post('/mutate?timeout=1s', sampleReview('uid-9'));
    assert.equal(JSON.parse(body).response.status.code, 500);
    late.reject(new Error('too late'));
    assert.equal((await server.ops('/livez')).status, 200);
  });
});

test('the deadline leaves a margin within the timeout of the URL', async t => {
  const grantedMs: number[] = [];
  const server = await start(t, {
    admit: (_endpoint, request, deadline) => {
      grantedMs.push(deadline - performance.now());
      return allowed(request);
    },
  });
  for (const query of [
    '',
    '?timeout=10s',
    '?timeout=1m0s',
    '?timeout=2s',
    '?timeout=1ms',
    '?timeout=%zz',
    '?timeout=-5s',
  ]) {
    assert.equal((await server.post(`/mutate${query}`, sampleReview())).status, 200);
  }
  const mostMs = [9500, 9500, 29_500, 1800, 900, 9500, 900];
  for (const [index, most] of mostMs.entries()) {
    const granted = grantedMs[index] ?? 0;
    assert.ok(granted <= most && granted > most - 500, `${index}: ${granted} ms of ${most}`);
  }
});
