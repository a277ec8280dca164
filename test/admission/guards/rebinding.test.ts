/** What a change of a namespace does to its ACK resources, against an oracle; and when they are searched, and how. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { defaultFeatureGates } from '../../../src/accounts/feature-gates.ts';
import { createAdmit } from '../../../src/admission/admit.ts';
import {
  type ResourceSearch,
  type StoredResource,
  UnverifiedError,
  type View,
} from '../../../src/admission/cluster.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { overrideUsed } from '../../../src/admission/guards/rebind-override.ts';
import { judgeRebinding } from '../../../src/admission/guards/rebinding.ts';
import type { WrittenNamespace } from '../../../src/objects/namespace.ts';
import { namespaceObject } from '../../decisions/manifests.ts';
import { type ReviewOptions, readRequest } from '../../decisions/review.ts';
import { FakeCluster, type FakeState, viewOf } from '../fake-cluster.ts';

type Strings = Readonly<Record<string, string>>;
const [one, two, three] = ['111111111111', '222222222222', '333333333333'] as const;
const role = (account: string) => `arn:aws:iam::${account}:role/ack`;
const owner = (id: string) => ({ 'services.k8s.aws/owner-account-id': id });
const team = (id: string) => ({ 'services.k8s.aws/team-id': id });
const region = (name: string) => ({ 'services.k8s.aws/default-region': name });
const allow = (accounts: string) => ({ 'carm-webhook.dev/allow-rebind': accounts });

const withTeams: Config = {
  ...defaultConfig,
  featureGates: { ...defaultFeatureGates, TeamLevelCARM: true, ServiceLevelCARM: true },
};
const withSelectors: Config = {
  ...defaultConfig,
  featureGates: { ...defaultFeatureGates, IAMRoleSelector: true },
};

function namespace(annotations: Strings = {}, labels: Strings = {}): WrittenNamespace {
  const map = (strings: Strings) => new Map(Object.entries(strings));
  return {
    name: 'shop',
    annotations: map(annotations),
    labels: map(labels),
    hasMetadata: true,
    hasAnnotations: true,
    hasLabels: true,
  };
}

function resource(alias: string, name: string, accountId: string | undefined, at = 'eu-west-1'): StoredResource {
  return {
    group: `${alias}.services.k8s.aws`,
    versions: ['v1alpha1'],
    kind: 'Thing',
    namespace: 'shop',
    name,
    labels: new Map(),
    recorded: { accountId, region: accountId === undefined ? undefined : at },
    region: undefined,
  };
}

/** Notes what is searched. */
function searching(state: FakeState): { readonly view: View; readonly searches: ResourceSearch[] } {
  const searches: ResourceSearch[] = [];
  const view = viewOf(state);
  return {
    searches,
    view: {
      ...view,
      findResources: search => {
        searches.push(search);
        return view.findResources(search);
      },
    },
  };
}

describe('against an oracle that follows ACK', () => {
  const accountMap: Strings = { [one]: role(one), [`s3.${two}`]: role(two) };
  const teamMap: Strings = { web: role(one), 's3.web': role(two) };
  const anyBinding = fc.constantFrom<Strings>(
    {},
    owner(''),
    owner(one),
    owner(two),
    owner(three),
    team('web'),
    team('nobody'),
    { ...team('web'), ...owner(one) },
  );

  /** Where ACK ends, written out by hand: an account; undefined where it stops. */
  function accountOf(annotations: Strings, alias: string, status: string): string | undefined {
    const teamId = annotations['services.k8s.aws/team-id'];
    const account = annotations['services.k8s.aws/owner-account-id'];
    const map = teamId ? teamMap : accountMap;
    const key = teamId || account || status;
    // By an account's binding, a resource of another one drifts, whether the role is there or not.
    if (!teamId && account && account !== status) return account;
    return (map[`${alias}.${key}`] || map[key])?.split(':')[4];
  }

  test('for bindings: denied are those that ACK works on, or may work on, and would lose', () => {
    const seen = { denied: 0, allowed: 0, leftBehind: 0 };
    const anyResource = fc.record({
      alias: fc.constantFrom('s3', 'sqs'),
      status: fc.constantFrom(one, two, three, undefined),
    });
    const property = fc.property(
      anyBinding,
      anyBinding,
      fc.array(anyResource, { maxLength: 4 }),
      fc.constantFrom('', one, two, `${one},${two},${three}`),
      (before, after, resources, allowed) => {
        const isBoundAs = (annotations: Strings) =>
          annotations['services.k8s.aws/team-id'] || annotations['services.k8s.aws/owner-account-id'] || '';
        const changes = isBoundAs(before) !== isBoundAs(after);
        const lost = resources.filter(({ alias, status }) => {
          if (!changes || status === undefined) return false;
          const was = accountOf(before, alias, status);
          const is = accountOf(after, alias, status);
          return is !== status && (was === undefined || was === status);
        });
        const needed = lost.map(({ alias, status = '' }) => accountOf(after, alias, status) ?? status);
        const isDenied = needed.some(account => !allowed.split(',').includes(account));
        const state: FakeState = {
          maps: { account: accountMap, team: teamMap },
          resources: resources.map(({ alias, status }, index) => resource(alias, `r${index}`, status)),
        };
        const change = { before: namespace(before), after: namespace({ ...after, ...allow(allowed) }) };
        const decision = judgeRebinding(change, viewOf(state), withTeams);
        const warnings = decision.warnings?.map(({ reason }) => reason) ?? [];
        assert.equal(decision.verdict, isDenied ? 'deny' : 'allow', JSON.stringify(decision));
        assert.deepEqual(warnings, isDenied || lost.length === 0 ? [] : ['ResourcesLeftBehind']);
        seen[isDenied ? 'denied' : lost.length > 0 ? 'leftBehind' : 'allowed'] += 1;
      },
    );
    fc.assert(property, { numRuns: 10_000 });
    for (const [what, count] of Object.entries(seen)) assert.ok(count >= 500, `${what}: only ${count}`);
  });
});

