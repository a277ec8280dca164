import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge } from 'prom-client';
import { Metrics } from '../../src/server/metrics.ts';
import { isWell, type Running, start } from './running-server.ts';

/** Metrics that count how often they are rendered. */
function countedMetrics(): { readonly metrics: Metrics; readonly renderings: () => number } {
  const metrics = new Metrics({ version: '0', reviewSeries: [], warningReasons: [], processMetrics: false });
  let renderings = 0;
  new Gauge({
    name: 'renderings',
    help: 'How often these metrics were rendered.',
    registers: [metrics.registry],
    collect() {
      this.set(++renderings);
    },
  });
  return { metrics, renderings: () => renderings };
}

function dialOps(t: TestContext, server: Running, localAddress: string): Socket {
  const socket = connect({ port: server.opsPort, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

test('metrics are rendered once a second at most, however many ask', async t => {
  const { metrics, renderings } = countedMetrics();
  const server = await start(t, { metrics, limits: { metricsFreshMs: 1000 } });
  const startedAtMs = performance.now();
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => server.ops('/metrics')));
    assert.ok(answers.every(({ status }) => status === 200));
  }
  assert.ok(renderings() <= 1 + Math.ceil((performance.now() - startedAtMs) / 1000), `${renderings()} renderings`);
  await sleep(1000);
  const before = renderings();
  await server.ops('/metrics');
  assert.equal(renderings(), before + 1, 'and made anew after that');
});

test('/livez and /readyz are answered while a hundred addresses hold what they can', { timeout: 30_000 }, async t => {
  const server = await start(t, { metrics: countedMetrics().metrics });
  const addresses = Array.from({ length: 100 }, (_, index) => `127.0.0.${index + 2}`);
  for (const address of addresses) {
    // Half a request, one whose answer is not read, and nothing at all.
    dialOps(t, server, address).write('GET /metrics HTTP/1.1\r\nHost');
    dialOps(t, server, address).write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50));
    dialOps(t, server, address);
  }
  for (let round = 0; round < 10; round++) {
    const startedAtMs = performance.now();
    assert.equal((await server.ops('/livez')).status, 200);
    assert.equal((await server.ops('/readyz')).status, 200);
    assert.ok(await isWell(server));
    // As long as kubelet waits for a probe.
    assert.ok(performance.now() - startedAtMs < 3000);
  }
  assert.ok(((await server.metric('carm_webhook_refused_requests_total{cause="ops_connection"}')) ?? 0) > 100);
  const [line] = server.logs.filter(({ cause }) => cause === 'ops_connection');
  assert.equal(line?.['level'], 'warn');
  assert.match(String(line?.['address']), /^127\.0\.0\.\d+$/);
});

test('a connection to the ops port carries one request, and half a one ends in seconds', {
  timeout: 15_000,
}, async t => {
  const server = await start(t);
  const ended = (socket: Socket): Promise<string> => {
    const { promise, resolve } = Promise.withResolvers<string>();
    let text = '';
    socket.on('data', chunk => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    return promise;
  };
  const twice = dialOps(t, server, '127.0.0.2');
  twice.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
  const half = dialOps(t, server, '127.0.0.2');
  half.write('GET /livez HTTP/1.1\r\nHost');
  const startedAtMs = performance.now();
  const [first] = await Promise.all([ended(twice), ended(half)]);
  assert.ok(first.split('HTTP/1.1 200').length <= 2);
  assert.ok(performance.now() - startedAtMs < 8000);
});
