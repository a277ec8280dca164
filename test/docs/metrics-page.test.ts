import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { warnings } from '../../src/admission/catalogue/reasons.ts';
import { reviewSeries } from '../../src/admission/review-series.ts';
import { defaultRules } from '../../src/admission/rules.ts';
import { clusterMetricLabels } from '../../src/cli/served-cluster.ts';
import { Metrics } from '../../src/server/metrics.ts';
import { withFlags } from './readme-flags.ts';

const root = new URL('../../', import.meta.url);
const readme = await readFile(new URL('README.md', root), 'utf8');

test('the table of flags in the README is what the flags are (make docs writes it)', () => {
  assert.equal(readme, withFlags(readme));
});

test('the README lists every metric of ours and no other', async () => {
  const metrics = new Metrics({
    version: '0',
    reviewSeries: reviewSeries(),
    warningReasons: Object.keys(warnings),
    cluster: clusterMetricLabels(defaultRules),
  });
  const ours = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name).filter(name => /^carm_/.test(name));
  const listed = [...readme.matchAll(/`(carm_webhook_\w+)(?:\{[^}]*\})?`/g)].map(([, name]) => name);
  assert.deepEqual(new Set(listed), new Set(ours));
});

test('links from README, CONTRIBUTING and docs to files of the repository lead somewhere', async () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...(await readdir(new URL('docs/', root))).map(name => `docs/${name}`),
  ];
  for (const page of pages) {
    const text = await readFile(new URL(page, root), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)) {
      await assert.doesNotReject(readFile(new URL(target, new URL(page, root))), `${page} links to ${target}`);
    }
  }
});
