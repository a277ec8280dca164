import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ReviewSeries } from '../../src/admission/review-series.ts';
import { CertificateError } from '../../src/server/certificate.ts';
import { ListenError } from '../../src/server/listen.ts';
import { Metrics } from '../../src/server/metrics.ts';
import { sharedCertificate, start } from './running-server.ts';
import { allowed, sampleReview } from './sample-review.ts';

describe('readiness', () => {
  test('tells every reason, and is apart from liveness', async t => {
    const ready = (): Promise<number | undefined> => server.metric('carm_webhook_ready');
    const reasons: string[] = ['namespaces are not listed yet', 'serviceaccounts are not listed yet'];
    const server = await start(t, { clusterNotReady: () => reasons });
    const { status, body } = await server.ops('/readyz');
    assert.equal(status, 503);
    assert.equal(body, 'namespaces are not listed yet\nserviceaccounts are not listed yet\n');
    assert.equal((await server.ops('/livez')).status, 200);
    assert.equal(await ready(), 0);
    reasons.length = 0;
    assert.equal(await ready(), 1);
    assert.deepEqual(await server.ops('/readyz').then(answer => [answer.status, answer.body]), [200, 'ok\n']);
  });

  test('ends with the certificate', async t => {
    const own = await sharedCertificate();
    const expired = { ...own.current, expiresAtMs: Date.UTC(2020, 0, 1) };
    const server = await start(t, { certificate: { ...own, current: expired } });
    const { status, body } = await server.ops('/readyz');
    assert.deepEqual([status, body], [503, 'the certificate expired at 2020-01-01T00:00:00.000Z\n']);
    assert.equal(await server.metric('carm_webhook_certificate_expiry_timestamp_seconds'), 1_577_836_800);
  });
});

test('unknown paths are 404, other methods 405', async t => {
  const server = await start(t);
  for (const path of ['/', '/healthz', '/livez/', '/Metrics', '/%ff']) {
    assert.equal((await server.ops(path)).status, 404, path);
  }
  for (const path of ['/livez', '/readyz', '/metrics']) {
    const { status, headers } = await server.ops(path, 'POST');
    assert.deepEqual([status, headers['allow']], [405, 'GET, HEAD'], path);
    assert.equal((await server.ops(path, 'HEAD')).status, 200, path);
  }
});

const series: readonly ReviewSeries[] = [
  { webhook: 'pods.carm-webhook.dev', endpoint: 'mutate', operation: 'CREATE', outcome: 'mutated', reason: 'Injected' },
  {
    webhook: 'pods.carm-webhook.dev',
    endpoint: 'mutate',
    operation: 'CREATE',
    outcome: 'denied',
    reason: 'AccountNotMapped',
  },
  {
    webhook: 'namespaces.carm-webhook.dev',
    endpoint: 'mutate',
    operation: 'UPDATE',
    outcome: 'mutated',
    reason: 'Labelled',
  },
];

function withCluster(): Metrics {
  return new Metrics({
    version: '1.2.3',
    reviewSeries: series,
    warningReasons: ['TokenExpirationClamped'],
    cluster: {
      maps: ['account', 'team'],
      watchedResources: ['namespaces'],
      restartCauses: ['gone'],
      liveReadResources: ['namespaces'],
      liveReadResults: ['found'],
    },
  });
}

