import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grammarErrors, type PolicyKind } from './policy-grammar.ts';

const role = 'arn:aws:iam::111111111111:role/hub';
const trust = { Effect: 'Allow', Principal: { AWS: role }, Action: 'sts:AssumeRole' };
const permission = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: role };

/** Each is a policy that IAM refuses, and that an emulator of AWS may take. */
const wrong: readonly (readonly [string, PolicyKind, object])[] = [
  ['an unknown element', 'trust', { ...trust, Principle: {} }],
  ['an action without its service', 'trust', { ...trust, Action: 'AssumeRole' }],
  ['an empty list', 'trust', { ...trust, Action: [] }],
  ['a value twice', 'trust', { ...trust, Principal: { AWS: [role, role] } }],
  ['a principal that is no ARN', 'trust', { ...trust, Principal: { AWS: '*' } }],
  ['an unknown operator', 'trust', { ...trust, Condition: { StringEqual: { 'sts:ExternalId': 'x' } } }],
  ['an unknown condition key', 'trust', { ...trust, Condition: { StringEquals: { externalId: 'x' } } }],
  [
    'a wildcard where none works',
    'trust',
    { ...trust, Condition: { StringEquals: { 'keys.example.com:sub': 'a:*' } } },
  ],
  ['a wildcard in the middle', 'trust', { ...trust, Condition: { StringLike: { 'keys.example.com:sub': 'a:*:b' } } }],
  ['a resource in a trust policy', 'trust', { ...trust, Resource: '*' }],
  ['a principal in a permission policy', 'permission', { ...permission, Principal: { AWS: role } }],
  ['a permission policy without resource', 'permission', { Effect: 'Allow', Action: 'sts:AssumeRole' }],
  ['a resource that is no ARN', 'permission', { ...permission, Resource: 'hub' }],
];

test('our validator of the grammar takes what is right', () => {
  assert.deepEqual(grammarErrors({ Version: '2012-10-17', Statement: [trust] }, 'trust'), []);
  assert.deepEqual(grammarErrors({ Version: '2012-10-17', Statement: [permission] }, 'permission'), []);
});

for (const [name, kind, statement] of wrong) {
  test(`and finds ${name}`, () => {
    assert.notDeepEqual(grammarErrors({ Version: '2012-10-17', Statement: [statement] }, kind), []);
  });
}

test('and finds another version, and no statement', () => {
  assert.deepEqual(grammarErrors({ Version: '2008-10-17', Statement: [trust] }, 'trust'), ['Version']);
  assert.deepEqual(grammarErrors({ Version: '2012-10-17', Statement: [] }, 'trust'), ['Statement']);
});
