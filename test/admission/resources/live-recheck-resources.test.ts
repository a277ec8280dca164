import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAdmit, type Endpoint } from '../../../src/admission/admit.ts';
import { type StoredResource, UnverifiedError } from '../../../src/admission/cluster.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { namespaceObject } from '../../decisions/manifests.ts';
import {
  configMap,
  created,
  mapReview,
  roleSelector,
  selectorReview,
  statusUpdated,
  updated,
} from '../../decisions/resources.ts';
import { type ReviewOptions, readRequest } from '../../decisions/review.ts';
import { account, FakeCluster, type FakeState, good, inMode } from '../fake-cluster.ts';

/** Denials of ACK resources, maps and selectors from the cache are re-checked live before they are spoken. */

const selectors: Config = { ...defaultConfig, featureGates: { ...defaultConfig.featureGates, IAMRoleSelector: true } };
const ack = `arn:aws:iam::${account}:role/ack`;
const live: FakeState = {
  ...good,
  maps: { account: { [account]: ack } },
  roleSelectors: [roleSelector('shop', ack, { names: ['shop'] })],
};
const trusting: Config = { ...defaultConfig, crossNamespaceReferences: [{ from: 'shop', to: 'other' }] };
/** An association that gives pods of `other` a role in account 222222222222, to which that namespace is bound. */
const grant = created('PodIdentityAssociation', {
  spec: { namespace: 'other', roleARN: ack, targetRoleARN: 'arn:aws:iam::222222222222:role/web' },
});
const boundTo = (id: string): FakeState => ({
  ...live,
  namespaces: { ...good.namespaces, other: { annotations: { 'services.k8s.aws/owner-account-id': id } } },
});
const deadline = 5_000;

async function ask(
  cluster: FakeCluster,
  review: ReviewOptions,
  config: Config = defaultConfig,
  endpoint: Endpoint = 'validate',
) {
  return createAdmit(cluster, config)(endpoint, readRequest(review), deadline);
}

const name = 'ack-role-account-map';
const removal = mapReview(configMap(name, { [account]: ack }), configMap(name, {}));
const widened = selectorReview(undefined, roleSelector('new', ack, { names: ['shop'] }));

