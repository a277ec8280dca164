import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { pictureFile, queryOf, shippedDashboard } from './dashboard.ts';
import { exportedSeries, notExported } from './exported-series.ts';
import { readQuery } from './promql.ts';

const dashboard = shippedDashboard();
const { panels } = dashboard;
const all = await exportedSeries();
const gridWidth = 24;

describe('the dashboard', () => {
  test('is one for Grafana 10 or later, whose data source the reader chooses', () => {
    // What Grafana 10.0.0 itself gives a new dashboard; later ones migrate it. https://www.npmjs.com/package/@grafana/schema/v/10.0.0
    assert.equal(dashboard.schemaVersion, 36);
    assert.deepEqual(
      dashboard.templating.list.map(({ name, type, query }) => [name, type, query]),
      [['datasource', 'datasource', 'prometheus']],
    );
    for (const { targets = [] } of panels) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is Grafana's way to name the variable
      for (const { datasource } of targets) assert.deepEqual(datasource, { type: 'prometheus', uid: '${datasource}' });
    }
  });

  test('has panels of unique ids and titles, side by side', () => {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      assert.ok(gridPos.x + gridPos.w <= gridWidth, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.equal(taken.get(`${x},${y}`), undefined, `${title} lies on another panel`);
          taken.set(`${x},${y}`, title);
        }
      }
    }
  });

  for (const { title, type, targets = [] } of panels) {
    if (type === 'row') continue;
    test(`${title} asks for what is exported`, () => {
      assert.ok(targets.length > 0);
      for (const target of targets) {
        const legend = Array.from(target.legendFormat.matchAll(/\{\{(\w+)\}\}/g), ([, label = '']) => label);
        assert.deepEqual(notExported(all, readQuery(queryOf(target, 15)), legend), []);
      }
    });
  }

  test('has every metric of ours that an alert or a reader needs', () => {
    const asked = panels.flatMap(({ targets = [] }) => targets.flatMap(target => readQuery(target.expr).selectors));
    const shown = new Set(asked.map(({ metric }) => metric.replace(/_bucket$/, '')));
    const ours = [...all.keys()].filter(
      name => name.startsWith('carm_webhook_') && !/_(?:bucket|sum|count)$/.test(name),
    );
    assert.deepEqual(
      new Set(ours.filter(name => !shown.has(name))),
      new Set([
        'carm_webhook_dry_run_reviews_total',
        'carm_webhook_certificate_not_before_timestamp_seconds',
        'carm_webhook_certificate_errors_total',
        'carm_webhook_watch_synced',
        'carm_webhook_role_verification_last_round_timestamp_seconds',
        'carm_webhook_role_verification_replicas',
        'carm_webhook_namespace_events_total',
      ]),
    );
  });

  test('is the one in the picture of docs/operations.md (to draw it: UPDATE_SNAPSHOTS=1 node --test test/e2e/prometheus.e2e.ts)', () => {
    const drawn = Array.from(
      readFileSync(pictureFile, 'utf8').matchAll(/<text class="t"[^>]*>([^<]*)</g),
      ([, title]) => title,
    );
    assert.deepEqual(
      drawn,
      panels.map(({ title }) => title),
    );
  });
});
