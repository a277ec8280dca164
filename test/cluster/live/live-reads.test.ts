/** Reads while a review waits: fresh, shared, bounded by time and budget, never a guess. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { ApiPool } from '../../../src/cluster/api/api-connection.ts';
import { type BudgetOptions, ReadBudget } from '../../../src/cluster/live/budget.ts';
import type { LiveReadResult } from '../../../src/cluster/live/live-read-result.ts';
import { LiveReads } from '../../../src/cluster/live/live-reads.ts';
import { projection } from '../../../src/cluster/projections/projection.ts';
import { FakeApiServer } from '../fake-api-server.ts';
import { connectionTo, until } from '../watch/watch-loop-harness.ts';

interface Reading {
  readonly server: FakeApiServer;
  readonly pool: ApiPool;
  readonly reads: LiveReads<string>;
  readonly results: LiveReadResult[];
  readonly read: (name: string, limitMs?: number) => Promise<string | undefined>;
}

/** Keeps each object's resourceVersion. */
async function withReads(run: (reading: Reading) => Promise<void>, budget: BudgetOptions = {}): Promise<void> {
  const server = new FakeApiServer();
  await server.start();
  const pool = connectionTo(server.url).pool(8);
  const results: LiveReadResult[] = [];
  const reads = new LiveReads<string>({
    pool,
    resource: 'serviceaccounts',
    path: ({ namespace, name }) => `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`,
    metadataOnly: true,
    projection: projection(() => ({ value: ({ resourceVersion }) => resourceVersion })),
    budget: new ReadBudget(budget),
    onResult: (_resource, result) => results.push(result),
  });
  const read = (name: string, limitMs = 1000) => reads.read({ namespace: 'team', name }, performance.now() + limitMs);
  try {
    await run({ server, pool, reads, results, read });
    assert.equal(reads.inFlight, 0, 'nothing is in flight when all are answered');
  } finally {
    await pool.close();
    await server.stop();
  }
}

