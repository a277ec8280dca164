import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  accountOfArn,
  matchingSelectors,
  type ResourceType,
  type RoleSelector,
  type SelectedResource,
  selectorMatches,
  selectorsOverlap,
  whySelectorIsInvalid,
  whySelectorIsLeftOut,
} from '../../src/accounts/role-selector.ts';

/** https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/iamroleselector/matcher.go */

const map = (strings: Readonly<Record<string, string>> = {}) => new Map(Object.entries(strings));

function selector(parts: Partial<RoleSelector> = {}): RoleSelector {
  return {
    name: 's',
    arn: 'arn:aws:iam::111111111111:role/r',
    namespaceNames: [],
    namespaceLabels: map(),
    resourceTypes: [],
    resourceLabels: map(),
    ...parts,
  };
}

function resource(parts: Partial<SelectedResource> = {}): SelectedResource {
  return {
    group: 's3.services.k8s.aws',
    version: 'v1alpha1',
    kind: 'Bucket',
    namespace: 'shop',
    namespaceLabels: map({ env: 'prod', tier: 'a' }),
    labels: map({ app: 'web' }),
    ...parts,
  };
}

const type = (group: string, version: string, kind: string): ResourceType => ({ group, version, kind });

describe('a selector matches', () => {
  const table: readonly (readonly [string, Partial<RoleSelector>, boolean])[] = [
    ['everything, without any condition', {}, true],
    ['a namespace that it names', { namespaceNames: ['other', 'shop'] }, true],
    ['no namespace that it does not name', { namespaceNames: ['shop2', 'Shop', 'sho'] }, false],
    ['a namespace with all of its labels', { namespaceLabels: map({ env: 'prod', tier: 'a' }) }, true],
    ['no namespace that lacks one label', { namespaceLabels: map({ env: 'prod', zone: 'x' }) }, false],
    ['no namespace with another value', { namespaceLabels: map({ env: 'Prod' }) }, false],
    ['a name and labels', { namespaceNames: ['shop'], namespaceLabels: map({ env: 'prod' }) }, true],
    [
      'not by a name alone, where it has labels',
      { namespaceNames: ['shop'], namespaceLabels: map({ env: 'x' }) },
      false,
    ],
    [
      'not by labels alone, where it has names',
      { namespaceNames: ['x'], namespaceLabels: map({ env: 'prod' }) },
      false,
    ],
    ['a group', { resourceTypes: [type('s3.services.k8s.aws', '', '')] }, true],
    ['no part of a group', { resourceTypes: [type('s3', '', '')] }, false],
    ['a version', { resourceTypes: [type('', 'v1alpha1', '')] }, true],
    ['a kind', { resourceTypes: [type('', '', 'Bucket')] }, true],
    ['no plural', { resourceTypes: [type('', '', 'buckets')] }, false],
    ['one of several types', { resourceTypes: [type('', '', 'Queue'), type('', '', 'Bucket')] }, true],
    ['no type of parts of several', { resourceTypes: [type('x', '', 'Bucket'), type('', 'v2', 'Bucket')] }, false],
    ['labels of the resource', { resourceLabels: map({ app: 'web' }) }, true],
    ['no empty label where there is none', { resourceLabels: map({ none: '' }) }, false],
    ['no labels of the namespace on the resource', { resourceLabels: map({ env: 'prod' }) }, false],
  ];
  for (const [what, parts, expected] of table) {
    test(what, () => assert.equal(selectorMatches(selector(parts), resource()), expected));
  }
});

describe('a selector is left out for', () => {
  const table: readonly (readonly [string, Partial<RoleSelector>, RegExp | undefined])[] = [
    ['nothing', {}, undefined],
    ['an empty ARN', { arn: '' }, /arn is empty/],
    ['text', { arn: 'role' }, /arn is not an ARN/],
    ['five sections', { arn: 'arn:aws:iam::111111111111' }, /arn is not an ARN/],
    ['no ARN of something else', { arn: 'arn:aws:s3:::b' }, undefined],
    ['no ARN of no partition', { arn: 'arn:::::' }, undefined],
    ['an upper-case prefix', { arn: 'ARN:aws:iam::111111111111:role/r' }, /arn is not an ARN/],
    ['a blank before the ARN', { arn: ' arn:aws:iam::111111111111:role/r' }, /arn is not an ARN/],
    ['an empty name', { namespaceNames: [''] }, /empty name/],
    ['a name twice', { namespaceNames: ['a', 'b', 'a'] }, /name twice/],
    ['no names that differ by case', { namespaceNames: ['a', 'A'] }, undefined],
    ['an empty key of namespace labels', { namespaceLabels: map({ '': 'x' }) }, /empty label key/],
    ['no empty value of a label', { namespaceLabels: map({ x: '' }), resourceLabels: map({ x: '' }) }, undefined],
    ['a type of nothing', { resourceTypes: [type('', '', '')] }, /without group, version and kind/],
    ['a type twice', { resourceTypes: [type('g', '', 'k'), type('g', '', 'k')] }, /entry twice/],
    ['no types that only join alike', { resourceTypes: [type('a', 'b', ''), type('ab', '', '')] }, undefined],
    ['an empty key of resource labels', { resourceLabels: map({ '': '' }) }, /empty label key/],
  ];
  for (const [what, parts, expected] of table) {
    test(what, () => {
      const why = whySelectorIsLeftOut(selector(parts));
      if (expected === undefined) assert.equal(why, undefined);
      else assert.match(why ?? '', expected);
    });
  }

  test('an ARN of something else than a role is invalid, though ACK uses it', () => {
    const bucket = selector({ arn: 'arn:aws:s3:::b' });
    assert.match(whySelectorIsInvalid(bucket) ?? '', /not the ARN of a role/);
    assert.deepEqual(matchingSelectors([bucket], resource()), [bucket]);
    assert.equal(whySelectorIsInvalid(selector()), undefined);
  });
});

