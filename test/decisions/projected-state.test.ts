import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { reviewSeries } from '../../src/admission/review-series.ts';
import { answeredRow } from './answered-row.ts';
import { checkRow } from './check-row.ts';
import { table } from './table.ts';

const knownSeries = new Set(
  reviewSeries().map(({ webhook, operation, outcome, reason }) => `${webhook} ${operation} ${outcome} ${reason}`),
);

/** A folder is read through the projections of the watch, so what the cache leaves out is missed here. */
describe('every row of the table by what the cache takes of the cluster, in this process', () => {
  for (const [subject, rows] of Object.entries(table)) {
    describe(subject, () => {
      for (const row of rows) {
        test(row.proves, async () => {
          const { response, record } = await answeredRow(row);
          checkRow(row, response);
          const { webhook, operation, outcome, reason } = record;
          assert.equal(outcome, row.outcome);
          const series = `${webhook} ${operation} ${outcome} ${reason}`;
          assert.ok(knownSeries.has(series), `the metrics foresee no series ${series}`);
        });
      }
    });
  }
});
