import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAdmit } from '../../../src/admission/admit.ts';
import { reasons } from '../../../src/admission/catalogue/reasons.ts';
import { warnings } from '../../../src/admission/catalogue/warnings.ts';
import { UnverifiedError } from '../../../src/admission/cluster.ts';
import { defaultConfig } from '../../../src/admission/config.ts';
import { pod } from '../../decisions/manifests.ts';
import { readRequest } from '../../decisions/review.ts';
import { rows } from '../../decisions/table.ts';
import { FakeCluster } from '../fake-cluster.ts';

/** Reasons of failures that no folder of manifests can have. */
const failures = { Unverified: new UnverifiedError(503, 'no answer'), InternalError: new Error('broken') };

describe('the catalogue', () => {
  for (const [reason, error] of Object.entries(failures)) {
    test(`has a case for ${reason}`, async () => {
      const admit = createAdmit(new FakeCluster(undefined, error), defaultConfig);
      assert.equal((await admit('mutate', readRequest({ object: pod() }), 5_000)).record.reason, reason);
    });
  }

  test('has a row for every other reason', () => {
    const reached = new Set<string>([...Object.keys(failures), ...rows.map(({ reason }) => reason)]);
    assert.deepEqual(
      Object.keys(reasons).filter(reason => !reached.has(reason)),
      [],
    );
  });

  test('has a row for every warning', () => {
    // By what a server with --verify-roles found: test/admission/provider-warning.test.ts. By a search that failed, which
    // none does in a folder of manifests: test/admission/guards/map-use.test.ts.
    const reached = new Set<string>([
      'RoleBroken',
      'MappingUseUnverified',
      ...rows.flatMap(({ warnings: said = [] }) => said),
    ]);
    assert.deepEqual(
      Object.keys(warnings).filter(reason => !reached.has(reason)),
      [],
    );
  });

  test('names each reason in one word, once', () => {
    const names = [...Object.keys(reasons), ...Object.keys(warnings)];
    // For a pod a region that cannot be is a warning, for an ACK resource a denial. So is a label's value, for a pod and a namespace.
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      ['InvalidRegion', 'InvalidLabel'],
    );
    for (const name of names) assert.match(name, /^[A-Z][A-Za-z]+$/);
  });
});
