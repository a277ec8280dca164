import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { accountOfArn, matchingSelectors, selectorIgnoredBecause } from '../../../src/accounts/role-selector.ts';
import { guardDenials } from '../../../src/admission/catalogue/guard-denials.ts';
import { warnings } from '../../../src/admission/catalogue/warnings.ts';
import type { ResourceSearch, StoredResource, View } from '../../../src/admission/cluster.ts';
import { effectsOfSelector, type SelectorChange } from '../../../src/admission/guards/selector-use.ts';
import type { RoleSelector } from '../../../src/objects/role-selector.ts';
import { anySelector, inNamespaces, labelMap, selector, type } from '../../accounts/any-selector.ts';

/** Those that it strands; undefined where nobody knows. */
function strandedResources(change: SelectorChange, view: View): readonly StoredResource[] | undefined {
  const effects = effectsOfSelector(change, view);
  return 'inDoubt' in effects ? undefined : effects.stranded;
}

/** Which resources a change of a selector strands, against an oracle that resolves each before and after. */

type Namespaces = ReadonlyMap<string, ReadonlyMap<string, string>>;

interface World {
  readonly selectors: readonly RoleSelector[];
  readonly namespaces: Namespaces;
  readonly resources: readonly StoredResource[];
}

function viewOf({ selectors, namespaces, resources }: World, searches: ResourceSearch[] = []): View {
  return {
    namespace: () => undefined,
    serviceAccount: () => undefined,
    roleMap: () => undefined,
    roleSelectors: () => selectors,
    mayBind: () => undefined,
    namespaces: () => Array.from(namespaces, ([name, labels]) => ({ name, labels, annotations: new Map() })),
    findResources: search => {
      searches.push(search);
      const fits = (wanted: string, has: readonly string[]) => wanted === '' || has.includes(wanted);
      return resources.filter(resource => {
        const { group, versions, kind, namespace, labels } = resource;
        const isOfType = search.types.some(
          type => fits(type.group, [group]) && fits(type.version, versions) && fits(type.kind, [kind]),
        );
        const isThere = search.namespaces.includes(namespace) && (search.types.length === 0 || isOfType);
        const isAskedFor = [search.wanted, ...(search.besides ?? [])].some(asks => asks(resource));
        return isThere && [...search.labels].every(([key, value]) => labels.get(key) === value) && isAskedFor;
      });
    },
  };
}

/** The account that ACK works in, written out: that of the one selector that matches. */
function accountOf(resource: StoredResource, { selectors, namespaces }: World): string | undefined {
  const [version = ''] = resource.versions;
  const namespaceLabels = namespaces.get(resource.namespace) ?? new Map();
  const matching = matchingSelectors(selectors, { ...resource, version, namespaceLabels });
  return matching.length === 1 ? matching[0]?.arn.split(':')[4] : undefined;
}

const accounts = ['111111111111', '222222222222'] as const;

const anyWorld = fc
  .tuple(fc.array(anySelector, { minLength: 1, maxLength: 4 }), fc.array(inNamespaces, { minLength: 1, maxLength: 6 }))
  .map(([parts, placed]): World => {
    const [{ namespaces }] = placed as [(typeof placed)[number]];
    return {
      selectors: parts.map((part, index) => ({ ...part, name: `s${index}` })),
      namespaces,
      resources: placed.map(({ one: { version, ...rest } }, index) => ({
        ...rest,
        versions: [version],
        name: `r${index}`,
        // Of some ACK has recorded an account, of all of them in time.
        ...(index % 3 > 0 && { recorded: { accountId: index % 3 === 1 ? accounts[0] : accounts[1], region: 'x' } }),
      })),
    };
  });
const anyArn = fc.constantFrom('arn:aws:iam::111111111111:role/other', 'arn:aws:iam::222222222222:role/r');
const anyAfter = fc.oneof(
  fc.constant(undefined),
  anySelector,
  fc.tuple(anySelector, anyArn).map(([one, arn]) => ({ ...one, arn })),
);

