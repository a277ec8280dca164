import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AwsVariables } from '../../src/objects/aws-variables.ts';

const read = (...names: readonly string[]) =>
  AwsVariables.read(
    names.map(name => ({ name, value: 'x' })),
    '/spec/containers/0',
  );

test('a variable follows another one where it is the next entry', () => {
  assert.ok(read('AWS_A', 'AWS_B').follows('AWS_B', 'AWS_A', false));
  assert.ok(!read('AWS_B', 'AWS_A').follows('AWS_B', 'AWS_A', false));
  assert.ok(!read('AWS_A', 'X', 'AWS_B').follows('AWS_B', 'AWS_A', false));
  assert.ok(!read('AWS_A').follows('AWS_B', 'AWS_A', false));
  assert.ok(!read('aws_a', 'AWS_B').follows('AWS_B', 'AWS_A', false));
  assert.ok(read('aws_a', 'AWS_B').follows('AWS_B', 'AWS_A', true));
  // kubelet lets the last one win.
  assert.ok(!read('AWS_A', 'AWS_B', 'AWS_A').follows('AWS_B', 'AWS_A', false));
});

test('a variable comes after another one wherever it stands behind it', () => {
  assert.ok(read('AWS_A', 'X', 'AWS_B').comesAfter('AWS_B', 'AWS_A', false));
  assert.ok(!read('AWS_B', 'AWS_A').comesAfter('AWS_B', 'AWS_A', false));
  assert.ok(!read('AWS_B').comesAfter('AWS_B', 'AWS_A', false));
});
