import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type AccountId, isAccountId } from '../../src/accounts/account-id.ts';
import { checkBoundary, emptyRoles, namesRole } from '../../src/injection/boundary.ts';
import { readPod } from '../../src/objects/pod.ts';
import { anyCharacter } from '../any-character.ts';

function accountId(text: string): AccountId {
  if (!isAccountId(text)) throw new Error(`not an account id: ${text}`);
  return text;
}

const id = accountId('111111111111');
const mine = `arn:aws:iam::${id}:role/mine`;
const theirs = 'arn:aws:iam::222222222222:role/theirs';
const sources = new Set(['333333333333']);

type Entry = Readonly<Record<string, unknown>>;

function check(env: readonly Entry[], spec: Entry = {}): string | undefined {
  const pod = readPod({ spec: { containers: [{ name: 'first' }, { name: 'app', env }], ...spec } });
  return checkBoundary(pod, pod.containers, { accountId: id, partition: 'aws' }, sources)?.reason;
}
const role = (value: unknown, more = {}) => ({ name: 'AWS_ROLE_ARN', value, ...more });

describe('the boundary', () => {
  const table: readonly [string, readonly Entry[], string | undefined][] = [
    ['no role', [], undefined],
    ['a role of the account', [role(mine)], undefined],
    ['the same digits in another partition', [role(mine.replace('aws', 'aws-cn'))], 'RoleOutsideAccount'],
    ['a source account of another partition', [role('arn:aws-cn:iam::333333333333:role/hub')], undefined],
    ['a source account', [role('arn:aws:iam::333333333333:role/hub')], undefined],
    ['another account', [role(theirs)], 'RoleOutsideAccount'],
    ['the first of two', [role(theirs), role(mine)], 'RoleOutsideAccount'],
    ['the second of two', [role(mine), role(theirs)], 'RoleOutsideAccount'],
    ['empty', [role('')], undefined],
    ['absent value', [role(undefined)], undefined],
    ['no ARN', [role('mine')], 'RoleOutsideAccount'],
    ['a user', [role(`arn:aws:iam::${id}:user/x`)], 'RoleOutsideAccount'],
    ['a space behind', [role(`${mine} `)], 'RoleOutsideAccount'],
    ['a newline behind', [role(`${mine}\n`)], 'RoleOutsideAccount'],
    ['a reference', [role('$(ROLE)')], 'RoleNotVerifiable'],
    ['a reference in an ARN', [role(`arn:aws:iam::${id}:role/$(R)`)], 'RoleNotVerifiable'],
    ['an escaped reference', [role(`${mine}$$(X)`)], 'RoleNotVerifiable'],
    ['valueFrom', [role(undefined, { valueFrom: { secretKeyRef: { name: 'x', key: 'y' } } })], 'RoleNotVerifiable'],
    ['valueFrom beside a value', [role(mine, { valueFrom: {} })], 'RoleNotVerifiable'],
    ['valueFrom null', [role(mine, { valueFrom: null })], undefined],
    ['another case on Linux', [{ name: 'aws_role_arn', value: theirs }], undefined],
  ];
  for (const [what, env, expected] of table) test(`${what}: ${expected}`, () => assert.equal(check(env), expected));

  test("takes any partition where no map tells the account's", () => {
    const entry = [role(mine.replace('aws', 'aws-cn'))];
    const pod = readPod({ spec: { containers: [{ name: 'app', env: entry }] } });
    assert.equal(checkBoundary(pod, pod.containers, { accountId: id, partition: undefined }, sources), undefined);
  });

  test('compares names without case on Windows', () => {
    assert.equal(check([{ name: 'aws_role_arn', value: theirs }], { os: { name: 'windows' } }), 'RoleOutsideAccount');
  });

  test('holds init and ephemeral containers too', () => {
    for (const field of ['initContainers', 'ephemeralContainers']) {
      assert.equal(check([], { [field]: [{ name: 'x', env: [role(theirs)] }] }), 'RoleOutsideAccount');
    }
  });

  test('lets nothing pass but roles of these accounts and the empty text', () => {
    const value = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 60 }),
      fc
        .tuple(fc.stringMatching(/^[0-9]{11,13}$/), fc.string({ maxLength: 8 }))
        .map(([a, n]) => `arn:aws:iam::${a}:role/${n}`),
      fc.string({ maxLength: 8 }).map(name => `arn:aws:iam::${id}:role/${name}`),
    );
    fc.assert(
      fc.property(value, text => {
        if (check([role(text)]) !== undefined) return;
        assert.match(text, /^$|^arn:aws:iam::(?:111111111111|333333333333):role\/[\w+=,.@/-]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});

test('a pod that names no role has nothing to hold', () => {
  const pod = readPod({ spec: { containers: [{ name: 'a', env: [{ name: 'X' }] }] } });
  assert.equal(namesRole(pod, pod.containers), false);
});

test('containers whose last AWS_ROLE_ARN is empty are named', () => {
  const containers = [
    { name: 'none' },
    { name: 'empty', env: [role('')] },
    { name: 'absent', env: [role(undefined)] },
    { name: 'overridden', env: [role(''), role(mine)] },
    { name: 'overriding', env: [role(mine), role('')] },
    { name: 'elsewhere', env: [role(undefined, { valueFrom: {} })] },
  ];
  const pod = readPod({ spec: { containers } });
  assert.deepEqual(emptyRoles(pod, pod.containers), ['empty', 'absent', 'overriding']);
});