test('what a change strands is what had an account by this selector, and has it no more', () => {
  const seen = { stranded: 0, kept: 0, conflicting: 0 };
  fc.assert(
    fc.property(anyWorld, anyAfter, (world, changed) => {
      const [before, ...others] = world.selectors as [RoleSelector, ...RoleSelector[]];
      const after = changed && { ...changed, name: before.name };
      // What is written invalid is denied before.
      if (after !== undefined && selectorIgnoredBecause(after) !== undefined) return;
      const changedWorld = { ...world, selectors: after === undefined ? others : [after, ...others] };
      const expected = world.resources.filter(resource => {
        const was = accountOf(resource, world);
        const byThis = accountOf(resource, { ...world, selectors: [before] }) !== undefined;
        if (was === undefined || !byThis) {
          if (byThis) seen.conflicting += 1;
          return false;
        }
        const isKept = accountOf(resource, changedWorld) === was;
        seen[isKept ? 'kept' : 'stranded'] += 1;
        return !isKept;
      });
      assert.deepEqual(strandedResources({ before, after }, viewOf(world)), expected);
    }),
    { numRuns: 20_000 },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count >= 100, `${what}: only ${count}`);
});

test('what a change takes over comes to be matched by this selector alone, and is in another account', () => {
  const seen = { taken: 0, ofTheAccount: 0, matchedBefore: 0, notTakenUp: 0, isNew: 0 };
  fc.assert(
    fc.property(anyWorld, anyAfter, fc.boolean(), (world, changed, isNew) => {
      const [first, ...others] = world.selectors as [RoleSelector, ...RoleSelector[]];
      const before = isNew ? undefined : first;
      const after = changed && { ...changed, name: first.name };
      if (after === undefined || selectorIgnoredBecause(after) !== undefined) return;
      if (before === undefined && selectorIgnoredBecause(first) !== undefined) return;
      const was: World = { ...world, selectors: isNew ? others : world.selectors };
      const expected = world.resources.filter(resource => {
        const is = accountOf(resource, { ...world, selectors: [after, ...others] });
        const byThis = accountOf(resource, { ...world, selectors: [after] });
        if (is === undefined || byThis === undefined) return false;
        const { accountId } = resource.recorded ?? {};
        const matched = before !== undefined && accountOf(resource, { ...was, selectors: [before] }) !== undefined;
        if (matched) seen.matchedBefore += 1;
        else if (accountId === undefined) seen.notTakenUp += 1;
        else seen[accountId === is ? 'ofTheAccount' : 'taken'] += 1;
        const isTaken = !matched && accountId !== undefined && accountId !== is;
        if (isTaken && isNew) seen.isNew += 1;
        return isTaken;
      });
      const effects = effectsOfSelector({ before, after }, viewOf(was));
      assert.ok('takenOver' in effects);
      assert.deepEqual(effects.takenOver, expected);
    }),
    { numRuns: 10_000 },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count >= 50, `${what}: only ${count}`);
});

