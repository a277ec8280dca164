import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../src/server/logs.ts';
import { Metrics } from '../../src/server/metrics.ts';
import { Shortages } from '../../src/server/shortage.ts';

const peer = { address: '10.0.0.7', share: '10.0.0.7', trusted: false };

test('want of room is counted each time and logged at warn, a line a second for each cause', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const lines: Record<string, unknown>[] = [];
  const metrics = new Metrics({ version: '0', reviewSeries: [], warningReasons: [], processMetrics: false });
  const { report } = new Shortages(metrics, createLogger('warn', { write: line => lines.push(JSON.parse(line)) }));
  const seen = () => lines.map(({ level, cause, address, suppressed }) => ({ level, cause, address, suppressed }));
  for (let count = 0; count < 500; count++) report('body', peer);
  report('connection', peer);
  const first = [
    { level: 'warn', cause: 'body', address: '10.0.0.7', suppressed: undefined },
    { level: 'warn', cause: 'connection', address: '10.0.0.7', suppressed: undefined },
  ];
  assert.deepEqual(seen(), first);
  report('body', { ...peer, address: '10.0.0.8' });
  t.mock.timers.tick(1000);
  const told = { level: 'warn', cause: 'body', address: '10.0.0.8', suppressed: 500 };
  assert.deepEqual(seen(), [...first, told], 'the suppressed ones are told although nothing follows');
  t.mock.timers.tick(1000);
  report('body', peer);
  assert.equal(lines.length, 4);
  assert.equal(lines[3]?.['suppressed'], undefined);
  const text = await metrics.registry.metrics();
  assert.match(text, /^carm_webhook_refused_requests_total\{cause="body"\} 502$/m);
  assert.match(text, /^carm_webhook_refused_requests_total\{cause="connection"\} 1$/m);
  for (const cause of ['handshake', 'pipelining', 'ops_connection']) {
    assert.match(text, new RegExp(`^carm_webhook_refused_requests_total\\{cause="${cause}"\\} 0$`, 'm'));
  }
});
