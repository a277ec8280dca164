import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { selectorMatches } from '../../src/accounts/role-selector.ts';
import { selectorCovers, selectorsOverlap } from '../../src/accounts/selector-relations.ts';
import type { RoleSelector } from '../../src/objects/role-selector.ts';
import { cpuTimeMs } from '../cpu-time.ts';
import { anyNamespaces, anySelector, inNamespaces, labelMap as map, selector, type } from './any-selector.ts';

describe('two selectors overlap', () => {
  const known = map({ env: 'prod' });
  const labelsOf = (name: string) => (name === 'known' ? known : undefined);
  const table: readonly (readonly [string, Partial<RoleSelector>, Partial<RoleSelector>, boolean])[] = [
    ['both without conditions', {}, {}, true],
    ['by a common name', { namespaceNames: ['a', 'b'] }, { namespaceNames: ['b', 'c'] }, true],
    ['not by other names', { namespaceNames: ['a'] }, { namespaceNames: ['b'] }, false],
    ['by a name in all', { namespaceNames: ['a'] }, {}, true],
    ['by labels of different keys', { namespaceLabels: map({ a: '1' }) }, { namespaceLabels: map({ b: '1' }) }, true],
    ['not by another value', { namespaceLabels: map({ a: '1' }) }, { namespaceLabels: map({ a: '2' }) }, false],
    ['by the labels of a known name', { namespaceNames: ['known'] }, { namespaceLabels: map({ env: 'prod' }) }, true],
    ['not by labels that it has not', { namespaceNames: ['known'] }, { namespaceLabels: map({ env: 'dev' }) }, false],
    ['by labels that a name may get', { namespaceNames: ['later'] }, { namespaceLabels: map({ env: 'dev' }) }, true],
    [
      'not by the label that is always the name',
      { namespaceNames: ['later'] },
      { namespaceLabels: map({ 'kubernetes.io/metadata.name': 'other' }) },
      false,
    ],
    [
      'by the label that is always the name',
      { namespaceNames: ['later'] },
      { namespaceLabels: map({ 'kubernetes.io/metadata.name': 'later' }) },
      true,
    ],
    ['by a type in all', { resourceTypes: [type('', '', 'Bucket')] }, {}, true],
    ['by types that meet', { resourceTypes: [type('g', '', '')] }, { resourceTypes: [type('', '', 'K')] }, true],
    ['not by other kinds', { resourceTypes: [type('g', '', 'A')] }, { resourceTypes: [type('g', '', 'B')] }, false],
    ['not by other values of a label', { resourceLabels: map({ a: '1' }) }, { resourceLabels: map({ a: '' }) }, false],
    ['by other labels', { resourceLabels: map({ a: '1' }) }, { resourceLabels: map({ b: '1' }) }, true],
  ];
  for (const [what, a, b, expected] of table) {
    test(what, () => {
      assert.equal(selectorsOverlap(selector(a), selector(b), labelsOf), expected);
      assert.equal(selectorsOverlap(selector(b), selector(a), labelsOf), expected, 'in the other order');
    });
  }
});

test('two selectors that match one resource overlap, whatever is known of its namespace', () => {
  let both = 0;
  fc.assert(
    fc.property(anySelector, anySelector, inNamespaces, fc.boolean(), (a, b, { namespaces, one }, isKnown) => {
      if (!selectorMatches(a, one) || !selectorMatches(b, one)) return;
      both += 1;
      assert.ok(selectorsOverlap(a, b, name => (isKnown ? namespaces.get(name) : undefined)));
    }),
    { numRuns: 20_000 },
  );
  assert.ok(both >= 100, `only ${both} pairs matched one resource`);
});

test('whether two selectors overlap is the same in both orders', () => {
  fc.assert(
    fc.property(anySelector, anySelector, anyNamespaces, fc.boolean(), (a, b, namespaces, isKnown) => {
      const labelsOf = (name: string) => (isKnown ? namespaces.get(name) : undefined);
      assert.equal(selectorsOverlap(a, b, labelsOf), selectorsOverlap(b, a, labelsOf));
    }),
    { numRuns: 3000 },
  );
});

