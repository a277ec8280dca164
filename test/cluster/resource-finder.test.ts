/** A search of all ACK resources while a review waits: complete or not answered, bounded by time and budget. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceSearch, StoredResource } from '../../src/admission/cluster.ts';
import { type BudgetOptions, ReadBudget } from '../../src/cluster/budget.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult } from '../../src/cluster/live-reads.ts';
import { ResourceFinder } from '../../src/cluster/resource-finder.ts';
import { connectionTo, until } from './watch-loop-harness.ts';

interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly delayMs?: number;
}

type Labels = Readonly<Record<string, string>>;
interface Placed {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Labels;
}

const groupOf = (name: string, ...versions: readonly string[]) => ({
  name,
  versions: versions.map(version => ({ groupVersion: `${name}/${version}`, version })),
  preferredVersion: { groupVersion: `${name}/${versions[0]}`, version: versions[0] },
});
const resources = (...items: readonly (readonly [name: string, kind: string])[]): Answer => ({
  body: { kind: 'APIResourceList', resources: items.map(([name, kind]) => ({ name, kind, namespaced: true })) },
});
const listOf = (...items: readonly Placed[]): Answer => ({
  body: {
    metadata: { resourceVersion: '9' },
    items: items.map(item => ({ metadata: { ...item, resourceVersion: '1' } })),
  },
});
const failure = (status: number, reason: string): Answer => ({
  status,
  body: { kind: 'Status', code: status, reason },
});

const s3 = '/apis/s3.services.k8s.aws/v1alpha1';
const sqs = '/apis/sqs.services.k8s.aws';
const shop = (name: string, labels: Labels = {}): Placed => ({ namespace: 'shop', name, labels });

/** A cluster with Buckets, and Queues of two versions. */
const cluster: Readonly<Record<string, Answer>> = {
  '/apis': {
    body: {
      groups: [
        groupOf('apps', 'v1'),
        groupOf('services.k8s.aws', 'v1alpha1'),
        groupOf('s3.services.k8s.aws', 'v1alpha1'),
        groupOf('sqs.services.k8s.aws', 'v1', 'v1alpha1'),
        groupOf('evil.services.k8s.aws.example.com', 'v1'),
      ],
    },
  },
  [s3]: resources(['buckets', 'Bucket'], ['buckets/status', 'Bucket']),
  [`${sqs}/v1`]: resources(['queues', 'Queue']),
  [`${sqs}/v1alpha1`]: resources(['queues', 'Queue']),
  [`${s3}/buckets`]: listOf(shop('assets', { tier: 'gold' }), { namespace: 'billing', name: 'invoices' }),
  [`${s3}/namespaces/shop/buckets`]: listOf(shop('assets', { tier: 'gold' })),
  [`${sqs}/v1/queues`]: listOf(shop('orders')),
  [`${sqs}/v1/namespaces/shop/queues`]: listOf(shop('orders')),
};

interface Finding {
  readonly answers: Record<string, Answer>;
  /** Path and query of each request. */
  readonly requests: string[];
  readonly accepted: Set<string | undefined>;
  readonly results: string[];
  readonly openRequests: () => number;
  readonly find: (search?: Partial<ResourceSearch>, limitMs?: number) => Promise<readonly StoredResource[]>;
}

async function finding(t: TestContext, budget: BudgetOptions = {}): Promise<Finding> {
  const answers = { ...cluster };
  const requests: string[] = [];
  const accepted = new Set<string | undefined>();
  let open = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    requests.push(url.pathname + url.search);
    if (/\/(?:buckets|queues)$/.test(url.pathname)) accepted.add(request.headers.accept);
    open += 1;
    response.once('close', () => {
      open -= 1;
    });
    const token = url.searchParams.get('continue');
    const {
      status = 200,
      body,
      delayMs = 0,
    } = answers[url.pathname + (token === null ? '' : `?${token}`)] ?? {
      status: 404,
      body: '404 page not found',
    };
    setTimeout(() => {
      if (!response.destroyed) response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    }, delayMs).unref();
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const pool = connectionTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).pool(8);
  const results: string[] = [];
  const onResult = (resource: string, result: LiveReadResult) => results.push(`${resource} ${result}`);
  const finder = new ResourceFinder({ pool, budget: new ReadBudget(budget), onResult });
  t.after(async () => {
    await pool.close();
    server.closeAllConnections();
    server.close();
  });
  const every: ResourceSearch = { types: [], namespaces: ['shop', 'billing'], wanted: () => true, atMost: 6 };
  return {
    answers,
    requests,
    accepted,
    results,
    openRequests: () => open,
    find: (search = {}, limitMs = 5000) => finder.find({ ...every, ...search }, '', performance.now() + limitMs),
  };
}

