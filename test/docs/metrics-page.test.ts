import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { warnings } from '../../src/admission/catalogue/warnings.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import { reviewSeries } from '../../src/admission/review-series.ts';
import { clusterMetricLabels } from '../../src/cli/serve/open-cluster.ts';
import { verificationMetricLabels } from '../../src/cli/serve/verification-metric-labels.ts';
import { Metrics } from '../../src/server/metrics.ts';

const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const metrics = new Metrics({
  version: '0',
  reviewSeries: reviewSeries(),
  warningReasons: Object.keys(warnings),
  cluster: clusterMetricLabels(defaultConfig),
  verification: verificationMetricLabels,
});
const all = await metrics.registry.getMetricsAsJSON();
const ours = all.filter(({ name }) => name.startsWith('carm_'));

/** The names of the labels of a metric; `le` is what a histogram adds. */
function labelsOf({ values }: (typeof all)[number]): readonly string[] {
  const labels = new Set(values.flatMap(({ labels: of }) => Object.keys(of)));
  labels.delete('le');
  return [...labels].sort();
}

test('docs/metrics.md lists every metric of ours with its labels, and no other', () => {
  const rows = [...page.matchAll(/^\| `(carm_webhook_\w+)(?:\{([\w,]*)\})?` \| (?!what)/gm)];
  const listed = rows.map(([, name, labels = '']) => `${name} ${labels.split(',').sort().join()}`);
  // Below the table, and in what to alert on, other labels stand in braces.
  const table = new Set(listed.slice(0, ours.length));
  assert.deepEqual(table, new Set(ours.map(metric => `${metric.name} ${labelsOf(metric).join()}`)));
  const named = [...page.matchAll(/carm_webhook_\w+/g)].map(([name]) => name);
  assert.deepEqual(new Set(named), new Set(ours.map(({ name }) => name)));
});

test('all series are there from the start, and there are few of them', () => {
  const count = all.reduce((sum, { values }) => sum + values.length, 0);
  assert.ok(count > 500 && count < 1500, `${count} series`);
});

test('no gauge is named like a counter, nor a counter like a gauge', () => {
  const misnamed = all.filter(({ name, type }) => name.endsWith('_total') !== (String(type) === 'counter'));
  assert.deepEqual(misnamed, []);
});
