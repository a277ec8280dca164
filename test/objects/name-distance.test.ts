import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { apart, apartInOwn, plain, withoutFiller } from '../../src/objects/name-distance.ts';

describe('how far a written name is from a known one', () => {
  for (const [written, known, distance] of [
    ['role-arn', 'role-arn', 0],
    ['role-arm', 'role-arn', 1],
    ['owner-account-id', 'owner-account', 3],
    ['default-aws-region', 'default-region', 3],
    ['hub-role-arn', 'role-arn', undefined],
    ['compute-type', 'role-arn', undefined],
  ] as const) {
    test(`${written} and ${known}`, () => assert.equal(apart(written, known), distance));
  }
});

test('under our own prefix a known name with more behind it is near, if that is no word of its own', () => {
  assert.equal(apartInOwn('injection', 'inject'), 3);
  assert.equal(apartInOwn('inject-later', 'inject'), undefined);
});

test('capitals, underscores and dots are slips that no letter counts, and some words say what everyone knows', () => {
  assert.equal(plain('Owner.Account_ID'), 'owner-account-id');
  assert.equal(withoutFiller('aws-region'), 'region');
  assert.equal(withoutFiller('iam-role-arn'), 'role-arn');
});
