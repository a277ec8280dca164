import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isAccountId } from '../../src/accounts/account-id.ts';
import { partitions } from '../../src/accounts/partition.ts';
import { isRoleName, parseRoleArn, roleArnOf } from '../../src/accounts/role-arn.ts';
import { anyCharacter } from '../any-character.ts';
import { cpuTimeMs } from '../cpu-time.ts';

const id = '111111111111';

describe('a role ARN', () => {
  test('every partition of AWS is known', () => {
    const all = ['aws', 'aws-cn', 'aws-us-gov', 'aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f', 'aws-eusc'];
    assert.deepEqual([...partitions].sort(), all.sort());
    for (const partition of all) {
      const text = `arn:${partition}:iam::${id}:role/r`;
      assert.deepEqual(parseRoleArn(text), { text, partition, accountId: id, name: 'r' });
    }
  });

  test('a path belongs to the name', () => {
    assert.equal(parseRoleArn(`arn:aws:iam::${id}:role/a/b/c`)?.name, 'a/b/c');
  });

  test('leading zeros of the account stay', () => {
    assert.equal(parseRoleArn('arn:aws:iam::000000000001:role/r')?.accountId, '000000000001');
  });

  test('a name has at most 64 characters', () => {
    assert.ok(parseRoleArn(`arn:aws:iam::${id}:role/${'n'.repeat(64)}`));
    assert.equal(parseRoleArn(`arn:aws:iam::${id}:role/${'n'.repeat(65)}`), undefined);
  });

  test('at most 2,048 characters are taken, and much longer ones are refused quickly', () => {
    const startedMs = cpuTimeMs();
    assert.equal(parseRoleArn(`arn:aws:iam::${id}:role/${'p/'.repeat(1100)}n`), undefined);
    assert.equal(parseRoleArn(`arn:aws:iam::${id}:role/${'p'.repeat(2_000_000)}`), undefined);
    assert.equal(isRoleName(`${'a/'.repeat(1_000_000)}!`), false);
    assert.ok(cpuTimeMs() - startedMs < 1_000);
  });

  const garbage = [
    '',
    'r',
    'arn',
    'arn:aws:iam',
    `arn:aws:iam::${id}:role/`,
    `arn:aws:iam::${id}:role`,
    `arn:aws:iam::${id}:role//r`,
    `arn:aws:iam::${id}:role/a//r`,
    `arn:aws:iam::${id}:role/a/`,
    `arn:aws:iam::${id}:user/r`,
    `arn:aws:iam::${id}:Role/r`,
    `arn:aws:sts::${id}:assumed-role/r/s`,
    `arn:aws:iam:us-east-1:${id}:role/r`,
    'arn:aws:iam::11111111111:role/r',
    'arn:aws:iam::1111111111111:role/r',
    'arn:aws:iam::aws:role/r',
    'arn:aws:iam::１１１１１１１１１１１１:role/r',
    `arn:aws-moon:iam::${id}:role/r`,
    `arn:constructor:iam::${id}:role/r`,
    `arn:__proto__:iam::${id}:role/r`,
    `ARN:aws:iam::${id}:role/r`,
    ` arn:aws:iam::${id}:role/r`,
    `arn:aws:iam::${id}:role/r `,
    `arn:aws:iam::${id}:role/r\n`,
    `arn:aws:iam::${id}:role/a\nb`,
    `arn:aws:iam::${id}:role/$(X)`,
    `arn:aws:iam::${id}:role/a b`,
    `arn:aws:iam::${id}:role/é`,
    `arn:aws:iam::${id}:role/a:b`,
    `arn:aws:iam::${id}:role/*`,
    `xarn:aws:iam::${id}:role/r`,
  ];
  for (const text of garbage) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseRoleArn(text), undefined));
  }

  test('what is parsed is what was written, of the account and partition that stand in it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...partitions, 'aws-x', ''),
        fc.stringMatching(/^[0-9]{11,13}$/),
        fc.oneof(fc.stringMatching(/^[\w+=,.@/-]{1,80}$/), fc.string({ unit: anyCharacter, maxLength: 8 })),
        (partition, account, name) => {
          const text = `arn:${partition}:iam::${account}:role/${name}`;
          const role = parseRoleArn(text);
          if (role === undefined) return;
          assert.equal(role.text, text);
          assert.equal(text.split(':')[1], role.partition);
          assert.equal(text.split(':')[4], role.accountId);
          assert.match(text, /^[\w+=,.@/:-]+$/);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('a bare role name', () => {
  for (const name of ['s3-reader', 'team/s3-reader', 'a/b/c', 'A+=,.@-_9', 'role', '__proto__']) {
    test(`${name} is one`, () => assert.ok(isRoleName(name)));
  }
  for (const name of ['', '/', '/r', 'r/', 'a//b', 'a b', 'a\nb', 'a:b', 'arn:aws:iam', '$(x)', 'é', 'n'.repeat(65)]) {
    test(`${JSON.stringify(name)} is none`, () => assert.ok(!isRoleName(name)));
  }

  test('makes an ARN that parses, in every partition', () => {
    const account = '000000000012';
    assert.ok(isAccountId(account));
    for (const partition of partitions) {
      assert.equal(roleArnOf(partition, account, 'team/r').text, `arn:${partition}:iam::000000000012:role/team/r`);
    }
    assert.throws(() => roleArnOf('aws', account, 'a b'), TypeError);
  });
});
