/** A search of all ACK resources while a review waits: complete or not answered, bounded by time and budget. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceSearch, StoredResource } from '../../../src/admission/cluster.ts';
import type { BudgetOptions } from '../../../src/cluster/live/budget.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult } from '../../../src/cluster/live/live-read-result.ts';
import { ResourceFinder } from '../../../src/cluster/live/resource-finder.ts';
import { KeySet } from '../../../src/objects/key-set.ts';
import { connectionTo, until } from '../watch/watch-loop-harness.ts';

/** In place of what the server would answer. */
interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly delayMs?: number;
}

interface Placed {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly status?: unknown;
}

const groupOf = (name: string, ...[preferred = '', ...others]: readonly string[]) => ({
  name,
  // Not in the order of preference.
  versions: [...others, preferred].map(version => ({ groupVersion: `${name}/${version}`, version })),
  preferredVersion: { groupVersion: `${name}/${preferred}`, version: preferred },
});
const resources = (...items: readonly (readonly [name: string, kind: string])[]): Answer => ({
  body: { kind: 'APIResourceList', resources: items.map(([name, kind]) => ({ name, kind, namespaced: true })) },
});
const failure = (status: number, reason: string): Answer => ({
  status,
  body: { kind: 'Status', code: status, reason },
});
const notThere = failure(404, 'NotFound');

const s3 = '/apis/s3.services.k8s.aws/v1alpha1';
const sqs = '/apis/sqs.services.k8s.aws';
const place = (namespace: string, name: string, more: Partial<Placed> = {}): Placed => ({ namespace, name, ...more });

/** The groups and kinds: Buckets, and Queues of two versions. */
const kinds: Readonly<Record<string, Answer>> = {
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
};

/** Pages of a list, as the API server gives them. */
function listed(objects: readonly Placed[], url: URL): Answer {
  const [, namespace] = /\/namespaces\/([^/]+)\//.exec(url.pathname) ?? [];
  const labels = url.searchParams.get('labelSelector')?.split(',') ?? [];
  const matching = objects.filter(
    object =>
      (namespace === undefined || object.namespace === namespace) &&
      labels.every(pair => object.labels?.[pair.split('=')[0] ?? ''] === pair.split('=')[1]),
  );
  const start = Number(url.searchParams.get('continue') ?? 0);
  const end = start + Number(url.searchParams.get('limit'));
  const metadata = { resourceVersion: '9', ...(end < matching.length && { continue: String(end) }) };
  const items = matching
    .slice(start, end)
    .map(({ status, ...object }) => ({ metadata: { ...object, resourceVersion: '1' }, spec: { a: [] }, status }));
  return { body: { metadata, items } };
}

interface Finding {
  /** By the path of a request, without its query. */
  readonly answers: Record<string, Answer>;
  readonly buckets: Placed[];
  readonly queues: Placed[];
  /** Path and query of each request. */
  readonly requests: string[];
  readonly accepted: Set<string | undefined>;
  readonly results: string[];
  readonly openRequests: () => number;
  /** The most requests that were open at the same time. */
  readonly mostOpen: () => number;
  readonly find: (
    search?: Partial<ResourceSearch>,
    limitMs?: number,
    budgetNamespace?: string,
  ) => Promise<readonly StoredResource[]>;
}

