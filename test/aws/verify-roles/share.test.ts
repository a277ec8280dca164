import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hashText, Share } from '../../../src/aws/verify-roles/share.ts';
import { propertyRuns } from '../../property-runs.ts';

const replicaNames = fc.uniqueArray(fc.stringMatching(/^carm-webhook-[a-z0-9]{5}$/), { minLength: 1, maxLength: 6 });
const hashes = Array.from({ length: 500 }, (_, index) => hashText(`arn:aws:iam::${100_000_000_000 + index}:role/pods`));

describe('how replicas share roles', () => {
  test('whatever order each replica knows the others in, they agree on one owner for each role', () => {
    const holds = fc.property(replicaNames, fc.integer({ min: 0, max: 5 }), (names, turn) => {
      const shares = [new Share(names), new Share([...names.slice(turn), ...names.slice(0, turn), ...names])];
      for (const hash of hashes) {
        const [owner, again] = shares.map(share => share.ownerOf(hash));
        assert.ok(owner !== undefined && names.includes(owner));
        assert.equal(owner, again);
      }
    });
    fc.assert(holds, { numRuns: propertyRuns(30) });
  });

  test('one that joins takes roles only for itself, and about its share of them', () => {
    const holds = fc.property(replicaNames, names => {
      const [before, after] = [new Share(names), new Share([...names, 'newcomer'])];
      const moved = hashes.filter(hash => before.ownerOf(hash) !== after.ownerOf(hash));
      assert.ok(moved.every(hash => after.ownerOf(hash) === 'newcomer'));
      const fair = hashes.length / (names.length + 1);
      assert.ok(moved.length > fair * 0.5 && moved.length < fair * 1.6, `${moved.length} of ${fair}`);
    });
    fc.assert(holds, { numRuns: propertyRuns(30) });
  });
});
