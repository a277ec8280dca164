import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { alertsFile, shippedAlerts } from '../prometheus/alerts.ts';
import { pictureFile, queryOf, shippedDashboard } from '../prometheus/dashboard.ts';
import { type Drawn, drawDashboard } from '../prometheus/draw-dashboard.ts';
import { whyNoPrometheus } from '../prometheus/programs.ts';
import { PrometheusServer } from '../prometheus/prometheus-server.ts';
import { readQuery, selectorText } from '../prometheus/promql.ts';
import { monitorRelabelings } from '../prometheus/relabelings.ts';
import { promtool } from '../prometheus/rule-test.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { ackPath, bucket, bucketKind, installAckKinds } from './ack-crds.ts';
import { boundNamespace, deployment, namespace, pod, roleMap, serviceAccount } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { asList } from './manifests.ts';
import { sumOf } from './metric-sum.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

/** A real Prometheus beside two replicas: what Prometheus makes of our metrics, our alerts and our dashboard. */

/** The picture of docs/operations.md is drawn from a minute of load; for the tests a few scrapes will do. */
const drawing = (process.env['UPDATE_SNAPSHOTS'] ?? '') !== '';
const skip = whyNoPrometheus() ?? false;
const testLimit = { timeout: 120_000 };
const scrapeSeconds = 1;
const account = '111122223333';
const unmapped = '444455556666';
const warnMode = { labels: { 'carm-webhook.dev/mode': 'warn' } };
/** Not the haste of other tests, in which watches restart all the time. */
const asShipped = { flags: ['--max-staleness=90s'] };
const tooShort = { 'eks.amazonaws.com/token-expiration': '60' };
/** What the Prometheus operator adds to a target. https://github.com/prometheus-operator/prometheus-operator/blob/v0.85.0/pkg/prometheus/promcfg.go */
const operatorLabels = { namespace: 'carm-webhook', pod: 'carm-webhook-1', container: 'carm-webhook', endpoint: 'ops' };
/** Windows of the queries are 4 scrapes. */
const steps = drawing ? { before: 25_000, down: 5_000, after: 30_000 } : { before: 5_000, down: 2_000, after: 3_000 };

