import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdmit, type Endpoint } from '../../src/admission/admit.ts';
import { denials } from '../../src/admission/catalogue/denials.ts';
import { type Cluster, type Lookup, type LookupResult, UnverifiedError } from '../../src/admission/cluster.ts';
import { type Config, defaultConfig } from '../../src/admission/config.ts';
import { ruleFor } from '../../src/admission/rules.ts';
import { pod, podWithEnv } from '../decisions/manifests.ts';
import { created, roleSelector, selectorReview } from '../decisions/resources.ts';
import { type ReviewOptions, readRequest } from '../decisions/review.ts';
import { FakeCluster, type FakeState, good } from './fake-cluster.ts';

const readMs = 50;

/** A cluster whose reads take their time, and that counts how many times reads began together. */
class SlowCluster implements Cluster {
  readonly cache: Cluster['cache'];
  roundTrips = 0;
  readonly #quick: FakeCluster;
  #began = false;

  constructor(cache: FakeState, live: FakeState | Error) {
    this.#quick = new FakeCluster(cache, live);
    this.cache = this.#quick.cache;
  }

  get reads(): readonly string[] {
    return this.#quick.reads.toSorted();
  }

  async read<L extends Lookup>(lookup: L, namespace: string, deadline: number): Promise<LookupResult<L>> {
    if (!this.#began) {
      this.#began = true;
      this.roundTrips += 1;
      queueMicrotask(() => {
        this.#began = false;
      });
    }
    await sleep(readMs);
    return this.#quick.read(lookup, namespace, deadline);
  }
}

async function ask(
  cluster: Cluster,
  review: ReviewOptions,
  { endpoint = 'mutate' as Endpoint, config = defaultConfig }: { endpoint?: Endpoint; config?: Config } = {},
) {
  const { record } = await createAdmit(cluster, config)(endpoint, readRequest(review), Number.MAX_SAFE_INTEGER);
  return { record };
}

const foreign = podWithEnv([{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::999999999999:role/theirs' }]);
const noMap: FakeState = { ...good, maps: {} };
const unbound: FakeState = { ...good, namespaces: { shop: { labels: { 'carm-webhook.dev/inject': 'enabled' } } } };
const bySelectors: Config = {
  ...defaultConfig,
  featureGates: { ...defaultConfig.featureGates, IAMRoleSelector: true },
};

describe('what the decision by the cache looked up is read live in one round trip', () => {
  test('namespace, map and ServiceAccount of a pod that is denied', async () => {
    const cluster = new SlowCluster(good, good);
    const decide = mock.method(ruleFor('mutate', readRequest({ object: foreign })), 'decide');
    const { record } = await ask(cluster, { object: foreign });
    decide.mock.restore();
    assert.equal(decide.mock.callCount(), 2, 'by the cache, and live');
    assert.equal(record.reason, 'RoleOutsideAccount');
    assert.deepEqual(cluster.reads, ['Namespace shop', 'RoleMap account', 'ServiceAccount shop/default']);
    assert.equal(cluster.roundTrips, 1);
  });

  test('namespace and map of an ACK resource that is denied', async () => {
    const cluster = new SlowCluster(noMap, noMap);
    const { record } = await ask(cluster, created('Bucket', {}), { endpoint: 'validate' });
    assert.equal(record.reason, 'AccountMapMissing');
    assert.deepEqual(cluster.reads, ['Namespace shop', 'RoleMap account']);
    assert.equal(cluster.roundTrips, 1);
  });

  test('what the live state leads to beyond it is read next', async () => {
    const cluster = new SlowCluster(unbound, good);
    const { record } = await ask(cluster, { object: pod() });
    assert.equal(record.reason, 'Injected');
    assert.deepEqual(cluster.reads, ['Namespace shop', 'RoleMap account', 'ServiceAccount shop/default']);
    assert.equal(cluster.roundTrips, 3);
  });

  test('resources are searched once, when all that they are searched by was read', async () => {
    const selector = roleSelector('one', 'arn:aws:iam::111111111111:role/one', { names: ['shop'] });
    const held = { group: 's3.services.k8s.aws', versions: ['v1alpha1'], kind: 'Bucket', namespace: 'shop', name: 'b' };
    const state: FakeState = {
      ...good,
      roleSelectors: [selector],
      resources: [{ ...held, labels: new Map() }],
    };
    const cluster = new SlowCluster(state, state);
    const options = { endpoint: 'validate', config: bySelectors } as const;
    const { record } = await ask(cluster, selectorReview(selector, undefined), options);
    assert.equal(record.reason, 'SelectorInUse');
    assert.deepEqual(cluster.reads, ['Namespaces', 'Resources', 'RoleSelectors']);
    assert.equal(cluster.roundTrips, 2);
  });

  test('a read that fails matters only where the live decision looks it up', async () => {
    const optedOut: FakeState = {
      ...good,
      namespaces: { shop: { labels: { 'carm-webhook.dev/inject': 'disabled' } } },
    };
    for (const [live, reason] of [
      [optedOut, 'OptedOut'],
      [good, 'Unverified'],
    ] as const) {
      const cluster = new FakeCluster(good, live);
      const read: Cluster['read'] = (lookup, namespace, deadline) =>
        lookup.kind === 'Namespace'
          ? cluster.read(lookup, namespace, deadline)
          : Promise.reject(new UnverifiedError(429, 'the budget is spent'));
      assert.equal((await ask({ cache: cluster.cache, read }, { object: foreign })).record.reason, reason);
    }
  });
});

describe('the words of a denial are composed when they are spoken', () => {
  async function composed(reason: keyof typeof denials, act: () => Promise<unknown>): Promise<number> {
    const say = mock.method(denials[reason], 'say');
    try {
      await act();
      return say.mock.callCount();
    } finally {
      say.mock.restore();
    }
  }

  test('once, where the cluster denies what the cache denied', async () => {
    const act = () => ask(new FakeCluster(noMap, noMap), { object: pod() });
    assert.equal(await composed('AccountMapMissing', act), 1);
  });

  test('never, where the cluster allows it', async () => {
    const act = () => ask(new FakeCluster(noMap, good), { object: pod() });
    assert.equal(await composed('AccountMapMissing', act), 0);
  });

  test('never for a resource that is only asked whether it would be denied', async () => {
    const regional = { 'services.k8s.aws/default-region': 'eu-central-1' };
    const state: FakeState = {
      ...noMap,
      namespaces: {
        shop: {
          labels: { ...good.namespaces.shop.labels, 'carm-webhook.dev/mode': 'warn' },
          annotations: { ...good.namespaces.shop.annotations, ...regional },
        },
      },
    };
    const act = () => ask(new FakeCluster(state, state), created('Bucket', {}));
    assert.equal(await composed('AccountMapMissing', act), 0);
  });

  test('twice, where the log must not hold all of them', async () => {
    const act = () => ask(new FakeCluster(good, good), { object: foreign });
    assert.equal(await composed('RoleOutsideAccount', act), 2);
  });
});
