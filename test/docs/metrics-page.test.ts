import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { warnings } from '../../src/admission/catalogue/warnings.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import { reviewSeries } from '../../src/admission/review-series.ts';
import { clusterMetricLabels } from '../../src/cli/serve/open-cluster.ts';
import { Metrics } from '../../src/server/metrics.ts';

const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

test('docs/metrics.md lists every metric of ours and no other', async () => {
  const metrics = new Metrics({
    version: '0',
    reviewSeries: reviewSeries(),
    warningReasons: Object.keys(warnings),
    cluster: clusterMetricLabels(defaultConfig),
  });
  const ours = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name).filter(name => /^carm_/.test(name));
  const listed = [...page.matchAll(/`(carm_webhook_\w+)(?:\{[^}]*\})?`/g)].map(([, name]) => name);
  assert.deepEqual(new Set(listed), new Set(ours));
});
