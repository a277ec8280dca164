import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readSkipList, unknownSkipNames } from '../../src/injection/skip-list.ts';
import { mountState, tokenMountPath, tokenVolumeName } from '../../src/injection/token-volume.ts';
import { readPod } from '../../src/objects/pod.ts';

/** A pod as large as a request may be must not hold up the reviews of the others. */
const limitMs = 1_000;

function within<T>(run: () => T): T {
  const startedAt = performance.now();
  const result = run();
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < limitMs, `${Math.round(tookMs)} ms`);
  return result;
}

function stateOf(mountPath: string): string {
  const pod = readPod({ spec: { containers: [{ name: 'a', volumeMounts: [{ name: 'v', mountPath }] }] } });
  const [container] = pod.containers;
  assert.ok(container !== undefined);
  return mountState(container, false).kind;
}

describe('paths of mounts', () => {
  test('are normalised in time, however long they are', () => {
    const long = `/${'a/'.repeat(100_000)}${'b/../'.repeat(100_000)}`;
    assert.equal(
      within(() => stateOf(long)),
      'absent',
    );
  });

  test('conflict as their normal form says', () => {
    const segment = fc.constantFrom('.', '..', '', ...tokenMountPath.split('/'), 'x');
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 12 }), segments => {
        const path = `/${segments.join('/')}`;
        const normal = posix.normalize(path).replace(/(?<=.)\/$/, '');
        const below = normal === tokenMountPath || normal.startsWith(`${tokenMountPath}/`);
        assert.equal(stateOf(path), below ? 'conflict' : 'absent');
      }),
      { numRuns: 500 },
    );
    assert.equal(tokenVolumeName, 'aws-iam-token');
  });
});

test('the names of a skip list are looked up in time, however many they are', () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `n${index}`);
  const containers = Array.from({ length: 20_000 }, (_, index) => ({ name: `c${index}` }));
  const pod = readPod({ spec: { containers } });
  const annotations = new Map([['eks.amazonaws.com/skip-containers', names.join(',')]]);
  assert.equal(within(() => unknownSkipNames(readSkipList(annotations), pod.containers)).length, names.length);
});
