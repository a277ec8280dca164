import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { roleArnAnnotationPatch } from '../../src/injection/role-annotation.ts';
import type { PodAnnotation } from '../../src/objects/keys.ts';
import { readPod } from '../../src/objects/pod.ts';

const key = 'carm-webhook.dev/role-arn';
const path = '/metadata/annotations/carm-webhook.dev~1role-arn';
const patch = (metadata: unknown, roleArn: string, given = true) =>
  roleArnAnnotationPatch(readPod({ metadata }), { taken: roleArn === '' ? [] : [roleArn], given });

describe('the annotation that names the role', () => {
  test('is written where there is no metadata, no annotations, another annotation, another role', () => {
    assert.deepEqual(patch(undefined, 'r'), [{ op: 'add', path: '/metadata', value: { annotations: { [key]: 'r' } } }]);
    assert.deepEqual(patch({}, 'r'), [{ op: 'add', path: '/metadata/annotations', value: { [key]: 'r' } }]);
    assert.deepEqual(patch({ annotations: { a: 'b' } }, 'r'), [{ op: 'add', path, value: 'r' }]);
    assert.deepEqual(patch({ annotations: { [key]: 'old' } }, 'r'), [{ op: 'add', path, value: 'r' }]);
  });
  test('is left as it is where it is right', () => assert.deepEqual(patch({ annotations: { [key]: 'r' } }, 'r'), []));
  test('is emptied where nobody has a role, and not added for that', () => {
    assert.deepEqual(patch({ annotations: { [key]: 'old' } }, '', false), [{ op: 'add', path, value: '' }]);
    assert.deepEqual(patch({ annotations: { [key]: '' } }, '', false), []);
    assert.deepEqual(patch({}, '', false), []);
    assert.deepEqual(patch(undefined, '', false), []);
  });
  test('is corrected where nothing is given, and not added for that', () => {
    assert.deepEqual(patch({ annotations: { [key]: 'old' } }, 'r', false), [{ op: 'add', path, value: 'r' }]);
    assert.deepEqual(patch({ annotations: { [key]: '' } }, 'r', false), [{ op: 'add', path, value: 'r' }]);
    assert.deepEqual(patch({ annotations: {} }, 'r', false), []);
    assert.deepEqual(patch(undefined, 'r', false), []);
  });
  test('is true where one of the containers has that role', () => {
    const pod = readPod({ metadata: { annotations: { [key]: 's' } } });
    assert.deepEqual(roleArnAnnotationPatch(pod, { taken: ['r', 's'], given: false }), []);
    assert.deepEqual(roleArnAnnotationPatch(pod, { taken: ['r', 's'], given: true }), [
      { op: 'add', path, value: 'r' },
    ]);
  });
  test('others are written beside it, each where it is not there yet', () => {
    const others = new Map<PodAnnotation, string>([
      ['b' as never, '2'],
      ['a~b/c' as never, '1'],
    ]);
    const added = (metadata: unknown) =>
      roleArnAnnotationPatch(readPod({ metadata }), { taken: ['r'], given: true }, others);
    const annotations = { [key]: 'r', b: '2', 'a~b/c': '1' };
    assert.deepEqual(added(undefined), [{ op: 'add', path: '/metadata', value: { annotations } }]);
    assert.deepEqual(added({}), [{ op: 'add', path: '/metadata/annotations', value: annotations }]);
    assert.deepEqual(added({ annotations: { b: '2' } }), [
      { op: 'add', path, value: 'r' },
      { op: 'add', path: '/metadata/annotations/a~0b~1c', value: '1' },
    ]);
    assert.deepEqual(added({ annotations }), []);
  });
});