describe('live reads', { timeout: 30_000 }, () => {
  test('found, absent', async () => {
    await withReads(async ({ server, read, results }) => {
      server.put('team', 'sa');
      assert.equal(await read('sa'), '101');
      assert.equal(await read('other'), undefined);
      assert.deepEqual(results, ['found', 'absent']);
    });
  });

  test('a name that no object can have is absent, and gets into no path', async () => {
    await withReads(async ({ server, reads, read }) => {
      for (const name of [
        '',
        '.',
        '..',
        '../x',
        'a/b',
        'a?b',
        'A',
        'a%2fb',
        'a b',
        '-a',
        'a'.repeat(254),
        '__proto__',
      ]) {
        assert.equal(await read(name), undefined, name);
        assert.equal(await reads.read({ namespace: name, name: 'x' }, performance.now() + 1000), undefined, name);
      }
      assert.equal(server.requests.length, 0);
    });
  });

  test('who comes during a read waits for the next one, and shares it', async () => {
    await withReads(async ({ server, read, results }) => {
      server.put('team', 'sa');
      server.faultFor = () => ({ kind: 'slow', delayMs: 60 });
      const first = read('sa');
      await until('the first is asked', () => server.requests.length === 1);
      const others = [read('sa'), read('sa'), read('sa')];
      await first;
      // What the first has read is by now older than the questions of the others.
      server.put('team', 'sa');
      assert.deepEqual(await Promise.all(others), ['102', '102', '102']);
      assert.equal(server.requests.length, 2);
      assert.deepEqual(results, ['shared', 'shared', 'found', 'found']);
    });
  });

  test('property: no answer is older than its question, and one object is read once at a time', async () => {
    const caller = fc.record({
      atMs: fc.integer({ min: 0, max: 60 }),
      name: fc.constantFrom('a', 'b'),
      changeFirst: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(caller, { minLength: 5, maxLength: 40 }),
        fc.integer({ min: 1, max: 30 }),
        async (callers, delayMs) => {
          await withReads(async ({ server, read }) => {
            const open = new Map<string, number>();
            server.put('team', 'a');
            server.put('team', 'b');
            server.faultFor = ({ url }) => {
              const count = (open.get(url.pathname) ?? 0) + 1;
              open.set(url.pathname, count);
              assert.equal(count, 1, 'a second read of the object while one is in flight');
              // Answered before the client can ask again, so counted down before.
              setTimeout(() => open.set(url.pathname, 0), delayMs - 1);
              return { kind: 'slow', delayMs };
            };
            await Promise.all(
              callers.map(async ({ atMs, name, changeFirst }) => {
                await sleep(atMs);
                if (changeFirst) server.put('team', name);
                const asked = Number(server.objects.get(`team/${name}`)?.metadata.resourceVersion);
                const answer = Number(await read(name, 5000));
                assert.ok(answer >= asked, `asked when it was ${asked}, answered ${answer}`);
              }),
            );
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  test('a caller is held to his own deadline; nobody else is', async () => {
    await withReads(async ({ server, read, reads }) => {
      server.put('team', 'sa');
      server.faultFor = () => ({ kind: 'slow', delayMs: 120 });
      const first = read('sa', 1000);
      await until('asked', () => server.requests.length === 1);
      const startedAt = performance.now();
      const patient = read('sa', 1000);
      await assert.rejects(read('sa', 30), { code: 'LiveRead' });
      assert.ok(performance.now() - startedAt < 100);
      assert.equal(await first, '101');
      assert.equal(await patient, '101');
      await assert.rejects(read('sa', 0), { code: 'LiveRead' });
      await assert.rejects(read('sa', Number.NaN), { code: 'LiveRead' });
      assert.equal(reads.inFlight, 0);
    });
  });

  test('a read that all have left is ended, and does not spoil the next', async () => {
    await withReads(async ({ server, pool, read }) => {
      server.put('team', 'sa');
      server.faultFor = () => ({ kind: 'silence' });
      const first = assert.rejects(read('sa', 200), { code: 'LiveRead' });
      // Joins what comes after the first, leaves before it starts, and is followed by one who stays.
      const left = assert.rejects(read('sa', 10), { code: 'LiveRead' });
      await sleep(20);
      const stays = read('sa', 1000);
      await Promise.all([first, left]);
      server.faultFor = () => undefined;
      assert.equal(await stays, '101');
      await until('no socket hangs', () => pool.openSockets <= 1);
    });
  });

  test('a read that nobody waits for any more is not made', async () => {
    await withReads(async ({ server, read, reads }) => {
      server.faultFor = () => ({ kind: 'slow', delayMs: 80 });
      const first = read('sa', 1000);
      await until('asked', () => server.requests.length === 1);
      await assert.rejects(read('sa', 20), { code: 'LiveRead' });
      await first;
      await until('nothing in flight', () => reads.inFlight === 0);
      assert.equal(server.requests.length, 1);
    });
  });

  test('a connection that died in silence costs part of the time, not the answer', async () => {
    await withReads(async ({ server, read }) => {
      server.put('team', 'sa');
      let faults = 1;
      server.faultFor = () => {
        faults -= 1;
        return faults === 0 ? { kind: 'silence' } : undefined;
      };
      assert.equal(await read('sa', 500), '101');
      assert.equal(server.requests.length, 2);
    });
  });

  test('so do several that died at once: the second try meets none of them', async () => {
    await withReads(async ({ server, pool, read }) => {
      const names = ['a', 'b', 'c', 'd'];
      for (const name of names) server.put('team', name);
      const open = new Set<object>();
      server.faultFor = ({ socket }) => {
        open.add(socket);
        return { kind: 'slow', delayMs: 50 };
      };
      await Promise.all(names.map(name => read(name)));
      assert.equal(open.size, names.length);
      await until('they are kept', () => pool.openSockets === names.length);
      server.faultFor = ({ socket }) => (open.has(socket) ? { kind: 'silence' } : undefined);
      assert.equal(await read('a', 500), '101');
    });
  });

  test('what may pass is tried again while there is time', async () => {
    await withReads(async ({ server, read }) => {
      server.put('team', 'sa');
      for (const status of [500, 503, 429]) {
        let faults = 2;
        server.faultFor = () => {
          faults -= 1;
          return faults >= 0 ? { kind: 'status', status } : undefined;
        };
        assert.equal(await read('sa', 2000), '101');
      }
      server.faultFor = () => ({ kind: 'status', status: 429, retryAfter: '5' });
      const startedAt = performance.now();
      await assert.rejects(read('sa', 1000), { code: 'LiveRead' });
      assert.ok(performance.now() - startedAt < 500, 'does not wait for what cannot come in time');
    });
  });

  test('a server that is gone, a refusal, an answer to another question: errors, not absence', async () => {
    await withReads(async ({ server, read, results }) => {
      server.put('team', 'sa');
      for (const fault of [
        { kind: 'status', status: 403, reason: 'Forbidden' },
        { kind: 'status', status: 404 },
        { kind: 'html' },
      ] as const) {
        server.faultFor = () => fault;
        await assert.rejects(read('absent', 300), { code: 'LiveRead' });
      }
      server.objects.set('team/other', {
        metadata: { name: 'sa', namespace: 'team', resourceVersion: '1', annotations: {} },
      });
      server.faultFor = () => undefined;
      await assert.rejects(read('other', 300), { code: 'LiveRead' });
      await server.stop();
      await assert.rejects(read('sa', 300), { code: 'LiveRead' });
      assert.deepEqual(new Set(results), new Set(['error']));
    });
  });

  test('a spent budget is said at once, for the namespace that spent it', async () => {
    const budget = { namespace: { perSecond: 0.001, burst: 3 }, total: { perSecond: 0.001, burst: 5 } };
    await withReads(async ({ server, reads, read, results }) => {
      for (let i = 0; i < 3; i += 1) await read(`sa-${i}`);
      await assert.rejects(read('sa-3'), { code: 'BudgetSpent' });
      const elsewhere = (name: string) => reads.read({ namespace: 'other', name }, performance.now() + 1000);
      await elsewhere('x');
      await elsewhere('y');
      await assert.rejects(elsewhere('z'), { code: 'BudgetSpent' });
      assert.equal(server.requests.length, 5);
      assert.deepEqual(results.slice(-1), ['throttled']);
    }, budget);
  });
});
