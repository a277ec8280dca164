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
  const byKey = (kind: PlacedRoleMap['kind'], key: string) =>
    findControllerRole(
      [{ role: role(arn('ack')), at: 'here' }],
      [placed(Object.fromEntries([[key, arn('ack')]]), kind)],
      undefined,
    );

  for (const [kind, key] of [
    ['account', id],
    ['account', `s3.${id}`],
    ['account', `podsx.${id}`],
    ['account', '222222222222'],
    ['team', 'team'],
    ['team', 's3.team'],
    ['team', id],
    ['team', '__proto__'],
  ] as const) {
    test(`the key ${key} of the ${kind} map`, () => assert.ok(byKey(kind, key)));
  }

  for (const [kind, key] of [
    ['account', `pods.${id}`],
    ['account', 'bad'],
    ['account', `${id}0`],
    ['account', `S3.${id}`],
    ['account', `a.s3.${id}`],
    ['team', 'pods.team'],
    ['team', 's3.a.team'],
  ] as const) {
    test(`but not the key ${key} of the ${kind} map, by which ACK gets no role`, () => {
      assert.equal(byKey(kind, key), undefined);
    });
  }
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
  const shared = { [id]: arn('both'), [`s3.${id}`]: arn('ack') };
  assert.equal(find([arn('both')], shared, arn('both')), undefined);
  assert.equal(find([arn('both'), arn('ack')], shared, arn('both')), arn('ack'));
});

test('values that are no role ARN are passed over', () => {
  assert.equal(find([arn('ack')], { [id]: 'x/ack', [`s3.${id}`]: ' role/ack', [`sqs.${id}`]: '' }), undefined);
});

test('each map is searched, and the one that gives the role is named', () => {
  const maps = [placed({ [id]: arn('one') }), { ...placed({ t: arn('ack') }, 'team'), ackSystem: 'ack-iam' }];
  const found = findControllerRole([{ role: role(arn('ack')), at: 'here' }], maps, undefined);
  assert.deepEqual([found?.kind, found?.ackSystem, found?.named.at], ['team', 'ack-iam', 'here']);
});