describe('metrics through HTTP', () => {
  test('hold every series of the closed sets at 0 from the start', async t => {
    const server = await start(t, { metrics: withCluster() });
    const { body, headers } = await server.ops('/metrics');
    assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
    for (const zero of [
      'carm_webhook_reviews_total{webhook="pods.carm-webhook.dev",endpoint="mutate",operation="CREATE",outcome="denied",reason="AccountNotMapped"} 0',
      'carm_webhook_reviews_total{webhook="namespaces.carm-webhook.dev",endpoint="mutate",operation="UPDATE",outcome="mutated",reason="Labelled"} 0',
      'carm_webhook_review_duration_seconds_count{webhook="pods.carm-webhook.dev"} 0',
      'carm_webhook_review_duration_seconds_bucket{le="0.0001",webhook="namespaces.carm-webhook.dev"} 0',
      'carm_webhook_dry_run_reviews_total{endpoint="mutate",outcome="error"} 0',
      'carm_webhook_dry_run_reviews_total{endpoint="validate",outcome="audited"} 0',
      'carm_webhook_certificate_errors_total 0',
      'carm_webhook_reviews_in_flight 0',
      'carm_webhook_warnings_total{reason="TokenExpirationClamped"} 0',
      'carm_webhook_http_errors_total{code="413"} 0',
      'carm_webhook_bound_namespaces 0',
      'carm_webhook_map_entries{map="team",valid="false"} 0',
      'carm_webhook_watch_synced{resource="namespaces"} 0',
      'carm_webhook_watch_last_event_timestamp_seconds{resource="namespaces"} 0',
      'carm_webhook_watch_restarts_total{resource="namespaces",cause="gone"} 0',
      'carm_webhook_live_reads_total{resource="namespaces",result="found"} 0',
      'carm_webhook_build_info{version="1.2.3"} 1',
    ]) {
      assert.ok(body.split('\n').includes(zero), zero);
    }
    assert.match(body, /^process_cpu_user_seconds_total /m);
    assert.match(body, /^nodejs_eventloop_lag_seconds /m);
  });

  test('count each review once, by what became of it, and how long it took', async t => {
    const server = await start(t, {
      metrics: withCluster(),
      admit: (_endpoint, request) => {
        const { response, record } = allowed(request);
        return {
          response,
          record: {
            ...record,
            outcome: 'denied',
            reason: 'AccountNotMapped',
            warnings: ['TokenExpirationClamped'],
            message: 'no account',
            loggedMessage: 'no account',
          },
        };
      },
    });
    for (let count = 0; count < 3; count++) await server.post('/mutate', sampleReview());
    const denied =
      'carm_webhook_reviews_total{webhook="pods.carm-webhook.dev",endpoint="mutate",operation="CREATE",outcome="denied",reason="AccountNotMapped"}';
    assert.equal(await server.metric(denied), 3);
    assert.equal(await server.metric('carm_webhook_review_duration_seconds_count{webhook="pods.carm-webhook.dev"}'), 3);
    assert.equal(
      await server.metric('carm_webhook_review_duration_seconds_bucket{le="5",webhook="pods.carm-webhook.dev"}'),
      3,
    );
    assert.equal(await server.metric('carm_webhook_warnings_total{reason="TokenExpirationClamped"}'), 3);
    const { body } = await server.ops('/metrics');
    const counted = body.split('\n').filter(line => /^carm_webhook_reviews_total\{.*[1-9]$/.test(line));
    assert.equal(counted.length, 1);
    const lines = server.logs.filter(({ msg }) => msg === 'review denied');
    assert.equal(lines.length, 3);
    assert.deepEqual(
      ['level', 'uid', 'webhook', 'operation', 'outcome', 'reason', 'namespace', 'name', 'kind', 'message'].map(
        key => lines[0]?.[key],
      ),
      [
        'info',
        'a3b0c5d2-0000-4000-8000-000000000001',
        'pods.carm-webhook.dev',
        'CREATE',
        'denied',
        'AccountNotMapped',
        'shop',
        'web-0',
        'Pod',
        'no account',
      ],
    );
  });

  test('count a dry run apart, but its warnings and how long it took with all others', async t => {
    const server = await start(t, {
      metrics: withCluster(),
      admit: (endpoint, request) => {
        const { response, record } = allowed(request, endpoint);
        return { response, record: { ...record, outcome: 'warned', warnings: ['TokenExpirationClamped'] } };
      },
    });
    const real = sampleReview();
    await server.post('/validate', { ...real, request: { ...Object(real['request']), dryRun: true } });
    const { body } = await server.ops('/metrics');
    const counted = body.split('\n').filter(line => /^carm_webhook_\w+_total(?:\{.*)? [1-9]/.test(line));
    assert.deepEqual(counted, [
      'carm_webhook_dry_run_reviews_total{endpoint="validate",outcome="warned"} 1',
      'carm_webhook_warnings_total{reason="TokenExpirationClamped"} 1',
    ]);
    assert.match(body, /^carm_webhook_review_duration_seconds_count\{webhook="pods\.carm-webhook\.dev"\} 1$/m);
    assert.match(body, /^carm_webhook_reviews_in_flight 0$/m);
    assert.equal(server.logs.find(({ msg }) => msg === 'review warned')?.['dryRun'], true);
  });

  test('count a review whose client is gone before its answer', async t => {
    const arrived = Promise.withResolvers<void>();
    const decided = Promise.withResolvers<void>();
    const server = await start(t, {
      admit: async (_endpoint, request) => {
        arrived.resolve();
        await decided.promise;
        return allowed(request);
      },
    });
    const abort = new AbortController();
    const gone = assert.rejects(server.post('/mutate', sampleReview(), { signal: abort.signal }));
    await arrived.promise;
    assert.equal(await server.metric('carm_webhook_reviews_in_flight'), 1);
    abort.abort();
    await gone;
    decided.resolve();
    const series =
      'carm_webhook_reviews_total{webhook="pods.carm-webhook.dev",endpoint="mutate",operation="CREATE",outcome="allowed",reason="NamespaceNotManaged"}';
    assert.equal(await server.metric(series), 1);
    assert.equal(await server.metric('carm_webhook_reviews_in_flight'), 0);
  });
});

test('a taken port is one typed error that names port and flag, and nothing stays open', async t => {
  const server = await start(t);
  const takes = (options: { readonly port?: number; readonly opsPort?: number }, flag: string, port: number) =>
    assert.rejects(start(t, options), error => {
      assert.ok(error instanceof ListenError && !(error instanceof CertificateError));
      assert.equal(error.code, 'PortTaken');
      assert.equal(error.message, `port ${port} on 127.0.0.1 is taken by another process (${flag})`);
      return true;
    });
  await takes({ port: server.port }, '--port', server.port);
  await takes({ opsPort: server.opsPort }, '--ops-port', server.opsPort);
  await assert.rejects(start(t, { bindAddress: '192.0.2.1' }), { code: 'AddressUnavailable' });
});