describe('the resources are searched', () => {
  const maps = { account: { [one]: role(one), [two]: role(two) } };
  const state: FakeState = { maps, resources: [] };

  function searchesOf(before: WrittenNamespace, after: WrittenNamespace, config = withTeams, given = state) {
    const { view, searches } = searching(given);
    judgeRebinding({ before, after }, view, config);
    assert.ok(searches.length <= 1, 'a decision searches once at most');
    return searches[0];
  }

  test('in the namespace alone, whole, for one more than is named', () => {
    const search = searchesOf(namespace(owner(one)), namespace(owner(two)));
    assert.deepEqual(search?.namespaces, ['shop']);
    assert.deepEqual([search.types, search.labels.size, search.atMost, search.readsStatus], [[], 0, 6, true]);
    assert.notEqual(search.advisory, true);
  });

  const selectors = [
    {
      metadata: { name: 'prod' },
      spec: {
        arn: role(one),
        namespaceSelector: { names: [], labelSelector: { matchLabels: { env: 'prod' } } },
        resourceTypeSelector: [{ group: 's3.services.k8s.aws', version: '', kind: 'Bucket' }],
      },
    },
    { metadata: { name: 'every' }, spec: { arn: role(two) } },
  ];

  test('not at all where nothing changes that ACK goes by', () => {
    const same = { ...owner(one), ...region('eu-west-1') };
    for (const [before, after, config] of [
      [namespace(same), namespace({ ...same, note: 'x', ...allow(two) })],
      [namespace(same), namespace(same, { a: 'b' })],
      [namespace(owner('')), namespace()],
      [namespace({ ...team('a'), ...owner(one) }), namespace({ ...team('a'), ...owner(two) })],
      [namespace({ ...owner(one), ...team('a') }), namespace({ ...owner(one), ...team('b') }), defaultConfig],
      [namespace(owner(one)), namespace(owner(two)), withSelectors],
      [namespace({}, { env: 'prod' }), namespace({}, { env: 'prod', a: 'b' }), withSelectors],
    ] as const) {
      assert.equal(searchesOf(before, after, config, { ...state, roleSelectors: selectors }), undefined);
    }
  });

  test('for labels, for the types of the selectors that match no more, or now', () => {
    const withThem = { ...state, roleSelectors: selectors };
    const search = searchesOf(namespace({}, { env: 'prod' }), namespace(), withSelectors, withThem);
    assert.deepEqual(search?.types, [{ group: 's3.services.k8s.aws', version: '', kind: 'Bucket' }]);
    const [prod] = selectors;
    const everyType = { ...prod, metadata: { name: 'more' }, spec: { ...prod?.spec, resourceTypeSelector: [] } };
    const more = { ...state, roleSelectors: [...selectors, everyType] };
    assert.deepEqual(searchesOf(namespace({}, { env: 'prod' }), namespace(), withSelectors, more)?.types, []);
  });

  test('for advice alone where the annotation allows all that there can be, or only the region changes', () => {
    const advisory = (before: Strings, after: Strings) => searchesOf(namespace(before), namespace(after))?.advisory;
    assert.equal(advisory(owner(one), { ...owner(two), ...allow(two) }), true);
    assert.equal(advisory(owner(one), allow(one)), true);
    assert.equal(advisory(region('eu-west-1'), region('eu-west-3')), true);
    assert.equal(advisory(owner(one), { ...owner(two), ...allow(two), ...region('eu-west-3') }), true);
    assert.notEqual(advisory(owner(one), { ...owner(two), ...allow(one) }), true);
    assert.notEqual(advisory(owner(one), { ...owner(two), ...region('eu-west-3') }), true);
    assert.notEqual(advisory(team('web'), allow(one)), true, 'what a team had, nobody knows before');
    assert.notEqual(advisory(owner(one), { ...team('web'), ...allow(one) }), true);
  });
});

