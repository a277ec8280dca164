import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultFeatureGates } from '../../../src/accounts/feature-gates.ts';
import { changesBinding, changesLabels } from '../../../src/admission/guards/namespace-change.ts';
import { ownerAccountIdAnnotation, teamIdAnnotation } from '../../../src/objects/keys.ts';

type Texts = Readonly<Record<string, string>>;

const namespaceOf = ({ labels = {}, annotations = {} }: { labels?: Texts; annotations?: Texts }) => ({
  name: 'team-a',
  labels: new Map(Object.entries(labels)),
  annotations: new Map(Object.entries(annotations)),
});

test('a binding changes with what the active gates read, and with nothing else', () => {
  const by = (before: Texts, after: Texts, gates = defaultFeatureGates) =>
    changesBinding({ before: namespaceOf({ annotations: before }), after: namespaceOf({ annotations: after }) }, gates);
  const one = { [ownerAccountIdAnnotation]: '111111111111' };
  assert.ok(by({}, one));
  assert.ok(by(one, { [ownerAccountIdAnnotation]: '222222222222' }));
  assert.ok(!by({}, { [ownerAccountIdAnnotation]: '' }), 'an empty annotation is none');
  assert.ok(!by(one, { ...one, other: 'x' }));
  const team = { ...one, [teamIdAnnotation]: 'payments' };
  assert.ok(!by(one, team));
  assert.ok(by(one, team, { ...defaultFeatureGates, TeamLevelCARM: true }));
});

test('labels change with a key or a value, not with their order', () => {
  const by = (before: Texts, after: Texts) =>
    changesLabels({ before: namespaceOf({ labels: before }), after: namespaceOf({ labels: after }) });
  assert.ok(!by({ a: '1', b: '2' }, { b: '2', a: '1' }));
  assert.ok(by({ a: '1' }, { a: '2' }));
  assert.ok(by({ a: '1' }, { b: '1' }));
  assert.ok(by({ a: '1' }, {}));
  assert.ok(by({}, { a: '1' }));
});
