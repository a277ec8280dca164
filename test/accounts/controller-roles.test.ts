import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findControllerRole, type PlacedRoleMap } from '../../src/accounts/controller-roles.ts';
import { parseRoleArn, type RoleArn } from '../../src/accounts/role-arn.ts';

const id = '111111111111';
const arn = (name: string, account = id, partition = 'aws') => `arn:${partition}:iam::${account}:role/${name}`;

function role(text: string): RoleArn {
  const parsed = parseRoleArn(text);
  if (parsed === undefined) throw new Error(`not a role ARN: ${text}`);
  return parsed;
}

const placed = (entries: Readonly<Record<string, string>>, kind: PlacedRoleMap['kind'] = 'account') => ({
  kind,
  ackSystem: 'ack-system',
  map: new Map(Object.entries(entries)),
});

const find = (named: readonly string[], entries: Readonly<Record<string, string>>, ofPods?: string) =>
  findControllerRole(
    named.map(text => ({ role: role(text), at: text })),
    [placed(entries)],
    ofPods === undefined ? undefined : role(ofPods),
  )?.named.at;

describe('a role that is named is found under', () => {
  for (const key of [id, `s3.${id}`, '222222222222', 'team', 's3.team', 'podsx.team', '__proto__']) {
    test(`the key ${key}`, () => {
      assert.equal(find([arn('ack')], Object.fromEntries([[key, arn('ack')]])), arn('ack'));
    });
  }

  test('the key of pods it is not', () => {
    assert.equal(find([arn('ack')], { [`pods.${id}`]: arn('ack'), 'pods.team': arn('ack') }), undefined);
  });
});

describe('two ARNs are one role', () => {
  for (const [what, other] of [
    ['in another case', arn('ACK')],
    ['under a path', arn('team/ack')],
    ['under a path in another case', arn('Team/Ack')],
  ] as const) {
    test(what, () => {
      assert.equal(find([other], { [id]: arn('ack') }), other);
      assert.equal(find([arn('ack')], { [id]: other }), arn('ack'));
    });
  }

  for (const [what, other] of [
    ['in another account', arn('ack', '222222222222')],
    ['in another partition', arn('ack', id, 'aws-cn')],
    ['with a longer name', arn('ack-2')],
    ['with a name that ends alike', arn('x-ack')],
    ['named like its path', arn('ack/other')],
  ] as const) {
    test(`not ${what}`, () => assert.equal(find([other], { [id]: arn('ack') }), undefined));
  }
});

test('the role of the pods is spared, and no other', () => {
  const shared = { [id]: arn('both'), team: arn('ack') };
  assert.equal(find([arn('both')], shared, arn('both')), undefined);
  assert.equal(find([arn('both'), arn('ack')], shared, arn('both')), arn('ack'));
});

test('values that are no role ARN are passed over', () => {
  assert.equal(find([arn('ack')], { [id]: 'x/ack', team: ' role/ack', other: '' }), undefined);
});

test('each map is searched, and the one that gives the role is named', () => {
  const maps = [placed({ [id]: arn('one') }), { ...placed({ t: arn('ack') }, 'team'), ackSystem: 'ack-iam' }];
  const found = findControllerRole([{ role: role(arn('ack')), at: 'here' }], maps, undefined);
  assert.deepEqual([found?.kind, found?.ackSystem, found?.named.at], ['team', 'ack-iam', 'here']);
});
