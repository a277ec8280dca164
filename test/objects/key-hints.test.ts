import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { misspelledKeys, probablyMeant } from '../../src/objects/key-hints.ts';

describe('a misspelled key', () => {
  for (const [on, key, meant] of [
    ['ServiceAccount', 'eks.amazon.com/role-arn', 'eks.amazonaws.com/role-arn'],
    ['pod', 'eks.amazonaws.con/skip-containers', 'eks.amazonaws.com/skip-containers'],
    ['ServiceAccount', 'EKS.amazonaws.com/audience', 'eks.amazonaws.com/audience'],
    ['ServiceAccount', 'carm-webhook.de/role', 'carm-webhook.dev/role'],
    ['namespace', 'service.k8s.aws/owner-account-id', 'services.k8s.aws/owner-account-id'],
    ['namespace', 'services.k8.aws/default-region', 'services.k8s.aws/default-region'],
    ['pod', 'eks.amazon.com/role-arn', 'eks.amazonaws.com/role-arn on the ServiceAccount'],
    ['namespace', 'eks.amazon.com/token-expiration', 'eks.amazonaws.com/token-expiration on the pod'],
    ['namespace', 'services.k8s.aws/region', 'services.k8s.aws/default-region'],
    ['namespace', 'services.k8s.aws/deletion-policy', 'SERVICE.services.k8s.aws/deletion-policy'],
  ] as const) {
    test(`${key} on a ${on} was probably meant to be ${meant}`, () => assert.equal(probablyMeant(key, on), meant));
  }
  const others = [
    'role-arn',
    '/role-arn',
    'eks.amazonaws.com/role-arn',
    'eks.amazonaws.com/unknown',
    'eks.amazon.com/unknown',
    'iam.amazonaws.com/role',
    'example.com/role',
    'ecs.example.com/audience',
    'carm-webhook.de/role-arn',
    'kubernetes.i/config.mirror',
    'services.k8s.aws/region',
    '__proto__/role',
    'constructor/role',
    `${'e'.repeat(100_000)}/role-arn`,
    'eks.amazon.com/role-arn/x',
  ];
  for (const key of others) {
    test(`${key.slice(0, 40)} is none`, () => assert.equal(probablyMeant(key, 'pod'), undefined));
  }
});

test('an object is looked through for eight misspelled keys, and sixty-four that may be', () => {
  const keyed = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => [`${prefix}${index}/role-arn`, ''] as const);
  const eight = misspelledKeys(new Map(keyed(9, 'eks.amazonaws.co')), 'ServiceAccount');
  assert.deepEqual(
    eight.map(({ key }) => key),
    keyed(8, 'eks.amazonaws.co').map(([key]) => key),
  );
  const [others, one] = [keyed(64, 'example.com-'), keyed(1, 'eks.amazonaws.co')];
  assert.equal(misspelledKeys(new Map([...others.slice(1), ...one]), 'pod').length, 1);
  assert.equal(misspelledKeys(new Map([...others, ...one]), 'pod').length, 0);
});
