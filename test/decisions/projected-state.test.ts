import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ReviewSeries, reviewSeries } from '../../src/admission/review-series.ts';
import type { Rule } from '../../src/admission/rule.ts';
import { notApplicable, ruleFor, rules } from '../../src/admission/rules.ts';
import { answeredRow } from './answered-row.ts';
import { checkRow } from './check-row.ts';
import { readRequestBytes } from './review.ts';
import { table } from './table.ts';

const seriesOf = ({ webhook, endpoint, operation, outcome, reason }: ReviewSeries): string =>
  `${webhook} ${endpoint} ${operation} ${outcome} ${reason}`;
const knownSeries = new Set(reviewSeries().map(seriesOf));

/** Reasons that any rule can give, by no decision of its own. */
const ofAnyRule = /: (?:deny (?:ObjectTooLarge|InvalidReview|Unverified|InternalError)|allow Terminating)$/;

function nameOf({ webhook, endpoint, matches: [match] }: Rule): string {
  return `${webhook} /${endpoint} ${match?.resource}/${match?.subResource ?? ''}`;
}

/** A folder is read through the projections of the watch, so what the cache leaves out is missed here. */
describe('every row of the table by what the cache takes of the cluster, in this process', () => {
  const given = new Set<string>();
  for (const [subject, rows] of Object.entries(table)) {
    describe(subject, () => {
      for (const row of rows) {
        test(row.proves, async () => {
          const { response, record } = await answeredRow(row);
          checkRow(row, response);
          const { outcome, reason } = record;
          assert.equal(outcome, row.outcome);
          const series = seriesOf(record);
          assert.ok(knownSeries.has(series), `the metrics foresee no series ${series}`);
          const rule = ruleFor(row.endpoint ?? 'mutate', await readRequestBytes(row.review));
          given.add(`${nameOf(rule)}: ${response.auditAnnotations?.['decision']} ${reason}`);
        });
      }
    });
  }

  test('together they reach each reason that a rule declares, and no other', () => {
    const declared = rules.flatMap(rule => {
      const { allow, mutate, deny, soften = [] } = rule.reasons;
      const byVerdict = { allow, mutate, deny: new Set([...deny, ...soften]) };
      return Object.entries(byVerdict).flatMap(([verdict, reasons]) =>
        Array.from<string, string>(reasons, reason => `${nameOf(rule)}: ${verdict} ${reason}`),
      );
    });
    assert.deepEqual(
      declared.filter(each => !given.has(each)),
      [],
      'declared, and reached by no row',
    );
    const known = new Set([...declared, `${nameOf(notApplicable)}: allow NotApplicable`]);
    assert.deepEqual(
      [...given].filter(each => !known.has(each) && !ofAnyRule.test(each)),
      [],
      'given, and not declared',
    );
  });
});
