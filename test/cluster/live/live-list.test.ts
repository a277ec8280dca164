/** A whole list while a review waits: fresh, paged, bounded by time and budget, never a guess. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BudgetOptions, ReadBudget } from '../../../src/cluster/live/budget.ts';
import { LiveList } from '../../../src/cluster/live/live-list.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult } from '../../../src/cluster/live/live-read-result.ts';
import { projection } from '../../../src/cluster/projections/projection.ts';
import { collectionPath, FakeApiServer } from '../fake-api-server.ts';
import { connectionTo, until } from '../watch/watch-loop-harness.ts';

interface Listing {
  readonly server: FakeApiServer;
  readonly results: LiveReadResult[];
  readonly read: (budgetNamespace?: string, limitMs?: number) => Promise<readonly string[] | undefined>;
}

async function withList(
  run: (listing: Listing) => Promise<void>,
  budget: BudgetOptions = {},
  mayBeMissing = false,
): Promise<void> {
  const server = new FakeApiServer();
  await server.start();
  const pool = connectionTo(server.url).pool(8);
  const results: LiveReadResult[] = [];
  const list = new LiveList<string>({
    pool,
    resource: 'serviceaccounts',
    path: collectionPath,
    metadataOnly: true,
    mayBeMissing,
    projection: projection(() => ({ value: ({ name }) => name })),
    budget: new ReadBudget(budget),
    onResult: (_resource, result) => results.push(result),
  });
  try {
    await run({
      server,
      results,
      read: (budgetNamespace = 'team', limitMs = 2000) => list.read(budgetNamespace, performance.now() + limitMs),
    });
  } finally {
    await pool.close();
    await server.stop();
  }
}

describe('a live list', { timeout: 30_000 }, () => {
  test('holds every object, over all pages, as metadata', async () => {
    await withList(async ({ server, read, results }) => {
      const expected = Array.from({ length: 1_201 }, (_, index) => `sa-${index}`);
      for (const name of expected) server.put('team', name);
      assert.deepEqual((await read())?.toSorted(), expected.toSorted());
      assert.deepEqual(
        server.requests.map(({ kind }) => kind),
        ['list', 'page', 'page'],
      );
      for (const { headers } of server.requests) {
        assert.match(headers.accept ?? '', /^application\/json;as=PartialObjectMetadataList/);
      }
      assert.deepEqual(results, ['found']);
    });
  });

  test('is asked again each time, and never from an old version', async () => {
    await withList(async ({ server, read }) => {
      assert.deepEqual(await read(), []);
      server.put('team', 'one');
      assert.deepEqual(await read(), ['one']);
      server.delete('team/one');
      assert.deepEqual(await read(), []);
      for (const { url } of server.requests) assert.equal(url.searchParams.get('resourceVersion'), null);
    });
  });

  test('who comes during a list waits for the next one, and shares it', async () => {
    await withList(async ({ server, read }) => {
      server.put('team', 'one');
      server.faultFor = () => ({ kind: 'slow', delayMs: 60 });
      const first = read();
      await until('the first is asked', () => server.requests.length === 1);
      const others = [read(), read('other'), read('third')];
      await first;
      // What the first has listed is by now older than the questions of the others.
      server.put('team', 'two');
      for (const list of await Promise.all(others)) assert.deepEqual(list?.toSorted(), ['one', 'two']);
      assert.equal(server.requests.length, 2);
    });
  });

  test('of a resource that may be missing, and is, is undefined, not empty', async () => {
    const missing = async ({ server, read, results }: Listing) => {
      server.faultFor = () => ({ kind: 'status', status: 404, reason: 'NotFound' });
      assert.equal(await read(), undefined);
      assert.deepEqual(results, ['absent']);
    };
    await withList(missing, {}, true);
  });

  test('of a resource that every server has is no list when something answers 404', async () => {
    await withList(async ({ server, read, results }) => {
      server.faultFor = () => ({ kind: 'status', status: 404 });
      await assert.rejects(read(), LiveReadError);
      assert.deepEqual(results, ['error']);
    });
  });

  const faults = {
    'an error': { kind: 'status', status: 500 },
    'a refusal': { kind: 'status', status: 403, reason: 'Forbidden' },
    'a server that is busy': { kind: 'status', status: 429 },
    'something else than JSON': { kind: 'html' },
    'half of an answer': { kind: 'half-body' },
    'a reset': { kind: 'reset' },
  } as const;
  for (const [what, fault] of Object.entries(faults)) {
    test(`by ${what} is an error, never half a list`, async () => {
      await withList(async ({ server, read, results }) => {
        server.put('team', 'one');
        server.faultFor = () => fault;
        await assert.rejects(read(), LiveReadError);
        assert.deepEqual(results, ['error']);
      });
    });
  }

  test('whose version expires between two pages is an error, never half a list', async () => {
    await withList(async ({ server, read }) => {
      for (let index = 0; index < 600; index += 1) server.put('team', `sa-${index}`);
      server.faultFor = ({ kind }) => (kind === 'page' ? { kind: 'expired-page' } : undefined);
      await assert.rejects(read(), LiveReadError);
    });
  });

  test('that never ends is an error at its deadline', async () => {
    await withList(async ({ server, read, results }) => {
      server.put('team', 'one');
      server.faultFor = () => ({ kind: 'endless-list' });
      const startedAt = performance.now();
      await assert.rejects(read('team', 300), LiveReadError);
      assert.ok(performance.now() - startedAt < 1500);
      await until('the list is given up', () => results.length === 1);
      assert.deepEqual(results, ['error']);
    });
  });

  test('ends at the deadline of who waits, also one that is past', async () => {
    await withList(async ({ server, read }) => {
      server.faultFor = () => ({ kind: 'silence' });
      for (const limitMs of [150, 0, -1000]) {
        const startedAt = performance.now();
        await assert.rejects(read('team', limitMs), LiveReadError);
        assert.ok(performance.now() - startedAt < 1500);
      }
    });
  });

  test('is paid by the namespace of the review: one that spends its budget takes nothing of the others', async () => {
    const budget = { namespace: { perSecond: 0.001, burst: 2 }, total: { perSecond: 0.001, burst: 3 } };
    await withList(async ({ server, read, results }) => {
      await read('greedy');
      await read('greedy');
      await assert.rejects(read('greedy'), BudgetSpentError);
      assert.equal(server.requests.length, 2, 'nothing is sent for it');
      assert.deepEqual(await read('modest'), []);
      await assert.rejects(read('third'), BudgetSpentError);
      assert.deepEqual(results, ['found', 'found', 'throttled', 'found', 'throttled']);
    }, budget);
  });
});