describe('a real Prometheus, which scrapes two replicas and the API server', { skip }, () => {
  let plane: ControlPlane;
  let mutating: WebhookUnderTest;
  let validating: WebhookUnderTest;
  let prometheus: PrometheusServer;
  let startedAt = 0;
  let created = 0;

  before(
    async () => {
      plane = await ControlPlane.start();
      await installAckKinds(plane, [bucketKind]);
      mutating = await WebhookUnderTest.start(plane, asShipped);
      validating = await WebhookUnderTest.start(plane, asShipped);
      const objects = [
        roleMap({ [account]: `arn:aws:iam::${account}:role/shop` }),
        boundNamespace('shop', account),
        boundNamespace('unmapped', unmapped),
        boundNamespace('unmapped-warn', unmapped, warnMode),
        namespace('unbound'),
        ...['shop', 'unmapped', 'unmapped-warn'].map(name => serviceAccount(name, 'app')),
      ];
      // Each replica gets calls: one those of the mutating configuration, the other the others.
      const configurations = [mutating, validating].flatMap((replica, index) => replica.configurations()[index] ?? []);
      assert.deepEqual(new Set(configurations.map(({ kind }) => kind)).size, 2);
      await plane.kubectl(['apply', '-f', '-'], { input: asList(objects.slice(0, 1)) });
      await mutating.install(configurations);
      await plane.kubectl(['apply', '-f', '-'], { input: asList(objects.slice(1)) });
      const replicas = [mutating, validating].map(({ opsUrl }, index) => ({
        targets: [new URL(opsUrl).host],
        labels: { ...operatorLabels, instance: `10.0.0.${index + 1}:8080` },
      }));
      prometheus = await PrometheusServer.start({
        global: { scrape_interval: `${scrapeSeconds}s`, evaluation_interval: `${scrapeSeconds}s` },
        rule_files: [alertsFile],
        scrape_configs: [
          { job_name: 'carm-webhook', static_configs: replicas, relabel_configs: monitorRelabelings },
          {
            job_name: 'apiserver',
            scheme: 'https',
            authorization: { credentials: plane.adminToken },
            tls_config: { ca_file: plane.caFile },
            static_configs: [{ targets: [new URL(plane.url).host] }],
          },
        ],
      });
      // It begins 5 seconds after its start.
      await eventually('Prometheus scrapes', async () => {
        const targets = await prometheus.targets();
        return targets.length === 3 && targets.every(({ health }) => health === 'up') ? true : undefined;
      });
      startedAt = Date.now() / 1000;
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await prometheus?.stop();
    await Promise.all([mutating?.stop(), validating?.stop()]);
    await plane?.stop();
  });

  const create = (path: string, object: object) => plane.request('POST', path, object);

  /** One of each thing that people do; some of them are denied. */
  async function liveOnce(): Promise<void> {
    const name = `x${created++}`;
    const podsOf = (where: string): Promise<unknown> =>
      create(`/api/v1/namespaces/${where}/pods`, pod(where, name, { annotations: tooShort }));
    await Promise.all([
      podsOf('shop'),
      created % 3 === 0 ? podsOf('unmapped') : undefined,
      created % 2 === 0 ? podsOf('unmapped-warn') : undefined,
      created % 5 === 0
        ? create('/apis/apps/v1/namespaces/unmapped/deployments', deployment('unmapped', name))
        : undefined,
      created % 4 === 0 ? create(ackPath(bucketKind, 'shop'), bucket('shop', name)) : undefined,
      created % 6 === 0 ? create(ackPath(bucketKind, 'unbound'), bucket('unbound', name)) : undefined,
    ]);
  }

  async function liveFor(ms: number): Promise<void> {
    for (const end = performance.now() + ms; performance.now() < end; ) {
      await liveOnce();
      await sleep(100 + 60 * Math.sin(created / 12));
    }
  }

  test('reaches all of them, and finds every alert a rule that it can evaluate; none is near', testLimit, async () => {
    await liveFor(steps.before);
    await eventually('all targets are up', async () =>
      (await prometheus.targets()).every(({ health }) => health === 'up') ? true : undefined,
    );
    const alerts = await prometheus.alerts();
    assert.deepEqual(
      alerts.map(({ name, health, lastError = '' }) => [name, health, lastError].join()).sort(),
      shippedAlerts()
        .map(({ alert }) => [alert, 'ok', ''].join())
        .sort(),
    );
    // A machine that is busy with other tests is slow.
    const near = alerts.filter(({ name, state }) => state !== 'inactive' && !name.endsWith('Slow'));
    assert.deepEqual(near, []);
  });

  test('says nothing against a page of metrics that was just scraped', testLimit, async () => {
    const { code, output } = await promtool(['check', 'metrics'], await mutating.metrics());
    assert.deepEqual([code, output], [0, '']);
    const bad = await promtool(['check', 'metrics'], '# HELP x_total A gauge.\n# TYPE x_total gauge\nx_total 1\n');
    assert.notEqual(bad.code, 0);
  });

  test('sees when no replica is ready, and that the API server cannot call them', testLimit, async () => {
    await mutating.stopProcess({ abrupt: true });
    await liveFor(steps.down);
    const oneLeft = await prometheus.alerts();
    assert.equal(oneLeft.find(({ name }) => name === 'CarmWebhookNoReplicaReady')?.state, 'inactive');
    await validating.stopProcess({ abrupt: true });
    await eventually('the alert is pending', async () => {
      const alerts = await prometheus.alerts();
      return alerts.find(({ name }) => name === 'CarmWebhookNoReplicaReady')?.state === 'pending' ? true : undefined;
    });
    await Promise.all([mutating.startProcess(), validating.startProcess()]);
    await liveFor(steps.after);
  });

  test('knows every series that an alert asks for', testLimit, async () => {
    for (const { alert, expr } of shippedAlerts()) {
      for (const selector of readQuery(expr).selectors) {
        const found = await prometheus.series(selectorText(selector));
        assert.notEqual(found.length, 0, `${alert}: ${selectorText(selector)}`);
      }
    }
  });

  test('has an answer to every query of the dashboard', testLimit, async () => {
    const dashboard = shippedDashboard();
    const now = Date.now() / 1000;
    const stepSeconds = drawing ? 1 : scrapeSeconds;
    const drawn: Drawn[] = [];
    for (const panel of dashboard.panels) {
      const answers = [];
      for (const target of panel.targets ?? []) {
        const results = await prometheus.queryRange(queryOf(target, scrapeSeconds), startedAt, now, stepSeconds);
        const numbers = results.flatMap(({ values }) => values.map(([, value]) => Number(value)));
        assert.ok(numbers.some(Number.isFinite), `${panel.title}: ${target.expr}`);
        answers.push({ target, results });
      }
      drawn.push({ panel, answers });
    }
    const picture = drawDashboard(dashboard, drawn, startedAt, now);
    assert.ok(picture.length < 200_000, `${picture.length} bytes`);
    assert.doesNotMatch(picture, /NaN|undefined|Infinity/);
    if (!drawing) return;
    mkdirSync(dirname(pictureFile), { recursive: true });
    writeFileSync(pictureFile, picture);
  });

  test('would tell whoever reads the runbook that the webhook may watch what it must', testLimit, async () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8');
    const commands = Array.from(page.matchAll(/`kubectl (auth can-i [^`]+)`/g), ([, command = '']) =>
      command.split(' '),
    );
    assert.equal(commands.length, 3);
    for (const command of commands) assert.equal((await plane.kubectl(command)).stdout, 'yes\n', command.join(' '));
  });

  test(
    'counts a call as failed that a client gave a millisecond, so one such call must wake nobody',
    testLimit,
    async () => {
      const failed = async (): Promise<number> => {
        const { body } = await plane.request<string>('GET', '/metrics');
        const labels = { name: 'pods.carm-webhook.dev', error_type: 'calling_webhook_error' };
        return sumOf(body, 'apiserver_admission_webhook_rejection_count', labels);
      };
      const before = await failed();
      await eventually('the API server counts such a call', async () => {
        // The API server gives up in its own way, which may be to close the connection.
        await create('/api/v1/namespaces/shop/pods?timeout=1ms', pod('shop', `hasty-${created++}`)).catch(() => {});
        return (await failed()) > before ? true : undefined;
      });
    },
  );
});
