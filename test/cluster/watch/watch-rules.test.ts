/** The small rules that the loop goes by. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ApiError, ClusterUnreachableError } from '../../../src/cluster/api/api-errors.ts';
import { isOlderVersion } from '../../../src/cluster/api/api-object.ts';
import { Backoff } from '../../../src/cluster/watch/backoff.ts';
import { restartCauseOf, SilenceError } from '../../../src/cluster/watch/restart-cause.ts';
import { watchTimings } from '../../../src/cluster/watch/watch-timings.ts';

describe('waiting', () => {
  test('property: every wait is within its ceiling, however many there are, and never nothing', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 0, max: 2000 }),
        (draw, n) => {
          const backoff = new Backoff({ random: () => draw });
          let waitMs = 0;
          for (let i = 0; i <= n; i += 1) waitMs = backoff.next();
          const ceilingMs = Math.min(10_000, 200 * 2 ** n);
          assert.ok(waitMs >= ceilingMs / 2 && waitMs <= ceilingMs);
          backoff.reset();
          assert.ok(backoff.next() <= 200);
        },
      ),
    );
  });

  test("the server's wish is never undercut", () => {
    for (const draw of [0, 0.5, 0.999]) {
      const waitMs = new Backoff({ random: () => draw }).next(5000);
      assert.ok(waitMs >= 5000 && waitMs <= 5100);
    }
  });
});

describe('timings', () => {
  test('with 90 s, as long as the API allows', () => {
    assert.deepEqual(watchTimings(90_000), { inactivityMs: 75_000, watchSeconds: { min: 300, max: 600 } });
  });

  test('property: a bookmark, or a list in its place, comes before what is known is stale', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4000, max: 3_600_000 }), maxStalenessMs => {
        const { inactivityMs, watchSeconds } = watchTimings(maxStalenessMs);
        assert.ok(inactivityMs < maxStalenessMs);
        // kube-apiserver: about a minute, and 2 s before the end, of a watch of at least 3 s.
        assert.ok(Math.min(62_000, watchSeconds.max * 1000 - 2000) < inactivityMs);
        assert.ok(watchSeconds.min >= 3 && watchSeconds.min <= watchSeconds.max);
      }),
    );
  });
});

test('versions are only compared where both are numbers', () => {
  for (const [version, than, expected] of [
    ['9', '10', true],
    ['10', '9', false],
    ['10', '10', false],
    ['99999999999999999999998', '99999999999999999999999', true],
    ['', '10', false],
    ['x', '10', false],
    ['9', '0x10', false],
    ['09', '10', false],
  ] as const) {
    assert.equal(isOlderVersion(version, than), expected, `${version} ${than}`);
  }
});

test('causes', () => {
  assert.equal(restartCauseOf(new SilenceError('the watch', 1)), 'silence');
  assert.equal(restartCauseOf(new ClusterUnreachableError('x')), 'disconnect');
  assert.equal(restartCauseOf(new ApiError(410, '', '')), 'gone');
  assert.equal(restartCauseOf(new ApiError(500, 'Expired', '')), 'gone');
  assert.equal(restartCauseOf(new ApiError(429, '', '')), 'throttled');
  assert.equal(restartCauseOf(new ApiError(401, '', '')), 'unauthorized');
  assert.equal(restartCauseOf(new ApiError(403, '', '')), 'error');
  assert.equal(restartCauseOf(new TypeError('x')), 'error');
});