describe('a denial from the cache is re-checked live', () => {
  const table: readonly (readonly [string, FakeState, FakeState, ReviewOptions, Config])[] = [
    ['a map that came since', { ...live, maps: {} }, live, created('Bucket'), defaultConfig],
    ['an entry that came since', { ...live, maps: { account: {} } }, live, created('Bucket'), defaultConfig],
    ['a namespace that came since', { ...live, namespaces: {} }, live, created('Bucket'), defaultConfig],
    [
      'a binding that came since',
      { ...live, namespaces: { shop: { labels: { 'carm-webhook.dev/inject': 'enabled' } } } },
      live,
      created('Bucket'),
      defaultConfig,
    ],
    ['a selector that came since', { ...live, roleSelectors: [] }, live, created('Bucket'), selectors],
    ['a kind that came since', good, live, created('Bucket'), selectors],
    [
      'a second selector that went since',
      { ...live, roleSelectors: [...(live.roleSelectors ?? []), roleSelector('all', ack)] },
      live,
      created('Bucket'),
      selectors,
    ],
    ['a namespace that was unbound since', live, { ...live, namespaces: { shop: {} } }, removal, defaultConfig],
    ['an overlapping selector that went since', live, { ...live, roleSelectors: [] }, widened, selectors],
    ['a namespace of pods that came since', live, boundTo('222222222222'), grant, trusting],
    [
      'a namespace of pods that was bound to another account since',
      boundTo(account),
      boundTo('222222222222'),
      grant,
      trusting,
    ],
    ['no memory at all', {}, live, created('Bucket'), defaultConfig],
  ];
  for (const [what, memory, now, review, config] of table) {
    test(`${what}: memory denies, the cluster allows`, async () => {
      const inMemory = await ask(new FakeCluster(memory, memory), review, config);
      assert.equal(inMemory.response.allowed, false, 'memory alone denies');
      const { response, record } = await ask(new FakeCluster(memory, now), review, config);
      assert.equal(response.allowed, true, response.status?.message);
      assert.equal(record.reason, 'Checked');
    });
  }

  test('that a namespace is not bound is no warning before it was read again', async () => {
    const unbound: FakeState = { ...live, namespaces: { shop: {} } };
    const spoken = await ask(new FakeCluster(unbound, unbound), created('Bucket'));
    assert.equal(spoken.record.reason, 'NamespaceNotBound');
    assert.equal(spoken.record.outcome, 'warned');
    const unread = new FakeCluster(unbound, new UnverifiedError(429, 'not now'));
    assert.equal((await ask(unread, created('Bucket'))).record.outcome, 'warned', 'a warning holds nobody up');
    const nothing = new FakeCluster(undefined, new UnverifiedError(429, 'not now'));
    assert.equal((await ask(nothing, created('Bucket'))).record.reason, 'Unverified');
    const bound = await ask(new FakeCluster(unbound, live), created('Bucket'));
    assert.equal(bound.record.reason, 'Checked');
    const unmapped = await ask(new FakeCluster(unbound, { ...live, maps: { account: {} } }), created('Bucket'));
    assert.equal(unmapped.record.reason, 'AccountNotMapped');
  });

  test('in mode warn what memory would refuse is left unpatched only if it still would be', async () => {
    const regional = (maps: FakeState['maps'] = {}): FakeState => ({
      ...inMode('warn'),
      namespaces: {
        shop: {
          labels: { 'carm-webhook.dev/mode': 'warn' },
          annotations: {
            'services.k8s.aws/owner-account-id': account,
            'services.k8s.aws/default-region': 'eu-central-1',
          },
        },
      },
      maps,
    });
    const mapped = regional({ account: { [account]: ack } });
    const asked = (now: FakeState) => ask(new FakeCluster(regional(), now), created('Bucket'), defaultConfig, 'mutate');
    assert.equal((await asked(mapped)).record.reason, 'Completed');
    assert.equal((await asked(regional())).record.reason, 'Checked');
  });

  test('what memory allows is allowed at once, without a read', () => {
    for (const [review, config] of [
      [created('Bucket'), defaultConfig],
      [created('Bucket'), selectors],
      [updated('Bucket', {}, { spec: { name: 'others' } }), defaultConfig],
      [mapReview(configMap(name, {}), configMap(name, { '222222222222': '' })), defaultConfig],
    ] as const) {
      const cluster = new FakeCluster(live, new Error('nobody must ask'));
      const result = createAdmit(cluster, config)('validate', readRequest(review), deadline);
      assert.ok(!(result instanceof Promise));
      assert.equal(result.record.reason, 'Checked', result.record.message);
      assert.deepEqual(cluster.reads, []);
    }
  });

  test('each is read once, and no other than the decision needs', async () => {
    const table: readonly (readonly [ReviewOptions, Config, readonly string[]])[] = [
      [created('Bucket'), defaultConfig, ['Namespace shop', 'RoleMap account']],
      [created('Bucket'), selectors, ['Namespace shop', 'RoleSelectors']],
      [widened, selectors, ['Namespace ', 'Namespace shop', 'Namespaces', 'RoleSelectors']],
      // No mode softens it, so none is looked up.
      [removal, defaultConfig, ['Namespaces']],
      [created('FieldExport', { spec: {} }), defaultConfig, ['Namespace shop']],
    ];
    for (const [review, config, reads] of table) {
      const cluster = new FakeCluster(undefined, live);
      await ask(cluster, review, config);
      assert.deepEqual(cluster.reads.toSorted(), reads);
    }
  });

  test('a denial by the live state names the live cause', async () => {
    const now: FakeState = { ...live, maps: { account: { [account]: 'garbage' } } };
    const { response } = await ask(new FakeCluster({ ...live, maps: {} }, now), created('Bucket'));
    assert.match(response.status?.message ?? '', /"garbage".*\(InvalidRoleArn\)$/);
  });

  test('a region is completed without any read where memory knows the namespace', async () => {
    const regional: FakeState = {
      ...live,
      namespaces: { shop: { annotations: { 'services.k8s.aws/default-region': 'eu-central-1' } } },
    };
    const cluster = new FakeCluster(regional, new Error('nobody must ask'));
    assert.equal((await ask(cluster, created('Bucket'), defaultConfig, 'mutate')).record.reason, 'Completed');
    assert.deepEqual(cluster.reads, []);
  });

  test('a resource that ACK itself writes needs no namespace, map or API server', async () => {
    const cluster = new FakeCluster({}, new Error('nobody must ask'));
    const username = 'system:serviceaccount:ack-system:ack-s3-controller';
    const { record } = await ask(cluster, created('Bucket', {}, { username }));
    assert.equal(record.reason, 'ExemptIdentity');
    assert.deepEqual(cluster.reads, []);
  });
});

describe('when the cluster cannot be asked', () => {
  const table: Readonly<Record<string, readonly [FakeState | undefined, ReviewOptions, Config]>> = {
    'a resource whose role memory cannot resolve': [{ ...live, maps: {} }, created('Bucket'), defaultConfig],
    'a resource without memory': [undefined, created('Bucket'), defaultConfig],
    'a resource that no selector in memory matches': [{ ...live, roleSelectors: [] }, created('Bucket'), selectors],
    'a map that loses an entry': [live, removal, defaultConfig],
    'a map without memory': [undefined, removal, defaultConfig],
    'a selector that overlaps one in memory': [live, widened, selectors],
    'a forged status': [live, statusUpdated('Bucket', {}, { ack: { region: 'x' } }), defaultConfig],
  };
  for (const [what, [memory, review, config]] of Object.entries(table)) {
    for (const status of [429, 503] as const) {
      test(`${what} is Unverified with ${status}, whatever the mode`, async () => {
        for (const mode of ['enforce', 'warn', 'audit'] as const) {
          const state = memory && inMode(mode, memory);
          const error = new UnverifiedError(status, 'the API server did not answer in time');
          const { response, record } = await ask(new FakeCluster(state, error), review, {
            ...config,
            defaultMode: mode,
          });
          assert.equal(response.allowed, false, mode);
          assert.equal(response.status?.code, status);
          assert.equal(record.reason, 'Unverified');
        }
      });
    }
  }

  test('an endpoint needs no state to be denied', async () => {
    const object = namespaceObject('new', { 'services.k8s.aws/endpoint-url': 'https://evil.example.com' });
    const review = { resource: '/v1/namespaces', kind: 'Namespace', object };
    const { record } = await ask(new FakeCluster(live, new UnverifiedError(503, 'gone')), review);
    assert.equal(record.reason, 'EndpointNotAllowed');
  });
});

