import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { probablyMeant } from '../../src/injection/near-miss.ts';

describe('a near miss', () => {
  const misses = {
    'eks.amazon.com/role-arn': 'eks.amazonaws.com/role-arn',
    'eks.amazonaws.con/skip-containers': 'eks.amazonaws.com/skip-containers',
    'EKS.amazonaws.com/audience': 'eks.amazonaws.com/audience',
    'carm-webhook.de/role': 'carm-webhook.dev/role',
    'service.k8s.aws/owner-account-id': 'services.k8s.aws/owner-account-id',
    'services.k8.aws/default-region': 'services.k8s.aws/default-region',
  };
  for (const [key, meant] of Object.entries(misses)) {
    test(`${key} was probably meant to be ${meant}`, () => assert.equal(probablyMeant(key), meant));
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
    '__proto__/role',
    'constructor/role',
    `${'e'.repeat(100_000)}/role-arn`,
    'eks.amazon.com/role-arn/x',
  ];
  for (const key of others) {
    test(`${key.slice(0, 40)} is none`, () => assert.equal(probablyMeant(key), undefined));
  }
});