test('whoever sets the annotation to what a denial says is through in the end, however many resources of however many accounts', () => {
  const accounts = [one, two, three];
  // More of each than a search finds.
  const resources = accounts.flatMap(account =>
    Array.from({ length: 30 }, (_, index) => resource('s3', `${account}-${index}`, account)),
  );
  const view = viewOf({ maps: { account: {}, team: { web: role(one) } }, resources });
  // Nobody knows what becomes of them when a team goes, and no account has a role.
  const before = namespace(team('nobody'));
  let allowed = '';
  for (const _ of accounts) {
    const decision = judgeRebinding({ before, after: namespace(allow(allowed)) }, view, withTeams);
    if (decision.verdict === 'allow') break;
    allowed = /allow-rebind=([\d,]+)/.exec(decision.message())?.[1] ?? '';
  }
  assert.deepEqual(allowed.split(',').sort(), accounts);
  const decision = judgeRebinding({ before, after: namespace(allow(allowed)) }, view, withTeams);
  assert.equal(decision.verdict, 'allow');
});

describe('when nobody can tell', () => {
  const shop = (annotations: Strings, labels = {}) => namespaceObject('shop', annotations, labels);
  const error = new UnverifiedError(503, 'the list of buckets.s3.services.k8s.aws could not be read: no answer');

  /** The search fails, and nothing else. */
  class Failing extends FakeCluster {
    override read: FakeCluster['read'] = (lookup, namespaceName, deadline) =>
      lookup.kind === 'Resources' ? Promise.reject(error) : super.read(lookup, namespaceName, deadline);
  }

  async function ask(before: Strings, after: Strings, cache = true, labels = {}, config = defaultConfig) {
    const state: FakeState = {
      namespaces: { shop: { annotations: before, labels } },
      maps: { account: { [one]: role(one) } },
    };
    const review: ReviewOptions = {
      resource: '/v1/namespaces',
      kind: 'Namespace',
      operation: 'UPDATE',
      object: shop(after, labels),
      oldObject: shop(before, labels),
    };
    const cluster = new Failing(cache ? state : undefined, state);
    return createAdmit(cluster, config)('validate', readRequest(review), 5_000);
  }

  for (const cache of [true, false]) {
    for (const mode of ['enforce', 'warn', 'audit'] as const) {
      test(`a change is denied with what could not be read, in mode ${mode}, ${cache ? 'with' : 'without'} a cache`, async () => {
        const labels = { 'carm-webhook.dev/mode': mode };
        const { response } = await ask(owner(one), owner(two), cache, labels, { ...defaultConfig, defaultMode: mode });
        assert.equal(response.status?.code, 503);
        assert.match(
          response.status?.message ?? '',
          /^Namespace "shop": the list of buckets\.s3.* no answer\. Retry.*\(Unverified\)$/,
        );
      });
    }

    test(`what is only warned of is allowed, and the warning says so, ${cache ? 'with' : 'without'} a cache`, async () => {
      const warned = await ask(owner(one), { ...owner(two), ...allow(two), ...region('eu-west-1') }, cache);
      assert.equal(warned.response.allowed, true);
      assert.deepEqual(warned.record.warnings, ['ResourcesLeftBehind', 'ResourcesInOtherRegion']);
      const regional = await ask(region('eu-west-1'), {}, cache);
      assert.deepEqual(regional.record.warnings, ['ResourcesInOtherRegion']);
      for (const warning of [...(warned.response.warnings ?? []), ...(regional.response.warnings ?? [])]) {
        assert.match(warning, /could not determine in time/);
      }
    });
  }
});

test('what uses the override: a change that it may let pass, and an account that is added to it', () => {
  const { featureGates } = withTeams;
  const used = (before: WrittenNamespace, after: WrittenNamespace, gates = featureGates) => [
    ...overrideUsed({ before, after }, gates),
  ];
  const both = allow(`${one}, ${two}`);
  assert.deepEqual(used(namespace(owner(one)), namespace({ ...owner(two), ...both })), [one, two]);
  assert.deepEqual(used(namespace({ ...owner(one), ...both }), namespace({ ...owner(two), ...both })), [one, two]);
  assert.deepEqual(used(namespace(both), namespace({ ...both, note: 'x' })), [], 'nothing that it allows');
  assert.deepEqual(used(namespace(allow(one)), namespace(both)), [two], 'it is added to');
  assert.deepEqual(used(namespace(both), namespace({})), [], 'it goes');
  assert.deepEqual(used(namespace(owner(one)), namespace(owner(two))), []);
  const { featureGates: selecting } = withSelectors;
  assert.deepEqual(used(namespace(both, { a: 'b' }), namespace(both), selecting), [one, two]);
  assert.deepEqual(used(namespace({ ...both, ...owner(one) }), namespace(both), selecting), []);
  const many = Array.from({ length: 1000 }, (_, index) => String(index).padStart(12, '0')).join(',');
  assert.equal(used(namespace(), namespace(allow(many))).length, 16, 'no list is endless');
});
