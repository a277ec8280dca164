import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { defaultFeatureGates } from '../../../src/accounts/feature-gates.ts';
import { createAdmit } from '../../../src/admission/admit.ts';
import {
  type Cluster,
  type Lookup,
  type ResourceSearch,
  type StoredResource,
  UnverifiedError,
  type View,
} from '../../../src/admission/cluster.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { type AccountMapChange, entryUsedByStatus } from '../../../src/admission/guards/map-use.ts';
import { lookUpIn } from '../../../src/admission/lookup.ts';
import { configMap, mapReview, type Strings } from '../../decisions/resources.ts';
import { readRequest } from '../../decisions/review.ts';
import { FakeCluster, type FakeState, viewOf } from '../fake-cluster.ts';

/** Entries of the account map that ACK goes by where a namespace is not bound, against an oracle that does as ACK does. */

const a = '111122223333';
const b = '000000000002';
const arn = (account: string, role = 'ack') => `arn:aws:iam::${account}:role/${role}`;
const changeOf = (before: Strings, after: Strings): AccountMapChange => ({
  before: new Map(Object.entries(before)),
  after: new Map(Object.entries(after)),
});

const stored = (alias: string, namespace: string, accountId?: string, name = 'one'): StoredResource => ({
  group: `${alias}.services.k8s.aws`,
  versions: ['v1alpha1'],
  kind: 'Thing',
  namespace,
  name,
  labels: new Map(),
  recorded: { accountId, region: undefined },
});

const owner = (id: string) => ({ annotations: { 'services.k8s.aws/owner-account-id': id } });
const team = (id: string) => ({ annotations: { 'services.k8s.aws/team-id': id } });
const namespaces = {
  free: {},
  'by-team': team('pay'),
  'bound-a': owner(a),
  'bound-oddly': owner('not an account'),
  'kube-system': owner(b),
};

/** Answers searches as the API server does: only of the types, and in the namespaces, that are asked for. */
function searching(state: FakeState, searches: ResourceSearch[] = []): View {
  return {
    ...viewOf(state),
    findResources: search => {
      searches.push(search);
      return state.resources?.filter(resource => {
        const isOfType = search.types.some(({ group }) => group === resource.group);
        const isThere = search.namespaces.includes(resource.namespace);
        return isThere && (search.types.length === 0 || isOfType) && search.wanted(resource);
      });
    },
  };
}

interface Setting {
  readonly byService: boolean;
  readonly byTeam: boolean;
  /** `every`: the map's own installation serves all; `rest`: all but S3; `s3`: only that. */
  readonly serves: 'every' | 'rest' | 's3';
}

function configFor({ byService, byTeam, serves }: Setting): Config {
  const own = { namespace: 'ack-system', services: serves === 's3' ? new Set(['s3']) : undefined };
  const other = { namespace: 'other', services: serves === 'rest' ? new Set(['s3']) : undefined };
  return {
    ...defaultConfig,
    ackSystems: serves === 'every' ? [own] : [other, own],
    featureGates: { ...defaultFeatureGates, ServiceLevelCARM: byService, TeamLevelCARM: byTeam },
  };
}

/** The account in which ACK works for a resource by a map, written out; undefined where it stops, or goes by a binding. */
function accountByStatus({ group, namespace, recorded }: StoredResource, map: Strings, setting: Setting) {
  const [alias = ''] = group.split('.');
  const isServed = { every: true, rest: alias !== 's3', s3: alias === 's3' }[setting.serves];
  const isBound = {
    free: false,
    'by-team': setting.byTeam,
    'bound-a': true,
    'bound-oddly': true,
    'kube-system': false,
  };
  const id = recorded?.accountId;
  if (!isServed || isBound[namespace as keyof typeof isBound] || id === undefined || !/^\d{12}$/.test(id)) {
    return undefined;
  }
  const keys = setting.byService ? [`${alias}.${id}`, id] : [id];
  const value = keys.map(key => map[key]).find(Boolean);
  return value?.split(':')[4] === id ? id : undefined;
}

const anyMap = fc
  .dictionary(
    fc.tuple(fc.constantFrom('', '', 's3.', 'sqs.', 'pods.'), fc.constantFrom(a, b)).map(parts => parts.join('')),
    fc.constantFrom('own', 'own', 'other role', '', 'foreign', 'garbage'),
    { maxKeys: 5 },
  )
  .map((map): Strings => {
    const roleOf = (key: string, value: string) => {
      if (value === 'own' || value === 'other role') return arn(key.slice(-12), value === 'own' ? 'own' : 'other');
      return value === 'foreign' ? arn('999999999999') : value;
    };
    return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, roleOf(key, value)]));
  });
