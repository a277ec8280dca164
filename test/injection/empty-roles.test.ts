import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyRoles } from '../../src/injection/boundary.ts';
import { readPod } from '../../src/objects/pod.ts';

const empty = [{ name: 'AWS_ROLE_ARN', value: '' }];

function namesIn(spec: object): readonly string[] {
  const pod = readPod({ spec });
  return emptyRoles(pod, pod.containers);
}

test('an empty AWS_ROLE_ARN is found in every kind of container', () => {
  const spec = {
    initContainers: [{ name: 'init', env: empty }],
    containers: [{ name: 'app', env: [{ name: 'AWS_ROLE_ARN' }] }, { name: 'other' }],
    ephemeralContainers: [{ name: 'debug', env: empty }],
  };
  assert.deepEqual(namesIn(spec), ['init', 'app', 'debug']);
});

test('the last occurrence counts, as for kubelet', () => {
  const role = { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/a' };
  assert.deepEqual(namesIn({ containers: [{ name: 'app', env: [...empty, role] }] }), []);
  assert.deepEqual(namesIn({ containers: [{ name: 'app', env: [role, ...empty] }] }), ['app']);
});

test('a value from elsewhere is not empty', () => {
  const env = [{ name: 'AWS_ROLE_ARN', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }];
  assert.deepEqual(namesIn({ containers: [{ name: 'app', env }] }), []);
});
