/** Where ACK works on a resource that it took up, and which changes take it from ACK. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readBinding } from '../../src/accounts/binding.ts';
import { defaultFeatureGates } from '../../src/accounts/feature-gates.ts';
import { isStranded, placeByBinding, placeBySelectors, type ResourcePlace } from '../../src/accounts/resource-place.ts';
import type { RoleMap, RoleMapKind } from '../../src/objects/role-map.ts';
import { labelMap, selector } from './any-selector.ts';

const [one, two, three] = ['111111111111', '222222222222', '333333333333'] as const;
const role = (account: string) => `arn:aws:iam::${account}:role/ack`;
const gates = { ...defaultFeatureGates, TeamLevelCARM: true, ServiceLevelCARM: true };
const maps: Readonly<Record<RoleMapKind, RoleMap>> = {
  account: new Map([
    [one, role(one)],
    [`s3.${two}`, role(two)],
    [three, role(one)],
  ]),
  team: new Map([
    ['web', role(one)],
    ['s3.web', role(two)],
  ]),
};

interface Said {
  readonly account?: string;
  readonly team?: string;
}

function placeBy({ account, team }: Said, owner: string, alias = 's3'): ResourcePlace {
  const annotations = new Map([
    ['services.k8s.aws/owner-account-id', account ?? ''],
    ['services.k8s.aws/team-id', team ?? ''],
  ]);
  return placeByBinding(readBinding(annotations, gates), { alias, owner }, kind => maps[kind], gates);
}

describe('the place of a resource', () => {
  for (const [what, said, owner, alias, expected] of [
    ['an account that is mapped', { account: one }, one, 's3', one],
    ['another account, mapped or not', { account: '444444444444' }, one, 's3', '444444444444'],
    ['an account by the key of the service', { account: two }, two, 's3', two],
    ['an account that has a key of another service', { account: two }, two, 'sqs', 'unmapped'],
    ['an account whose key has a role of another one', { account: three }, three, 's3', 'unmapped'],
    ['a team by its role', { team: 'web' }, one, 'sqs', one],
    ['a team by the role of the service', { team: 'web' }, one, 's3', two],
    ['a team that is not mapped', { team: 'nobody' }, one, 's3', 'unmapped'],
    ['a team wins over an account', { team: 'web', account: three }, one, 'sqs', one],
    ['an account id that is none', { account: 'web' }, one, 's3', 'invalid'],
    ['a team id that is none', { team: 's3.web' }, one, 's3', 'invalid'],
    ['no binding: by the status', {}, one, 's3', one],
    ['no binding, and a status that the service has no key for', {}, two, 'sqs', 'unmapped'],
    ['no binding, and a status that is no account', {}, 'forged', 's3', 'invalid'],
  ] as const) {
    test(`by ${what}: ${expected}`, () => {
      const place = placeBy(said, owner, alias);
      assert.equal(place.kind === 'account' ? place.accountId : place.kind, expected);
    });
  }

  test('without a map it is not mapped', () => {
    const binding = readBinding(new Map(), gates);
    const place = placeByBinding(binding, { alias: 's3', owner: one }, () => undefined, gates);
    assert.deepEqual(place, { kind: 'unmapped', binding: { kind: 'account', id: one }, alias: 's3', byStatus: true });
  });

  test('by selectors, is the account of the one that matches', () => {
    const bucket = { group: 's3.services.k8s.aws', version: 'v1alpha1', kind: 'Bucket', namespace: 'shop' };
    const placeAmong = (...selectors: readonly Parameters<typeof selector>[0][]) =>
      placeBySelectors(
        selectors.map((parts, index) => ({ ...selector(parts), name: `s${index}` })),
        {
          ...bucket,
          namespaceLabels: labelMap({ env: 'prod' }),
          labels: labelMap({}),
        },
      );
    const prod = { namespaceLabels: labelMap({ env: 'prod' }), arn: role(two) };
    assert.deepEqual(placeAmong(prod), { kind: 'account', accountId: two });
    assert.deepEqual(placeAmong({ ...prod, arn: 'arn:aws:iam:::role/ack' }), { kind: 'invalid' });
    assert.deepEqual(placeAmong({ namespaceNames: ['billing'] }), { kind: 'unselected' });
    assert.deepEqual(placeAmong(prod, prod), { kind: 'conflict', selectors: ['s0', 's1'] });
  });
});

describe('a change', () => {
  const own = { kind: 'account', accountId: one } as ResourcePlace;
  const foreign = { kind: 'account', accountId: two } as ResourcePlace;
  const another = { kind: 'account', accountId: three } as ResourcePlace;
  const unmapped = placeBy({ team: 'nobody' }, one);
  const invalid: ResourcePlace = { kind: 'invalid' };
  const unselected: ResourcePlace = { kind: 'unselected' };
  const conflict: ResourcePlace = { kind: 'conflict', selectors: ['a', 'b'] };
  const places: readonly ResourcePlace[] = [own, foreign, another, unmapped, invalid, unselected, conflict];

  test('never strands what ends where its status says', () => {
    assert.ok(!places.some(before => isStranded(one, before, own)));
  });

  test('strands what was there, wherever else it leads', () => {
    assert.ok(places.slice(1).every(after => isStranded(one, own, after)));
  });

  test('does nothing to what another account had got before', () => {
    assert.ok(!places.some(after => isStranded(one, foreign, after)));
  });

  test('strands what may have been there: nobody knows the account of the controllers, or of what is not mapped yet', () => {
    for (const before of [unmapped, invalid]) {
      assert.ok([foreign, unmapped, invalid].every(after => isStranded(one, before, after)));
    }
    for (const before of [unselected, conflict]) assert.equal(isStranded(one, before, foreign), true);
    assert.equal(isStranded(one, unselected, conflict), true);
    assert.equal(isStranded(one, conflict, unselected), true);
  });

  test('does nothing where as many selectors match as before: none, or too many', () => {
    assert.equal(isStranded(one, unselected, unselected), false);
    assert.equal(isStranded(one, conflict, { kind: 'conflict', selectors: ['a', 'c'] }), false);
  });
});
