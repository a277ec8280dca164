import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createAdmit } from '../../../src/admission/admit.ts';
import { reasons, warnings } from '../../../src/admission/catalogue/reasons.ts';
import { UnverifiedError } from '../../../src/admission/cluster.ts';
import { defaultConfig } from '../../../src/admission/config.ts';
import type { ReviewRecord } from '../../../src/admission/record.ts';
import { reviewSeries } from '../../../src/admission/review-series.ts';
import { answeredRow } from '../../decisions/answered-row.ts';
import { pod } from '../../decisions/manifests.ts';
import { readRequest } from '../../decisions/review.ts';
import { rows } from '../../decisions/table.ts';
import { FakeCluster } from '../fake-cluster.ts';

const deadline = 5_000;

describe('the catalogue', () => {
  const records: ReviewRecord[] = [];
  before(async () => {
    for (const row of rows) records.push((await answeredRow(row)).record);
    // Troubles that no folder of manifests can have.
    for (const error of [new UnverifiedError(503, 'no answer'), new Error('broken')]) {
      const admit = createAdmit(new FakeCluster(undefined, error), defaultConfig);
      records.push((await admit('mutate', readRequest({ object: pod() }), deadline)).record);
    }
  });

  test('has a case for every reason', () => {
    const reached = new Set(records.map(({ reason }) => reason));
    assert.deepEqual(
      Object.keys(reasons).filter(reason => !reached.has(reason as keyof typeof reasons)),
      [],
    );
  });

  test('has a case for every warning', () => {
    const reached = new Set(records.flatMap(({ warnings: said }) => said));
    assert.deepEqual(
      Object.keys(warnings).filter(reason => !reached.has(reason as keyof typeof warnings)),
      [],
    );
  });

  test('foresees every series that occurs', () => {
    const known = new Set(
      reviewSeries().map(({ webhook, operation, outcome, reason }) => `${webhook} ${operation} ${outcome} ${reason}`),
    );
    const seen = records.map(
      ({ webhook, operation, outcome, reason }) => `${webhook} ${operation} ${outcome} ${reason}`,
    );
    assert.deepEqual(
      [...new Set(seen)].filter(series => !known.has(series)),
      [],
    );
  });

  test('names each reason in one word, once', () => {
    const names = [...Object.keys(reasons), ...Object.keys(warnings)];
    // For a pod a region that cannot be is a warning, for an ACK resource a refusal.
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      ['InvalidRegion'],
    );
    for (const name of names) assert.match(name, /^[A-Z][A-Za-z]+$/);
  });
});