describe('it is searched', () => {
  const namespaces: Namespaces = new Map([
    ['shop', labelMap({ env: 'prod' })],
    ['billing', labelMap({ env: 'dev' })],
  ]);
  const bucket: StoredResource = {
    group: 's3.services.k8s.aws',
    versions: ['v1', 'v1alpha1'],
    kind: 'Bucket',
    namespace: 'shop',
    name: 'assets',
    labels: new Map(),
  };
  const world = (one: RoleSelector): World => ({ selectors: [one], namespaces, resources: [bucket] });

  function searchOf(before: RoleSelector, after?: RoleSelector) {
    const searches: ResourceSearch[] = [];
    const stranded = strandedResources({ before, after }, viewOf(world(before), searches));
    assert.ok(searches.length <= 1);
    return { search: searches[0], stranded };
  }

  test('only in namespaces, for types, and with labels that the selector can match', () => {
    const types = [type('s3.services.k8s.aws', '', 'Bucket')];
    const { search } = searchOf(selector({ namespaceLabels: labelMap({ env: 'prod' }), resourceTypes: types }));
    assert.deepEqual(search?.namespaces, ['shop']);
    assert.deepEqual(search.types, types);
    const labels = labelMap({ tier: 'gold' });
    assert.deepEqual(searchOf(selector({ resourceLabels: labels })).search?.labels, labels);
    assert.deepEqual(searchOf(selector()).search?.namespaces, ['shop', 'billing']);
  });

  test('for one resource more than a message names', () => assert.equal(searchOf(selector()).search?.atMost, 6));

  test('also where no namespace is matched, from the cache', () => {
    const { search, stranded } = searchOf(selector({ namespaceNames: ['later'] }));
    assert.deepEqual(search?.namespaces, []);
    assert.deepEqual(stranded, []);
  });

  test('not at all where the selector is left out, or matches the same as before', () => {
    const named = selector({ namespaceNames: ['shop'] });
    for (const [before, after] of [
      [selector({ namespaceNames: ['shop', 'shop'] })],
      [named, { ...named, arn: 'arn:aws:iam::111111111111:role/another' }],
    ] as const) {
      assert.deepEqual(searchOf(before, after), { search: undefined, stranded: [] });
    }
  });

  test('for what it takes over where it is new or wider: by what ACK recorded, and nobody waits for it', () => {
    const elsewhere = { ...bucket, recorded: { accountId: '333333333333', region: 'x' } };
    const named = selector({ namespaceNames: ['shop'] });
    for (const before of [
      undefined,
      selector({ namespaceNames: ['billing'], resourceTypes: [type('', '', 'Bucket')] }),
    ]) {
      const searches: ResourceSearch[] = [];
      const view = viewOf({ ...world(named), resources: [elsewhere] }, searches);
      assert.deepEqual(effectsOfSelector({ before, after: named }, view), { stranded: [], takenOver: [elsewhere] });
      const [search, ...more] = searches;
      assert.deepEqual(more, []);
      assert.deepEqual([search?.readsStatus, search?.types], [true, []]);
      // What it no longer matches must be known.
      assert.equal(search?.advisory, before === undefined ? true : undefined);
    }
  });

  test('when the role would be one of another account', () => {
    const named = selector({ namespaceNames: ['shop'] });
    const moved = { ...named, arn: 'arn:aws:iam::222222222222:role/r' };
    assert.notEqual(accountOfArn(named.arn), accountOfArn(moved.arn));
    assert.deepEqual(searchOf(named, moved).stranded, [bucket]);
  });

  test('what it took over unseen is in use all the same, and both reasons say how to take it back', () => {
    const elsewhere = { ...bucket, recorded: { accountId: '333333333333', region: 'x' } };
    const named = selector({ namespaceNames: ['shop'] });
    const taken = strandedResources(
      { before: named, after: undefined },
      viewOf({ ...world(named), resources: [elsewhere] }),
    );
    assert.deepEqual(taken, [elsewhere]);
    for (const { remedy } of [guardDenials.SelectorInUse, warnings.SelectorUseUnverified]) {
      assert.match(remedy, /break-glass\.md#bypass-the-webhook-once/);
    }
  });

  test('by every version of a kind, for which of them ACK goes by cannot be seen', () => {
    const byVersion = (version: string) => selector({ resourceTypes: [type('', version, 'Bucket')] });
    assert.deepEqual(searchOf(byVersion('v1alpha1')).stranded, [bucket]);
    assert.deepEqual(searchOf(byVersion('v1')).stranded, [bucket]);
    assert.deepEqual(searchOf(byVersion('v2')).stranded, []);
  });

  test('nobody knows before the selectors are known', () => {
    const view: View = { ...viewOf(world(selector())), roleSelectors: () => undefined };
    assert.equal(strandedResources({ before: selector(), after: undefined }, view), undefined);
    assert.deepEqual(effectsOfSelector({ before: undefined, after: selector() }, view), { inDoubt: 'taken over' });
  });
});
