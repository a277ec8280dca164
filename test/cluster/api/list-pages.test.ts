/** A list is whole and of one version, or it is an error. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { listPages, withQuery } from '../../../src/cluster/api/list-pages.ts';
import { projection } from '../../../src/cluster/projections/projection.ts';
import { connectionTo } from '../watch/watch-loop-harness.ts';

const item = (name: string) => ({ metadata: { name, namespace: 'team', resourceVersion: '1' } });
const page = (items: unknown, next?: string, resourceVersion: unknown = '5') => ({
  metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) },
  items,
});

interface Listed {
  readonly names: readonly string[];
  readonly version: string;
  readonly asked: readonly string[];
  readonly connections: number;
}

/** Lists against a server that gives these answers one after the other. */
async function listOf(answers: readonly unknown[]): Promise<Listed> {
  const asked: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(JSON.stringify(answers[asked.length - 1] ?? 'no more answers'));
  });
  server.on('connection', () => {
    connections += 1;
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const pool = connectionTo(`http://127.0.0.1:${port}`).pool(1);
  const names: string[] = [];
  try {
    const version = await listPages(pool, '/things?fieldSelector=a%3Db', {
      accept: 'application/json',
      pageSize: 2,
      signal: AbortSignal.timeout(3000),
      projection: projection(() => ({ value: () => undefined })),
      onObject: ({ name }) => names.push(name),
      onPage: () => {},
    });
    return { names, version, asked, connections };
  } finally {
    await pool.close();
    server.close();
  }
}

test('pages are asked for by their tokens, and none is sent a version', async () => {
  const { names, version, asked } = await listOf([page([item('a'), item('b')], 't=1&x'), page([item('c')])]);
  assert.deepEqual(names, ['a', 'b', 'c']);
  assert.equal(version, '5');
  assert.deepEqual(asked, [
    '/things?fieldSelector=a%3Db&limit=2',
    '/things?fieldSelector=a%3Db&limit=2&continue=t%3D1%26x',
  ]);
});

test('pages come over one connection', async () => {
  const pages = Array.from({ length: 9 }, (_, index) => page([item(`sa-${index}`)], `page-${index}`));
  const { names, connections } = await listOf([...pages, page([])]);
  assert.deepEqual([names.length, connections], [9, 1]);
});

test('tokens that go in a circle are no list', async () => {
  const pages = Array.from({ length: 50 }, (_, index) => page([], `page-${index < 4 ? index : 4 + (index % 3)}`));
  await assert.rejects(listOf(pages), { message: 'the list never ends: a continue token was repeated' });
});

test('a token or version that is longer than any is refused', async () => {
  await assert.rejects(listOf([page([], 't'.repeat(9000)), page([])]), { code: 'ApiProtocol' });
  await assert.rejects(listOf([page([], undefined, '1'.repeat(2000))]), { code: 'ApiProtocol' });
});

test('an empty list may be null', async () => {
  assert.deepEqual((await listOf([page(null)])).names, []);
});

for (const [what, answers] of [
  ['pages of two versions', [page([item('a')], 'x'), page([item('b')], undefined, '6')]],
  ['a token that comes twice', [page([item('a')], 'x'), page([item('b')], 'x'), page([item('c')])]],
  ['no version', [page([], undefined, '')]],
  ['a version that is a number', [page([], undefined, 5)]],
  ['no items', [{ metadata: { resourceVersion: '5' } }]],
  ['items that are an object', [page({})]],
  ['an item without a name', [page([{ metadata: { resourceVersion: '1' } }])]],
  ['an array', [[]]],
] as const) {
  test(`${what}: no list`, async () => {
    await assert.rejects(listOf(answers), { code: 'ApiProtocol' });
  });
}

test('parameters are added to a path with and without a query', () => {
  assert.equal(withQuery('/a', { b: 'c d' }), '/a?b=c+d');
  assert.equal(withQuery('/a?x=1', { b: '2' }), '/a?x=1&b=2');
  assert.equal(withQuery('/a', {}), '/a');
});