const anyResource = fc
  .tuple(
    fc.constantFrom('s3', 'sqs', 'ec2'),
    fc.constantFrom(...Object.keys(namespaces)),
    fc.constantFrom(a, b, undefined, 'garbage'),
  )
  .map(parts => stored(...parts));
const anySetting = fc.record({
  byService: fc.boolean(),
  byTeam: fc.boolean(),
  serves: fc.constantFrom('every', 'rest', 's3'),
});

test('what is in use is what ACK found an account for by the status, and would not find any more', () => {
  const seen = { used: 0, kept: 0, never: 0 };
  fc.assert(
    fc.property(
      anySetting,
      anyMap,
      anyMap,
      fc.array(anyResource, { maxLength: 3 }),
      (setting, before, after, resources) => {
        const lost = resources.filter(resource => {
          const was = accountByStatus(resource, before, setting);
          return was !== undefined && accountByStatus(resource, after, setting) !== was;
        });
        const use = entryUsedByStatus(
          'ack-system',
          changeOf(before, after),
          searching({ namespaces, resources }),
          configFor(setting),
        );
        const had = resources.some(resource => accountByStatus(resource, before, setting) !== undefined);
        seen[lost.length > 0 ? 'used' : had ? 'kept' : 'never'] += 1;
        assert.equal(use !== undefined, lost.length > 0);
        if (use === undefined) return;
        assert.ok('key' in use);
        assert.ok(use.resources.every(resource => lost.includes(resource)) && use.resources.length > 0);
        for (const { group, recorded } of use.resources) {
          assert.ok([recorded?.accountId, `${group.split('.')[0]}.${recorded?.accountId}`].includes(use.key));
        }
        assert.ok(before[use.key]);
      },
    ),
    { numRuns: 20_000 },
  );
  for (const [what, count] of Object.entries(seen)) assert.ok(count >= 100, `${what}: only ${count}`);
});

