import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAdmit } from '../../src/admission/admit.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import { podWithEnv, workload } from '../decisions/manifests.ts';
import { type ReviewOptions, readRequest } from '../decisions/review.ts';
import { FakeCluster, good, inMode } from './fake-cluster.ts';

const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const valued = podWithEnv([{ name: 'AWS_ROLE_ARN', value: secret }]);
const expanded = podWithEnv([{ name: 'AWS_ROLE_ARN', value: `$(X)${secret}` }]);

/** What a user put into AWS_ROLE_ARN by mistake: he is shown it, the log never holds it. */
describe('a message for the log holds no value of an environment variable', () => {
  const reviews: readonly (readonly [string, ReviewOptions, 'mutate' | 'validate'])[] = [
    ['a value that is no role', { object: valued }, 'mutate'],
    ['at /validate', { object: valued }, 'validate'],
    ['a value with a reference', { object: expanded }, 'mutate'],
    ['in a workload', { kind: 'Deployment', ...workload('Deployment', valued) }, 'validate'],
  ];
  for (const [what, review, endpoint] of reviews) {
    for (const mode of ['enforce', 'warn', 'audit']) {
      test(`${what}, mode ${mode}`, async () => {
        const state = inMode(mode, good);
        const cluster = new FakeCluster(state, state);
        const { record } = await createAdmit(cluster, defaultConfig)(endpoint, readRequest(review), 5_000);
        assert.match(record.reason, /^Role(?:OutsideAccount|NotVerifiable)$/);
        assert.ok(record.message?.includes(secret));
        assert.ok(!JSON.stringify({ ...record, message: undefined }).includes(secret));
        assert.match(record.loggedMessage ?? '', /sets AWS_ROLE_ARN to "\(not logged\)"/);
      });
    }
  }
});
