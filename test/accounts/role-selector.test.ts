import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  accountOfArn,
  matchingSelectors,
  type SelectedResource,
  selectorIgnoredBecause,
  selectorInvalidBecause,
  selectorMatches,
} from '../../src/accounts/role-selector.ts';
import type { RoleSelector } from '../../src/objects/role-selector.ts';
import { anySelector, inNamespaces, labelMap as map, selector, type } from './any-selector.ts';

/** https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/iamroleselector/matcher.go */

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
      const why = selectorIgnoredBecause(selector(parts));
      if (expected === undefined) assert.equal(why, undefined);
      else assert.match(why ?? '', expected);
    });
  }

  test('an ARN of something else than a role is invalid, though ACK uses it', () => {
    const bucket = selector({ arn: 'arn:aws:s3:::b' });
    assert.match(selectorInvalidBecause(bucket) ?? '', /not the ARN of a role/);
    assert.deepEqual(matchingSelectors([bucket], resource()), [bucket]);
    assert.equal(selectorInvalidBecause(selector()), undefined);
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

/** The written rule, again: all that is asked for is there. */
function matchesAsWritten(s: RoleSelector, r: SelectedResource): boolean {
  const nameFits = s.namespaceNames.length === 0 || s.namespaceNames.some(name => name === r.namespace);
  const labelsFit = Array.from(s.namespaceLabels, ([k, v]) => r.namespaceLabels.get(k as never) === v).every(Boolean);
  const ownFit = Array.from(s.resourceLabels, ([k, v]) => r.labels.get(k) === v).every(Boolean);
  const fits = (wanted: string, is: string) => ['', is].includes(wanted);
  const typeFits = s.resourceTypes.map(
    t => fits(t.group, r.group) && fits(t.version, r.version) && fits(t.kind, r.kind),
  );
  return nameFits && labelsFit && ownFit && (typeFits.length === 0 || typeFits.includes(true));
}

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
