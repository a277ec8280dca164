import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isBound, readBinding } from '../../src/accounts/binding.ts';
import { defaultFeatureGates } from '../../src/accounts/feature-gates.ts';
import { managementOf } from '../../src/accounts/managed-namespace.ts';

const off = defaultFeatureGates;
const on = { ...off, TeamLevelCARM: true };
const owner = 'services.k8s.aws/owner-account-id';
const team = 'services.k8s.aws/team-id';
const id = '111111111111';

const map = (strings: Readonly<Record<string, string>>) => new Map(Object.entries(strings));

describe('a binding', () => {
  const table = [
    ['no annotation', {}, off, undefined],
    ['an account', { [owner]: id }, off, { ok: true, value: { kind: 'account', id } }],
    [
      'an account of leading zeros',
      { [owner]: '000000000001' },
      off,
      { ok: true, value: { kind: 'account', id: '000000000001' } },
    ],
    ['an empty annotation is none', { [owner]: '' }, off, undefined],
    [
      'an account that is none',
      { [owner]: 'x' },
      off,
      { ok: false, problem: { reason: 'InvalidAccountId', value: 'x' } },
    ],
    ['a team, gate off, binds nothing', { [team]: 'a' }, off, undefined],
    [
      'an invalid team, gate off, is ignored',
      { [team]: 'a.b', [owner]: id },
      off,
      { ok: true, value: { kind: 'account', id } },
    ],
    ['a team, gate on', { [team]: 'a' }, on, { ok: true, value: { kind: 'team', id: 'a' } }],
    [
      'a team wins over an account, gate on',
      { [team]: 'a', [owner]: id },
      on,
      { ok: true, value: { kind: 'team', id: 'a' } },
    ],
    [
      'an invalid team does not fall back',
      { [team]: 'a.b', [owner]: id },
      on,
      { ok: false, problem: { reason: 'InvalidTeamId', value: 'a.b' } },
    ],
    ['an empty team falls back', { [team]: '', [owner]: id }, on, { ok: true, value: { kind: 'account', id } }],
  ] as const;
  for (const [what, annotations, gates, expected] of table) {
    test(what, () => {
      assert.deepEqual(readBinding(map(annotations), gates), expected);
      assert.equal(isBound(map(annotations), gates), expected !== undefined);
    });
  }
});

describe('a served namespace', () => {
  const label = 'carm-webhook.dev/inject';
  const serving = (name: string, labels = {}, annotations = {}, gates = off) =>
    managementOf({ name, labels: map(labels), annotations: map(annotations) }, 'carm-webhook', gates);

  test('is bound or labelled enabled', () => {
    assert.equal(serving('a'), 'not-managed');
    assert.equal(serving('a', {}, { [owner]: id }), 'managed');
    assert.equal(serving('a', {}, { [owner]: 'garbage' }), 'managed');
    assert.equal(serving('a', { [label]: 'enabled' }), 'managed');
    assert.equal(serving('a', { [label]: 'true' }), 'not-managed');
    assert.equal(serving('a', {}, { [team]: 'a' }), 'not-managed');
    assert.equal(serving('a', {}, { [team]: 'a' }, on), 'managed');
  });

  test('is never one labelled disabled', () => {
    assert.equal(serving('a', { [label]: 'disabled' }, { [owner]: id }), 'opted-out');
  });

  test("is never one of those that ACK ignores, or the webhook's own", () => {
    for (const name of ['kube-system', 'kube-public', 'kube-node-lease', 'carm-webhook']) {
      assert.equal(serving(name, { [label]: 'enabled' }, { [owner]: id }), 'not-managed');
    }
    assert.equal(serving('kube-systems', { [label]: 'enabled' }), 'managed');
  });
});