async function finding(t: TestContext, budget: BudgetOptions = {}): Promise<Finding> {
  const answers = { ...kinds };
  const buckets = [place('shop', 'assets', { labels: { tier: 'gold' } }), place('billing', 'invoices')];
  const queues = [place('shop', 'orders')];
  const requests: string[] = [];
  const accepted = new Set<string | undefined>();
  let open = 0;
  let mostOpen = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    requests.push(url.pathname + url.search);
    const [, resource] = /\/(buckets|queues)$/.exec(url.pathname) ?? [];
    if (resource !== undefined) accepted.add(request.headers.accept);
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    response.once('close', () => {
      open -= 1;
    });
    const objects = resource === 'buckets' ? buckets : resource === 'queues' ? queues : undefined;
    const given = answers[url.pathname] ?? {};
    const {
      status = 200,
      body,
      delayMs = 0,
    } = given.body === undefined && given.status === undefined
      ? { ...(objects === undefined ? notThere : listed(objects, url)), ...given }
      : given;
    const answer = () => {
      if (!response.destroyed) response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    setTimeout(answer, delayMs).unref();
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const connection = connectionTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const results: string[] = [];
  const onResult = (resource: string, result: LiveReadResult) => results.push(`${resource} ${result}`);
  const finder = new ResourceFinder({ connection, budget, onResult });
  t.after(async () => {
    await finder.close();
    server.closeAllConnections();
    server.close();
  });
  const every: ResourceSearch = {
    types: [],
    namespaces: ['shop', 'billing'],
    labels: new Map(),
    wanted: () => true,
    atMost: 6,
  };
  return {
    answers,
    buckets,
    queues,
    requests,
    accepted,
    results,
    openRequests: () => open,
    mostOpen: () => mostOpen,
    find: (search = {}, limitMs = 5000, budgetNamespace = '') =>
      finder.find({ ...every, ...search }, budgetNamespace, performance.now() + limitMs),
  };
}

const namesOf = (found: readonly StoredResource[]) =>
  found.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`).sort();
const listsIn = (requests: readonly string[]) => requests.filter(request => request.includes('limit=')).sort();
const manyNamespaces = Array.from({ length: 400 }, (_, index) => `team-${index}`);
const bucketList = `${s3}/namespaces/shop/buckets`;
const queueList = `${sqs}/v1/namespaces/shop/queues`;
const bucketType = { group: '', version: '', kind: 'Bucket' };

describe('a search of ACK resources', { timeout: 30_000 }, () => {
  test('looks at every kind of every service, and at no other group', async t => {
    const { find, requests, results } = await finding(t);
    assert.deepEqual(namesOf(await find()), ['Bucket billing/invoices', 'Bucket shop/assets', 'Queue shop/orders']);
    const documents = requests.filter(request => !request.includes('limit=')).sort();
    assert.deepEqual(documents, ['/apis', s3, `${sqs}/v1`, `${sqs}/v1alpha1`]);
    assert.deepEqual(results, ['ack-resources found']);
  });

  test('reads metadata, and gives labels and every version of the kind, the preferred one first', async t => {
    const { find, accepted } = await finding(t);
    const found = await find();
    const list = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
    assert.deepEqual([...accepted], [list]);
    const bucket = found.find(({ name }) => name === 'assets');
    assert.deepEqual(bucket?.labels, new Map([['tier', 'gold']]));
    assert.deepEqual(bucket.versions, ['v1alpha1']);
    assert.deepEqual(found.find(({ kind }) => kind === 'Queue')?.versions, ['v1', 'v1alpha1']);
  });

  test('reads whole objects only where the status is asked for, and of them what ACK wrote down', async t => {
    const { find, accepted, buckets } = await finding(t);
    const recorded = { ownerAccountID: '111111111111', region: 'eu-west-1', arn: 'arn:aws:s3:::assets' };
    const annotations = { 'services.k8s.aws/region': 'eu-west-3', note: 'x' };
    const long = 'x'.repeat(100_000);
    const of = (name: string, ackResourceMetadata: unknown, more: Partial<Placed> = {}) =>
      place('shop', name, { status: { conditions: [{ status: 'True' }], ackResourceMetadata }, ...more });
    buckets.splice(
      0,
      2,
      of('taken-up', recorded, { annotations, labels: { tier: 'gold' } }),
      of('empty', { ownerAccountID: '', region: '' }, { annotations: { 'services.k8s.aws/region': '' } }),
      of('long', { ownerAccountID: long, region: long }, { annotations: { 'services.k8s.aws/region': long } }),
      of('malformed', { ownerAccountID: 111111111111, region: ['eu-west-1'] }),
      of('no-object', 'text'),
      place('shop', 'new'),
    );
    const judged = new Map<string, StoredResource>();
    const wanted = (resource: StoredResource) => judged.set(resource.name, resource).size > 0;
    const search = { types: [bucketType], namespaces: ['shop'], wanted };
    const found = await find({ ...search, readsStatus: true });
    assert.deepEqual([...accepted], ['application/json']);
    const nowhere = { accountId: undefined, region: undefined };
    const places = found.map(({ name, recorded, region }) => ({ name, recorded, region }));
    assert.deepEqual(places, [
      { name: 'empty', recorded: nowhere, region: '' },
      { name: 'long', recorded: { accountId: 'x'.repeat(64), region: 'x'.repeat(64) }, region: 'x'.repeat(64) },
      ...['malformed', 'new', 'no-object'].map(name => ({ name, recorded: nowhere, region: undefined })),
      { name: 'taken-up', recorded: { accountId: '111111111111', region: 'eu-west-1' }, region: 'eu-west-3' },
    ]);
    assert.deepEqual(found.at(-1)?.labels, new Map([['tier', 'gold']]));
    assert.deepEqual(new Set(judged.values()), new Set(found), 'what is judged is what is told');
    const [first] = await find({ ...search, wanted: () => true });
    assert.ok(first !== undefined && !('recorded' in first) && !('region' in first));
  });

  test('tells a few of what is asked besides, in whatever order they come: never in place of what is looked for', async t => {
    const { find, buckets } = await finding(t);
    const many = (name: string) => Array.from({ length: 150 }, (_, index) => place('shop', `${name}-${index}`));
    buckets.splice(0, 2, ...many('other'), place('shop', 'wanted'), ...many('third'));
    const starts = (text: string) => (resource: StoredResource) => resource.name.startsWith(text);
    const search = {
      types: [bucketType],
      namespaces: ['shop'],
      besides: [starts('other'), starts('third')],
      atMost: 3,
    };
    const namesFound = async (wanted: string) => {
      const found = await find({ ...search, wanted: starts(wanted) });
      return found.map(({ name }) => name).sort();
    };
    const besides = ['other-0', 'other-1', 'other-2', 'third-0', 'third-1', 'third-2'];
    assert.deepEqual(await namesFound('wanted'), [...besides, 'wanted']);
    assert.deepEqual(
      await namesFound('other-1'),
      ['other-0', 'other-1', 'other-10', 'other-11', 'other-2'],
      'enough ends it',
    );
  });

  test('what is asked besides is no answer to a search that failed', async t => {
    const { find, answers, results } = await finding(t);
    answers[queueList] = { ...failure(500, 'InternalError'), delayMs: 50 };
    const search = { namespaces: ['shop'], wanted: () => false, besides: [() => true] };
    await assert.rejects(find(search), LiveReadError);
    assert.deepEqual(results, ['ack-resources error']);
  });

  test('goes through pages of whole objects that are long', async t => {
    const { find, buckets, requests } = await finding(t);
    const status = { conditions: 'x'.repeat(250_000), ackResourceMetadata: { ownerAccountID: '111111111111' } };
    buckets.splice(0, 2, ...Array.from({ length: 50 }, (_, index) => place('shop', `b${index}`, { status })));
    const wanted = ({ recorded }: StoredResource) => recorded?.accountId === '111111111111';
    const search = { types: [bucketType], namespaces: ['shop'], wanted, atMost: 100, readsStatus: true };
    assert.equal((await find(search)).length, 50, 'each once');
    assert.deepEqual(
      requests.flatMap(request => /limit=(\d+)/.exec(request)?.[1] ?? []),
      ['100', '32', '32'],
    );
  });

  test('asks only for what can be of the types, group and kind', async t => {
    const { find, requests } = await finding(t);
    const types = [
      { group: 's3.services.k8s.aws', version: '', kind: 'Bucket' },
      { group: 's3.services.k8s.aws', version: 'v2', kind: '' },
    ];
    assert.deepEqual(namesOf(await find({ types, namespaces: manyNamespaces })), [
      'Bucket billing/invoices',
      'Bucket shop/assets',
    ]);
    assert.deepEqual(requests.sort(), ['/apis', s3, `${s3}/buckets?limit=100`]);
    requests.length = 0;
    await find({ types: [{ group: '', version: 'v1alpha1', kind: 'Queue' }], namespaces: ['shop'] });
    assert.deepEqual(listsIn(requests), [`${sqs}/v1/namespaces/shop/queues?limit=100`], 'by the preferred version');
  });

  test('lists namespace by namespace while that is few lists, else all at once', async t => {
    const { find, requests } = await finding(t);
    await find({ types: [bucketType] });
    assert.deepEqual(listsIn(requests), [
      `${s3}/namespaces/billing/buckets?limit=100`,
      `${s3}/namespaces/shop/buckets?limit=100`,
    ]);
    requests.length = 0;
    await find({ types: [bucketType], namespaces: manyNamespaces });
    assert.deepEqual(listsIn(requests), [`${s3}/buckets?limit=100`]);
    requests.length = 0;
    assert.deepEqual(await find({ namespaces: [] }), []);
    assert.deepEqual(await find({ namespaces: ['../secrets', 'No Name'] }), []);
    assert.deepEqual(listsIn(requests), []);
  });

  test('lists one namespace by itself, however many kinds there are', async t => {
    const { find, answers, requests } = await finding(t);
    const many = Array.from({ length: 300 }, (_, index) => [`kind${index}s`, `Kind${index}`] as const);
    answers[s3] = resources(['buckets', 'Bucket'], ...many);
    const search = { types: [{ group: 's3.services.k8s.aws', version: '', kind: '' }], namespaces: ['shop'] };
    assert.deepEqual(namesOf(await find(search, 20_000)), ['Bucket shop/assets']);
    assert.equal(listsIn(requests).filter(path => path.startsWith(`${s3}/namespaces/shop/`)).length, 301);
  });

  test('lets the API server sort out labels, those that can be labels', async t => {
    const { find, requests } = await finding(t);
    const search = { types: [bucketType], namespaces: ['shop'] };
    assert.equal((await find({ ...search, labels: new Map([['tier', 'gold']]) })).length, 1);
    assert.equal((await find({ ...search, labels: new Map([['tier', 'iron']]) })).length, 0);
    assert.deepEqual(listsIn(requests), [
      `${s3}/namespaces/shop/buckets?labelSelector=tier%3Dgold&limit=100`,
      `${s3}/namespaces/shop/buckets?labelSelector=tier%3Diron&limit=100`,
    ]);
    requests.length = 0;
    await find({
      ...search,
      labels: new Map([
        ['no key', 'x'],
        ['key', 'a,b=c'],
        ['', ''],
      ]),
    });
    assert.deepEqual(listsIn(requests), [`${s3}/namespaces/shop/buckets?limit=100`]);
  });

  test('reads the labels that are asked for, and of the others not even the names', async t => {
    const { find, buckets } = await finding(t);
    buckets.splice(0, 2, place('shop', 'assets', { labels: { tier: 'gold', other: 'x' } }));
    const search = { types: [bucketType], namespaces: ['shop'], readsStatus: true };
    for (const [keys, read] of [
      [['tier'], [['tier', 'gold']]],
      [[], []],
    ] as const) {
      const seen: unknown[] = [];
      const wanted = ({ labels }: StoredResource) => seen.push([...labels]) > 0;
      const [found] = await find({ ...search, wanted, labelKeys: new KeySet(keys) });
      assert.deepEqual([found && [...found.labels], seen[0]], [read, read]);
    }
  });

  test('gives what is wanted, and tells when that is nothing', async t => {
    const { find, results } = await finding(t);
    assert.deepEqual(namesOf(await find({ wanted: ({ name }) => name === 'orders' })), ['Queue shop/orders']);
    assert.deepEqual(await find({ wanted: () => false }), []);
    assert.deepEqual(results, ['ack-resources found', 'ack-resources absent']);
  });

  test('goes through all pages, and ends when enough is found', async t => {
    const { find, buckets, answers, requests } = await finding(t);
    buckets.splice(0, 2, ...Array.from({ length: 250 }, (_, index) => place('shop', `b${index}`)));
    // It would answer long after enough is found.
    answers[`${sqs}/v1/namespaces/shop/queues`] = { delayMs: 3_000 };
    const started = performance.now();
    assert.equal((await find({ namespaces: ['shop'], atMost: 3 })).length, 3);
    assert.ok(performance.now() - started < 1_500, 'lists that nobody needs any more are ended');
    requests.length = 0;
    const search = { types: [bucketType], namespaces: ['shop'] };
    assert.equal((await find({ ...search, wanted: ({ name }) => name === 'b150', atMost: 1 })).length, 1);
    assert.equal(listsIn(requests).length, 2);
    assert.deepEqual(namesOf(await find({ ...search, wanted: ({ name }) => name === 'b249' })), ['Bucket shop/b249']);
  });

  test('takes smaller pages where anyone wrote so much metadata that one is too long', async t => {
    const { find, buckets, requests } = await finding(t);
    const annotations = { note: 'x'.repeat(250_000) };
    buckets.splice(0, 2, ...Array.from({ length: 50 }, (_, index) => place('shop', `b${index}`, { annotations })));
    const search = { types: [bucketType], namespaces: ['shop'], atMost: 100 };
    assert.equal((await find(search)).length, 50, 'each once');
    const limits = requests.flatMap(request => /limit=(\d+)/.exec(request)?.[1] ?? []);
    assert.deepEqual(limits, ['100', '32', '32']);
    buckets.splice(0, 50, place('shop', 'huge', { annotations: { note: 'x'.repeat(9_000_000) } }));
    assert.equal((await find(search)).length, 1, 'larger than a page, and no larger than an object can be');
    buckets.splice(0, 1, place('shop', 'impossible', { annotations: { note: 'x'.repeat(34_000_000) } }));
    await assert.rejects(find(search), LiveReadError);
  });

  test('uses two connections of its own', async t => {
    const { find, answers, mostOpen } = await finding(t);
    for (const path of Object.keys(kinds)) answers[path] = { ...(kinds[path] as Answer), delayMs: 10 };
    await find({ namespaces: ['shop'] });
    assert.equal(mostOpen(), 2);
  });

  test('finds nothing where no service is installed', async t => {
    const { find, answers } = await finding(t);
    answers['/apis'] = { body: { groups: [groupOf('apps', 'v1')] } };
    assert.deepEqual(await find(), []);
    answers['/apis'] = { body: { groups: null } };
    assert.deepEqual(await find(), []);
  });

  test('passes over a kind whose definition goes meanwhile, in the words of the API server', async t => {
    const { find, answers } = await finding(t);
    answers[`${s3}/namespaces/shop/buckets`] = notThere;
    answers[`${s3}/namespaces/billing/buckets`] = notThere;
    answers[`${sqs}/v1alpha1`] = notThere;
    assert.deepEqual(namesOf(await find()), ['Queue shop/orders']);
    answers[`${s3}/namespaces/shop/buckets`] = { status: 404, body: '404 page not found' };
    await assert.rejects(find({ wanted: () => false }), LiveReadError, 'of a proxy it may be');
  });

  for (const [what, path, answer, words] of [
    ['a list that is forbidden', bucketList, failure(403, 'Forbidden'), /buckets\.s3\.services\.k8s\.aws .*Forbidden/],
    ['a list that breaks', queueList, failure(500, 'InternalError'), /queues\.sqs\.services\.k8s\.aws .*500/],
    ['a list that is none', bucketList, { body: {} }, /buckets.* is not a list/],
    ['discovery that is forbidden', '/apis', failure(403, 'Forbidden'), /\/apis.* 403/],
    ['discovery that is not there', '/apis', notThere, /\/apis/],
    ['discovery that is none', '/apis', { body: {} }, /\/apis has no groups/],
    ['a group that breaks', s3, failure(503, 'ServiceUnavailable'), /s3\.services\.k8s\.aws\/v1alpha1.* 503/],
    ['a group that has no resources', s3, { body: { kind: 'Status' } }, /v1alpha1 has no resources/],
  ] as const) {
    test(`is not answered with ${what}, and the next one is`, async t => {
      const { find, answers, results } = await finding(t);
      const before = answers[path];
      answers[path] = answer;
      await assert.rejects(find({ wanted: () => false }), error => {
        assert.ok(error instanceof LiveReadError, String(error));
        assert.match(error.message, words);
        return true;
      });
      assert.deepEqual(results, ['ack-resources error']);
      if (before === undefined) delete answers[path];
      else answers[path] = before;
      assert.equal((await find()).length, 3);
    });
  }

  test('what is found before something fails is an answer', async t => {
    const { find, answers, results } = await finding(t);
    answers[queueList] = { ...failure(500, 'InternalError'), delayMs: 50 };
    answers[`${sqs}/v1/namespaces/billing/queues`] = failure(500, 'InternalError');
    assert.deepEqual(namesOf(await find({ wanted: ({ kind }) => kind === 'Bucket' })), [
      'Bucket billing/invoices',
      'Bucket shop/assets',
    ]);
    assert.deepEqual(results, ['ack-resources found']);
    answers[queueList] = { delayMs: 10_000 };
    assert.ok((await find({ namespaces: ['shop'] }, 200)).length > 0, 'or before it is late');
  });

  test('ends at its deadline with what hung, and so do its requests', async t => {
    const { find, answers, openRequests, results } = await finding(t);
    answers[bucketList] = { delayMs: 10_000 };
    const started = performance.now();
    const search = { types: [bucketType], namespaces: ['shop'] };
    await assert.rejects(find(search, 600), /the list of buckets\.s3\.services\.k8s\.aws .*in time/);
    assert.ok(performance.now() - started < 3000);
    await until('no request is open', () => openRequests() === 0);
    assert.deepEqual(results, ['ack-resources error']);
    delete answers[bucketList];
    assert.equal((await find(search)).length, 1, 'the next one is answered');
  });

  test('waits for its budget, a token a page, and says so when none comes in time', async t => {
    const bucket = { perSecond: 50, burst: 1 };
    const { find, buckets, requests, results } = await finding(t, { namespace: bucket });
    buckets.splice(0, 2, ...Array.from({ length: 250 }, (_, index) => place('shop', `b${index}`)));
    const search = { types: [bucketType], namespaces: ['shop'], wanted: () => false };
    const started = performance.now();
    await find(search);
    assert.equal(requests.length, 7, 'four documents and three pages');
    assert.ok(performance.now() - started > 90, 'one more than the burst each 20 ms');
    await assert.rejects(find(search, 60), BudgetSpentError);
    assert.deepEqual(results, ['ack-resources absent', 'ack-resources throttled']);
    const before = requests.length;
    await sleep(200);
    assert.ok(requests.length <= before + 1, 'it asks on after its end');
  });

  test('searches stand in line, and each is answered by what was there after it came', async t => {
    const { find, answers, queues, requests } = await finding(t);
    answers['/apis'] = { ...(answers['/apis'] as Answer), delayMs: 300 };
    const first = find();
    await until('the first has begun', () => requests.length === 1);
    const second = find();
    await sleep(20);
    assert.equal(requests.length, 1, 'the second waits');
    await first;
    queues.length = 0;
    assert.equal((await second).length, 2);
    const late = find();
    await assert.rejects(find({}, 10), LiveReadError, 'a deadline counts in the line too');
    assert.equal((await late).length, 2);
  });

  test('takes each namespace in turn: whoever asks for many waits behind themselves', async t => {
    const { find, answers, requests } = await finding(t);
    answers['/apis'] = { ...(answers['/apis'] as Answer), delayMs: 10 };
    const ended: string[] = [];
    const ask = (namespace: string) => find({}, 5000, namespace).then(() => ended.push(namespace));
    const many = Array.from({ length: 20 }, () => ask('greedy'));
    await until('the first has begun', () => requests.length > 0);
    const others = [ask('shop'), ask('billing')];
    await Promise.all(others);
    assert.ok(ended.filter(namespace => namespace === 'greedy').length <= 3, ended.join());
    await Promise.all(many);
    assert.equal(ended.length, 22, 'and nobody is forgotten');
  });

  test('what one namespace spends is not taken from another', async t => {
    const { find, results } = await finding(t, { namespace: { perSecond: 0.001, burst: 8 } });
    await find({ wanted: () => false }, 5000, 'greedy');
    await assert.rejects(find({ wanted: () => false }, 100, 'greedy'), BudgetSpentError);
    await find({ wanted: () => false }, 5000, 'shop');
    assert.deepEqual(results, ['ack-resources absent', 'ack-resources throttled', 'ack-resources absent']);
  });
});