describe('it is searched', () => {
  const everything = configFor({ byService: false, byTeam: false, serves: 'every' });
  const byService = configFor({ byService: true, byTeam: false, serves: 'every' });

  function searchesFor(before: Strings, after: Strings, config: Config = everything) {
    const searches: ResourceSearch[] = [];
    entryUsedByStatus(
      'ack-system',
      changeOf(before, after),
      searching({ namespaces, resources: [] }, searches),
      config,
    );
    return searches;
  }

  test('not for a new entry, another role of the account, a key of pods, or an entry that led nowhere', () => {
    assert.deepEqual(searchesFor({}, { [a]: arn(a) }), []);
    assert.deepEqual(searchesFor({ [a]: arn(a) }, { [a]: arn(a, 'other') }), []);
    assert.deepEqual(searchesFor({ [`pods.${a}`]: arn(a) }, {}), []);
    assert.deepEqual(searchesFor({ [a]: '', [b]: 'garbage', '12': arn(a), 's3.x': arn(a) }, {}), []);
    assert.deepEqual(searchesFor({ [a]: arn(b) }, {}), []);
  });

  test('not where ACK reads no map, or nothing of a service', () => {
    const selectors = { ...everything, featureGates: { ...defaultFeatureGates, IAMRoleSelector: true } };
    assert.deepEqual(searchesFor({ [a]: arn(a) }, {}, selectors), []);
    const elsewhere = configFor({ byService: true, byTeam: false, serves: 'rest' });
    assert.deepEqual(searchesFor({ [`s3.${a}`]: arn(a) }, {}, elsewhere), []);
    assert.deepEqual(searchesFor({ [`s3.${a}`]: arn(a) }, {}), []);
  });

  test('once, by the status, for advice, and only in namespaces where ACK goes by it', () => {
    const [search, ...more] = searchesFor({ [a]: arn(a), [b]: arn(b) }, {});
    assert.deepEqual(more, []);
    assert.deepEqual(search?.namespaces.toSorted(), ['by-team', 'free', 'kube-system']);
    assert.deepEqual([search?.readsStatus, search?.advisory, search?.atMost], [true, true, 6]);
    assert.deepEqual([search?.types, [...(search?.labels ?? [])]], [[], []]);
  });

  test('among the resources of the services that lose an account, as far as they can be told', () => {
    const groups = (before: Strings, after: Strings, config: Config) =>
      searchesFor(before, after, config).map(({ types }) => types.map(({ group }) => group).toSorted());
    const s3 = { [`s3.${a}`]: arn(a) };
    assert.deepEqual(groups(s3, {}, byService), [['s3.services.k8s.aws']]);
    assert.deepEqual(groups({ ...s3, [`sqs.${b}`]: arn(b) }, {}, byService), [
      ['s3.services.k8s.aws', 'sqs.services.k8s.aws'],
    ]);
    assert.deepEqual(groups({ ...s3, [a]: arn(a) }, {}, byService), [[]]);
    assert.deepEqual(groups({ ...s3, [a]: arn(a) }, { [a]: arn(a) }, byService), []);
    const onlyS3 = configFor({ byService: false, byTeam: false, serves: 's3' });
    assert.deepEqual(groups({ [a]: arn(a) }, {}, onlyS3), [['s3.services.k8s.aws']]);
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x${index}.${a}`, arn(a)]));
    assert.deepEqual(groups(many, {}, byService), [[]]);
  });
});

describe('a review of the account map', () => {
  const review = readRequest(
    mapReview(
      configMap('ack-role-account-map', { [a]: arn(a), [b]: arn(b) }),
      configMap('ack-role-account-map', { [b]: arn(b) }),
    ),
  );
  const adding = readRequest(
    mapReview(
      configMap('ack-role-account-map', { [b]: arn(b) }),
      configMap('ack-role-account-map', { [a]: arn(a), [b]: arn(b) }),
    ),
  );
  const free = { namespaces: { free: {} } };
  const used = { ...free, resources: [stored('s3', 'free', a, 'assets')] };
  const late = new UnverifiedError(503, 'no answer came in time');

  /** A cluster whose live reads fail for these kinds of look-ups. */
  class FailingCluster extends FakeCluster implements Cluster {
    readonly #failing: readonly Lookup['kind'][];

    constructor(cache: FakeState | undefined, live: FakeState, ...failing: readonly Lookup['kind'][]) {
      super(cache, live);
      this.#failing = failing;
    }

    override read<L extends Lookup>(lookup: L, namespace: string, deadline: number) {
      return this.#failing.includes(lookup.kind) ? Promise.reject(late) : super.read(lookup, namespace, deadline);
    }
  }

  const answered = async (cluster: Cluster, request = review) => {
    const { response, record } = await createAdmit(cluster, defaultConfig)('validate', request, 5_000);
    return { ...record, code: response.status?.code, said: response.warnings?.join('\n') ?? '' };
  };

  test('is denied by resources that the cache does not have', async () => {
    const cluster = new FakeCluster(free, used);
    const { reason, outcome, message } = await answered(cluster);
    assert.deepEqual([reason, outcome], ['MappingInUse', 'denied']);
    assert.match(message ?? '', /"Thing free\/assets"/);
    assert.deepEqual(cluster.reads, ['Namespaces', 'Resources'], 'once the namespaces are known');
  });

  test('is allowed where there are none, and asks nothing for what takes no account away', async () => {
    const { outcome, warnings } = await answered(new FakeCluster(free, { ...free, resources: [] }));
    assert.deepEqual([outcome, warnings], ['allowed', []]);
    const cluster = new FakeCluster(free, used);
    assert.equal((await answered(cluster, adding)).outcome, 'allowed');
    assert.deepEqual(cluster.reads, []);
  });

  test('is allowed with a warning where the search fails', async () => {
    for (const cache of [free, undefined]) {
      const { outcome, warnings, said } = await answered(new FailingCluster(cache, used, 'Resources'));
      assert.deepEqual([outcome, warnings], ['allowed', ['MappingUseUnverified']]);
      assert.match(said, /^\S+ "ack-role-account-map": ACK may need "111122223333" .* \(MappingUseUnverified\)$/);
    }
  });

  test('is allowed with a warning where nothing can be asked, if the cache knows the namespaces', async () => {
    const { outcome, warnings } = await answered(new FakeCluster(free, late));
    assert.deepEqual([outcome, warnings], ['allowed', ['MappingUseUnverified']]);
    const unknown = await answered(new FakeCluster(undefined, late));
    assert.deepEqual([unknown.reason, unknown.code], ['Unverified', 503]);
  });

  test('is not allowed because nothing can be asked, where by the cache bound namespaces use the entry', async () => {
    const { reason, code } = await answered(new FakeCluster({ namespaces: { shop: owner(a) } }, late));
    assert.deepEqual([reason, code], ['Unverified', 503]);
  });

  test('looks at the namespaces live: one that was bound a moment ago goes by the status', async () => {
    const { reason } = await answered(new FakeCluster({ namespaces: { free: owner(b) } }, used));
    assert.equal(reason, 'MappingInUse');
    assert.equal(lookUpIn(viewOf(used), { kind: 'Namespaces' }).length, 1);
  });
});