const namesOf = (found: readonly StoredResource[]) =>
  found.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`).sort();
const listsIn = (requests: readonly string[]) => requests.filter(request => request.includes('limit=')).sort();

describe('a search of ACK resources', { timeout: 30_000 }, () => {
  test('looks at every kind of every service, and at no other group', async t => {
    const { find, requests, results } = await finding(t);
    assert.deepEqual(namesOf(await find()), ['Bucket billing/invoices', 'Bucket shop/assets', 'Queue shop/orders']);
    assert.deepEqual(requests.filter(request => !request.includes('limit=')).sort(), [
      '/apis',
      s3,
      `${sqs}/v1`,
      `${sqs}/v1alpha1`,
    ]);
    assert.deepEqual(results, ['ack-resources found']);
  });

  test('reads metadata, and gives labels and every version of the kind', async t => {
    const { find, accepted } = await finding(t);
    const found = await find();
    assert.deepEqual(
      [...accepted],
      ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'],
    );
    const bucket = found.find(({ name }) => name === 'assets');
    assert.deepEqual(bucket?.labels, new Map([['tier', 'gold']]));
    assert.deepEqual(bucket.versions, ['v1alpha1']);
    assert.deepEqual(found.find(({ kind }) => kind === 'Queue')?.versions, ['v1', 'v1alpha1']);
  });

  test('lists only kinds of the types that are asked for', async t => {
    const { find, requests } = await finding(t);
    const types = [
      { group: '', version: '', kind: 'Bucket' },
      { group: 'sqs.services.k8s.aws', version: 'v2', kind: '' },
    ];
    assert.deepEqual(namesOf(await find({ types })), ['Bucket billing/invoices', 'Bucket shop/assets']);
    assert.deepEqual(listsIn(requests), [`${s3}/buckets?limit=100`]);
    requests.length = 0;
    await find({ types: [{ group: '', version: 'v1alpha1', kind: 'Queue' }] });
    assert.deepEqual(listsIn(requests), [`${sqs}/v1/queues?limit=100`], 'by a version that is not preferred');
  });

  test('lists within the namespace where it is one', async t => {
    const { find, requests } = await finding(t);
    assert.deepEqual(namesOf(await find({ namespaces: ['shop'] })), ['Bucket shop/assets', 'Queue shop/orders']);
    assert.deepEqual(listsIn(requests), [
      `${s3}/namespaces/shop/buckets?limit=100`,
      `${sqs}/v1/namespaces/shop/queues?limit=100`,
    ]);
  });

  test('gives what is wanted, and tells when that is nothing', async t => {
    const { find, results } = await finding(t);
    assert.deepEqual(namesOf(await find({ wanted: ({ name }) => name === 'orders' })), ['Queue shop/orders']);
    assert.deepEqual(await find({ wanted: () => false }), []);
    assert.deepEqual(results, ['ack-resources found', 'ack-resources absent']);
  });

  test('ends when enough is found: no page more', async t => {
    const { find, answers, requests } = await finding(t);
    const page = (first: number, next?: string): Answer => ({
      body: {
        metadata: { resourceVersion: '9', ...(next === undefined ? {} : { continue: next }) },
        items: Array.from({ length: 100 }, (_, index) => ({
          metadata: { namespace: 'shop', name: `b${first + index}`, resourceVersion: '1' },
        })),
      },
    });
    answers[`${s3}/buckets`] = page(0, 'second');
    answers[`${s3}/buckets?second`] = page(100, 'third');
    answers[`${s3}/buckets?third`] = page(200);
    const types = [{ group: '', version: '', kind: 'Bucket' }];
    assert.equal((await find({ types, atMost: 3 })).length, 3);
    assert.equal(listsIn(requests).length, 1);
    assert.equal((await find({ types, wanted: ({ name }) => name === 'b150', atMost: 1 })).length, 1);
    assert.equal(listsIn(requests).length, 3);
    assert.deepEqual(namesOf(await find({ types, wanted: ({ name }) => name === 'b299' })), ['Bucket shop/b299']);
  });

  test('finds nothing where no service is installed', async t => {
    const { find, answers } = await finding(t);
    answers['/apis'] = { body: { groups: [groupOf('apps', 'v1')] } };
    assert.deepEqual(await find(), []);
    answers['/apis'] = { body: { groups: null } };
    assert.deepEqual(await find(), []);
  });

  test('passes over a kind whose definition goes meanwhile', async t => {
    const { find, answers } = await finding(t);
    delete answers[`${s3}/buckets`];
    delete answers[`${sqs}/v1alpha1`];
    assert.deepEqual(namesOf(await find()), ['Queue shop/orders']);
  });

  for (const [what, path, answer, words] of [
    [
      'a list that is forbidden',
      `${s3}/buckets`,
      failure(403, 'Forbidden'),
      /buckets\.s3\.services\.k8s\.aws .*Forbidden/,
    ],
    ['a list that breaks', `${sqs}/v1/queues`, failure(500, 'InternalError'), /queues\.sqs\.services\.k8s\.aws .*500/],
    ['a list that is none', `${s3}/buckets`, { body: {} }, /buckets.* is not a list/],
    ['discovery that is forbidden', '/apis', failure(403, 'Forbidden'), /\/apis.* 403/],
    ['discovery that is not there', '/apis', { status: 404, body: 'no such page' }, /\/apis/],
    ['discovery that is none', '/apis', { body: {} }, /\/apis has no groups/],
    ['a group that breaks', s3, failure(503, 'ServiceUnavailable'), /s3\.services\.k8s\.aws\/v1alpha1.* 503/],
    ['a group that has no resources', s3, { body: { kind: 'Status' } }, /v1alpha1 has no resources/],
  ] as const) {
    test(`is not answered with ${what}`, async t => {
      const { find, answers, results } = await finding(t);
      answers[path] = answer;
      await assert.rejects(find(), error => {
        assert.ok(error instanceof LiveReadError, String(error));
        assert.match(error.message, words);
        return true;
      });
      assert.deepEqual(results, ['ack-resources error']);
    });
  }

  test('ends at its deadline, and so do its requests', async t => {
    const { find, answers, openRequests, results } = await finding(t);
    answers[`${s3}/buckets`] = { ...listOf(), delayMs: 10_000 };
    const started = performance.now();
    await assert.rejects(find({}, 150), LiveReadError);
    assert.ok(performance.now() - started < 1000);
    await until('no request is open', () => openRequests() === 0);
    assert.deepEqual(results, ['ack-resources error']);
  });

  test('waits for its budget, and says so when none comes in time', async t => {
    const bucket = { perSecond: 40, burst: 1 };
    const { find, requests, results } = await finding(t, { namespace: bucket });
    assert.equal((await find()).length, 3);
    await assert.rejects(find({}, 60), BudgetSpentError);
    assert.deepEqual(results, ['ack-resources found', 'ack-resources throttled']);
    const before = requests.length;
    await sleep(200);
    assert.ok(requests.length <= before + 1, 'it asks on after its end');
  });

  test('searches stand in line, and each is answered by what was there after it came', async t => {
    const { find, answers, requests } = await finding(t);
    answers['/apis'] = { ...(answers['/apis'] as Answer), delayMs: 50 };
    const first = find();
    await until('the first has begun', () => requests.length === 1);
    const second = find();
    await sleep(20);
    assert.equal(requests.length, 1, 'the second waits');
    await first;
    answers[`${sqs}/v1/queues`] = listOf();
    assert.equal((await second).length, 2);
    const late = find();
    await assert.rejects(find({}, 10), LiveReadError, 'a deadline counts in the line too');
    assert.equal((await late).length, 2);
  });
});