test('the account of an ARN is its fifth section, where that is an account id', () => {
  const table: readonly (readonly [string, string | undefined])[] = [
    ['arn:aws:iam::111111111111:role/r', '111111111111'],
    ['arn:aws:iam::000000000001:root', '000000000001'],
    ['arn:aws:s3:::b', undefined],
    ['arn:aws:iam::11111111111:role/r', undefined],
    ['', undefined],
  ];
  for (const [arn, account] of table) assert.equal(accountOfArn(arn), account, arn);
});

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

const word = fc.constantFrom('a', 'b', 'A');
const key = fc.constantFrom('x', 'y', 'kubernetes.io/metadata.name');
const labels = fc.array(fc.tuple(key, fc.constantFrom('a', 'b', '')), { maxLength: 2 }).map(items => new Map(items));
const part = fc.constantFrom('', '', 'g', 'h');
const types = fc.oneof(
  fc.constant([]),
  fc.array(fc.record({ group: part, version: part, kind: part }), { maxLength: 2 }),
);
const someLabels = fc.oneof(fc.constant(new Map<string, string>()), labels);
const anySelector: fc.Arbitrary<RoleSelector> = fc.record({
  name: fc.constant('s'),
  arn: fc.constant('arn:aws:iam::111111111111:role/r'),
  namespaceNames: fc.array(word, { maxLength: 2 }),
  namespaceLabels: someLabels,
  resourceTypes: types,
  resourceLabels: someLabels,
});
/** Every namespace has the label of its own name. */
const anyNamespaces = fc.tuple(labels, labels, labels).map(each => {
  const names = ['a', 'b', 'A'];
  return new Map(
    each.map((own, index) => {
      const name = names[index] ?? '';
      return [name, new Map([...own, ['kubernetes.io/metadata.name', name]])] as const;
    }),
  );
});

/** The written rule, again: all that is asked for is there. */
function matchesAsWritten(s: RoleSelector, r: SelectedResource): boolean {
  const nameFits = s.namespaceNames.length === 0 || s.namespaceNames.some(name => name === r.namespace);
  const labelsFit = Array.from(s.namespaceLabels, ([k, v]) => r.namespaceLabels.get(k) === v).every(Boolean);
  const ownFit = Array.from(s.resourceLabels, ([k, v]) => r.labels.get(k) === v).every(Boolean);
  const fits = (wanted: string, is: string) => ['', is].includes(wanted);
  const typeFits = s.resourceTypes.map(
    t => fits(t.group, r.group) && fits(t.version, r.version) && fits(t.kind, r.kind),
  );
  return nameFits && labelsFit && ownFit && (typeFits.length === 0 || typeFits.includes(true));
}

const named = fc.constantFrom('g', 'h', 'i');
const inNamespaces = fc
  .tuple(anyNamespaces, word, named, named, named, labels)
  .map(([namespaces, namespace, group, version, kind, own]) => {
    const one: SelectedResource = {
      group,
      version,
      kind,
      namespace,
      namespaceLabels: namespaces.get(namespace) ?? new Map(),
      labels: own,
    };
    return { namespaces, one };
  });

test('matching is exactly the written rule', () => {
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(anySelector, inNamespaces, (s, { one }) => {
      const expected = matchesAsWritten(s, one);
      seen[`${expected}`] += 1;
      assert.equal(selectorMatches(s, one), expected);
    }),
    { numRuns: 3000 },
  );
  assert.ok(seen.true >= 100 && seen.false >= 100, JSON.stringify(seen));
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