describe('which resources use a selector is never known from the cache', () => {
  const shop = roleSelector('shop', ack, { names: ['shop'] });
  const gone = selectorReview(shop, undefined, { name: 'shop' });
  const bucket: StoredResource = {
    group: 's3.services.k8s.aws',
    versions: ['v1alpha1'],
    kind: 'Bucket',
    namespace: 'shop',
    name: 'assets',
    labels: new Map(),
  };
  const used: FakeState = { ...live, resources: [bucket] };

  for (const [what, memory] of [
    ['a memory that allows', live],
    ['a memory that is empty', {}],
    ['no memory', undefined],
  ] as const) {
    test(`they are searched once, when all that they rest on was read: ${what}`, async () => {
      const cluster = new FakeCluster(memory, used);
      const { response, record } = await ask(cluster, gone, selectors);
      assert.equal(record.reason, 'SelectorInUse');
      assert.match(response.status?.message ?? '', /"Bucket shop\/assets"/);
      assert.deepEqual(cluster.reads.toSorted(), ['Namespaces', 'Resources', 'RoleSelectors']);
      assert.ok(cluster.reads.indexOf('Resources') > 1, 'after the selectors and the namespaces');
    });
  }

  test('none are left: the removal is allowed', async () => {
    const { record } = await ask(new FakeCluster(live, { ...used, resources: [] }), gone, selectors);
    assert.equal(record.reason, 'Checked');
  });

  test('a selector that matches what it did costs no search', async () => {
    const review = selectorReview(shop, roleSelector('shop', `${ack}-2`, { names: ['shop'] }));
    const cluster = new FakeCluster({ ...live, roleSelectors: [shop] }, new Error('nobody must ask'));
    assert.equal((await ask(cluster, review, selectors)).record.reason, 'Checked');
    assert.deepEqual(cluster.reads, []);
  });

  describe('a selector that is only widened', () => {
    const review = selectorReview(shop, roleSelector('shop', ack, { names: ['shop', 'till'] }));
    const memory: FakeState = { ...live, roleSelectors: [shop], namespaces: { ...live.namespaces, till: {} } };
    const inTill: StoredResource = { ...bucket, namespace: 'till' };

    test('may take over what ACK has recorded another account for', async () => {
      const recorded = { accountId: '999999999999', region: 'eu-central-1' };
      const cluster = new FakeCluster(memory, { ...memory, resources: [{ ...inTill, recorded }] });
      const { response, record } = await ask(cluster, review, selectors);
      assert.equal(record.reason, 'RebindWithResources');
      assert.match(response.status?.message ?? '', /"Bucket till\/assets"/);
    });

    test('takes over what is in its own account', async () => {
      const recorded = { accountId: account, region: 'eu-central-1' };
      const cluster = new FakeCluster(memory, { ...memory, resources: [{ ...inTill, recorded }] });
      assert.equal((await ask(cluster, review, selectors)).record.reason, 'Checked');
      assert.ok(cluster.reads.includes('Resources'));
    });

    test('is held up by nothing that could not be read, with a warning', async () => {
      const { response, record } = await ask(
        new FakeCluster(memory, new UnverifiedError(503, 'late')),
        review,
        selectors,
      );
      assert.equal(record.reason, 'Checked');
      assert.equal(response.allowed, true);
      assert.match(response.warnings?.join('\n') ?? '', /SelectorUseUnverified/);
    });
  });

  test('a namespace that came since may have resources: memory alone allows nothing', async () => {
    const later = selectorReview(roleSelector('later', ack, { namespaceLabels: { team: 'later' } }), undefined);
    const labelled: FakeState = {
      ...used,
      namespaces: { ...live.namespaces, shop: { labels: { team: 'later' } } },
      roleSelectors: [],
    };
    assert.equal((await ask(new FakeCluster(live, labelled), later, selectors)).record.reason, 'SelectorInUse');
  });

  test('when they cannot be listed, the change is denied whatever the mode, and says why', async () => {
    const why = 'the list of buckets.s3.services.k8s.aws could not be read: the API server answered 403 Forbidden';
    const cluster = new FakeCluster(live, new UnverifiedError(503, why));
    const { response, record } = await ask(cluster, gone, { ...selectors, defaultMode: 'audit' });
    assert.equal(response.allowed, false);
    assert.equal(record.reason, 'Unverified');
    assert.equal(response.status?.code, 503);
    assert.ok(response.status.message.startsWith(`IAMRoleSelector "shop": ${why}. Retry; `), response.status.message);
  });
});
