import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { configFlags } from '../../src/cli/flags/config-flags.ts';
import { answeredRow } from './answered-row.ts';
import { checkRow } from './check-row.ts';
import { flagSets, servedFlagSets } from './flag-sets.ts';
import { reviewBody } from './review.ts';
import type { Row } from './row.ts';
import { ServedBundle } from './served-bundle.ts';
import { writeState } from './state.ts';
import { rows, table } from './table.ts';

/** The sum of `carm_webhook_reviews_total` by endpoint, outcome and reason; of dry runs by endpoint and outcome. */
function countReviews(metrics: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    const [, dryRun = '', labels = '', value] =
      /^carm_webhook_(dry_run_)?reviews_total\{(.*)\} (\d+)$/.exec(line) ?? [];
    if (labels === '' || value === '0') continue;
    const [endpoint, outcome, reason = ''] = ['endpoint', 'outcome', 'reason'].map(
      label => new RegExp(`\\b${label}="(\\w+)"`).exec(labels)?.[1],
    );
    const key = `${dryRun}${endpoint} ${outcome} ${reason}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(value));
  }
  return counts;
}

function expectedCounts(asked: readonly Row[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { endpoint = 'mutate', outcome, reason, review } of asked) {
    const key = review.dryRun ? `dry_run_${endpoint} ${outcome} ` : `${endpoint} ${outcome} ${reason}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

test('the table has at least 120 decisions, each of which proves a sentence of its own', () => {
  assert.ok(rows.length >= 120, `${rows.length} rows`);
  const sentences = rows.map(({ proves }) => proves);
  assert.deepEqual(
    sentences.filter((sentence, index) => sentences.indexOf(sentence) !== index),
    [],
  );
});

describe('without a server, by the rules that the flags make', () => {
  for (const row of rows) {
    if (servedFlagSets.includes(row.server ?? 'plain')) continue;
    test(row.proves, async () => {
      const { response, record } = await answeredRow(row);
      checkRow(row, response);
      assert.equal(record.outcome, row.outcome);
    });
  }
});

test('the built server takes every flag that changes a decision', () => {
  const taken = new Set(servedFlagSets.flatMap(server => flagSets[server].map(flag => flag.split('=')[0])));
  const missing = Object.values(configFlags).filter(({ name }) => !taken.has(`--${name}`));
  assert.deepEqual(missing, []);
});

for (const server of servedFlagSets) {
  const flags: readonly string[] = flagSets[server];
  describe(`the built server ${flags.join(' ') || 'without flags'}`, () => {
    let state: Awaited<ReturnType<typeof writeState>>;
    let bundle: ServedBundle;
    const asked: Row[] = [];
    before(async () => {
      state = await writeState();
      bundle = await ServedBundle.start(state.folder, flags);
    });
    after(async () => {
      await bundle?.stop();
      await state?.remove();
    });
    for (const [subject, ofSubject] of Object.entries(table)) {
      const here = ofSubject.filter(row => (row.server ?? 'plain') === server);
      if (here.length === 0) continue;
      describe(subject, () => {
        for (const row of here) {
          test(row.proves, async () => {
            const body = reviewBody(row.review);
            asked.push(row);
            const response = await bundle.review(row.endpoint ?? 'mutate', body);
            assert.equal(response.uid, (body['request'] as { uid: string }).uid);
            checkRow(row, response);
          });
        }
      });
    }
    test('the metrics count each of these decisions once', async () => {
      assert.deepEqual(
        new Map([...countReviews(await bundle.metrics())].sort()),
        new Map([...expectedCounts(asked)].sort()),
      );
    });
    test('SIGTERM ends it with exit code 0', async () => {
      assert.equal(await bundle.stop(), 0);
    });
  });
}
