import { softeningsOf } from './catalogue/denials.ts';
import type { DenialReason, Reason } from './catalogue/reasons.ts';
import { endpoints, type Outcome, type ReviewRecord } from './record.ts';
import type { Rule } from './rule.ts';
import { notApplicable, rules } from './rules.ts';

export type ReviewSeries = Pick<ReviewRecord, 'webhook' | 'endpoint' | 'operation' | 'outcome' | 'reason'>;

/** A denial in each mode, except for one that no mode softens. */
function outcomesOf(reason: DenialReason): readonly Outcome[] {
  return softeningsOf(reason).some(softening => softening !== 'nothing') ? ['denied', 'warned', 'audited'] : ['denied'];
}

function* results({ reasons, advisory = false }: Rule): Generator<[Reason, readonly Outcome[]]> {
  for (const reason of reasons.allow) yield [reason, ['allowed']];
  for (const reason of reasons.mutate) yield [reason, ['mutated']];
  for (const reason of reasons.deny) yield [reason, outcomesOf(reason)];
  for (const reason of reasons.soften ?? []) yield [reason, ['warned', 'audited']];
  yield ['ObjectTooLarge', [advisory ? 'warned' : 'denied']];
  // The answer where an object is too large, and being deleted.
  yield ['Terminating', ['allowed']];
  yield ['Unverified', advisory ? ['error', 'warned'] : ['error']];
  yield ['InternalError', ['error', 'warned', 'audited']];
  yield ['InvalidReview', ['error']];
}

function* allSeries(): Generator<ReviewSeries> {
  const { webhook } = notApplicable;
  for (const endpoint of endpoints) {
    for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT']) {
      yield { webhook, endpoint, operation, outcome: 'allowed', reason: 'NotApplicable' };
    }
  }
  for (const rule of rules) {
    const operations = new Set(rule.matches.flatMap(match => match.operations));
    for (const [reason, outcomes] of results(rule)) {
      for (const outcome of outcomes) {
        for (const operation of operations) {
          const { webhook: entry, endpoint } = rule;
          yield { webhook: entry, endpoint, operation, outcome, reason };
        }
      }
    }
  }
}

/** Every series that can occur, each once, so that it is there at 0 before its first review. */
export function reviewSeries(): readonly ReviewSeries[] {
  const series = Array.from(allSeries(), each => [Object.values(each).join(' '), each] as const);
  return [...new Map(series).values()];
}