describe('a selector covers another', () => {
  const bucket = type('s3.services.k8s.aws', 'v1alpha1', 'Bucket');
  const table: readonly (readonly [string, Partial<RoleSelector>, Partial<RoleSelector>, boolean])[] = [
    ['without any condition', {}, { namespaceNames: ['a'], resourceTypes: [bucket] }, true],
    ['with the same conditions', { namespaceNames: ['a', 'b'] }, { namespaceNames: ['b', 'a'] }, true],
    ['with one name more', { namespaceNames: ['a', 'b'] }, { namespaceNames: ['a'] }, true],
    ['not with one name less', { namespaceNames: ['a'] }, { namespaceNames: ['a', 'b'] }, false],
    ['not with names where there were none', { namespaceNames: ['a'] }, {}, false],
    ['with one label less', { namespaceLabels: map() }, { namespaceLabels: map({ env: 'prod' }) }, true],
    ['not with one label more', { namespaceLabels: map({ env: 'prod' }) }, {}, false],
    ['not with another value', { resourceLabels: map({ a: '1' }) }, { resourceLabels: map({ a: '2' }) }, false],
    ['not with one label of resources more', { resourceLabels: map({ a: '1' }) }, {}, false],
    ['with a whole group', { resourceTypes: [type(bucket.group, '', '')] }, { resourceTypes: [bucket] }, true],
    [
      'not with one kind of a group',
      { resourceTypes: [bucket] },
      { resourceTypes: [type(bucket.group, '', '')] },
      false,
    ],
    ['not with types where there were none', { resourceTypes: [bucket] }, {}, false],
    ['not with one type less', { resourceTypes: [bucket] }, { resourceTypes: [bucket, type('', '', 'Queue')] }, false],
  ];
  for (const [what, wide, narrow, expected] of table) {
    test(what, () => assert.equal(selectorCovers(selector(wide), selector(narrow)), expected));
  }
});

test('what a covered selector matches, the one that covers it matches too', () => {
  let covered = 0;
  fc.assert(
    fc.property(anySelector, anySelector, inNamespaces, (wide, narrow, { one }) => {
      if (!selectorCovers(wide, narrow) || !selectorMatches(narrow, one)) return;
      covered += 1;
      assert.ok(selectorMatches(wide, one));
    }),
    { numRuns: 20_000 },
  );
  assert.ok(covered >= 100, `only ${covered} pairs`);
});

test('a selector covers itself', () => {
  fc.assert(fc.property(anySelector, one => assert.ok(selectorCovers(one, one))));
});

test('types meet where every field agrees that both name', () => {
  const field = fc.constantFrom('', 'a', 'b');
  const types = fc.array(fc.tuple(field, field, field), { minLength: 1, maxLength: 4 });
  const agree = (one: string, other: string) => one === '' || other === '' || one === other;
  fc.assert(
    fc.property(types, types, (left, right) => {
      const expected = left.some(one =>
        right.some(other => one.every((value, index) => agree(value, other[index] ?? ''))),
      );
      const of = (list: readonly (readonly [string, string, string])[]) =>
        selector({ resourceTypes: list.map(([group, version, kind]) => type(group, version, kind)) });
      assert.equal(
        selectorsOverlap(of(left), of(right), () => undefined),
        expected,
      );
    }),
    { numRuns: 1000 },
  );
});

test('selectors of very many names or types are compared in time', () => {
  const numbers = Array.from({ length: 50_000 }, (_, index) => index);
  const names = selector({ namespaceNames: numbers.map(number => `team-${number}`) });
  const types = selector({ resourceTypes: numbers.map(number => type('', '', `Kind${number}`)) });
  const startedAt = cpuTimeMs();
  for (const one of [names, types]) {
    const reversed = {
      ...one,
      namespaceNames: one.namespaceNames.toReversed(),
      resourceTypes: one.resourceTypes.toReversed(),
    };
    assert.ok(selectorCovers(one, reversed));
  }
  const otherTypes = selector({ resourceTypes: numbers.map(number => type('', 'v1', `Other${number}`)) });
  assert.ok(!selectorsOverlap(types, otherTypes, () => undefined));
  assert.ok(selectorsOverlap(names, { ...names, namespaceNames: names.namespaceNames.toReversed() }, () => undefined));
  assert.ok(cpuTimeMs() - startedAt < 1_000);
});
