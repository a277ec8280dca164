import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type PathRelation, placeOf, segmentsOf } from '../../src/injection/path-relation.ts';
import { cpuTimeMs } from '../cpu-time.ts';

const target = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const segmentsOfTarget = segmentsOf(target);

const relation = (path: string, windows: boolean) => placeOf(path, segmentsOfTarget, windows).relation;

/** The same by node:path, which is slower. */
function byNormalForm(path: string): PathRelation {
  const normal = posix.normalize(`/${path}`).replace(/(?<=.)\/$/, '');
  if (normal === target) return 'same';
  if (normal.startsWith(`${target}/`)) return 'below';
  return normal === '/' || target.startsWith(`${normal}/`) ? 'above' : 'apart';
}

describe('where a path lies', () => {
  test('tells how deep it is, where it is above', () => {
    const depths = ['/', '/var', '//var/run/', '/var/run/x/../secrets', target].map(path =>
      placeOf(path, segmentsOfTarget, false),
    );
    assert.deepEqual(
      depths.map(({ shared }) => shared),
      [0, 1, 2, 3, 5],
    );
  });

  test('is what its normal form says', () => {
    const segment = fc.constantFrom('.', '..', '', ...target.split('/'), 'x', 'va', 'varr');
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 14 }), fc.boolean(), (segments, rooted) => {
        const path = `${rooted ? '/' : ''}${segments.join('/')}`;
        assert.equal(relation(path, false), byNormalForm(path));
      }),
      { numRuns: 3000 },
    );
  });

  test('is the same on Windows for every spelling', () => {
    const segments = fc.array(fc.constantFrom('.', '..', ...target.split('/'), 'x'), { maxLength: 10 });
    const spellings = fc.array(fc.constantFrom('/', '\\'), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(
        segments,
        spellings,
        fc.boolean(),
        fc.constantFrom('', 'C:', 'c:'),
        (parts, slashes, upper, drive) => {
          const path = parts.map((part, index) => `${slashes[index]}${part}`).join('');
          const spelt = `${drive}${upper ? path.toUpperCase() : path}`;
          assert.equal(relation(spelt, true), byNormalForm(path.replaceAll('\\', '/')));
        },
      ),
    );
  });

  test('is found in time, however long the path is', () => {
    const long = [
      `/${'a/'.repeat(1_000_000)}`,
      `/${'b/../'.repeat(600_000)}`,
      '/'.repeat(3_000_000),
      `${target}${'/.'.repeat(1e6)}`,
    ];
    for (const path of long) {
      const startedAt = cpuTimeMs();
      relation(path, false);
      const tookMs = cpuTimeMs() - startedAt;
      assert.ok(tookMs < 500, `${path.slice(0, 8)}: ${Math.round(tookMs)} ms`);
    }
  });
});
