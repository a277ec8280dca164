/**
 * Searches of many resources, and of hostile ones, over TLS: they end in time or say that they did not, in bounded memory,
 * and hold up nobody. CARM_SEARCH_TIMES=10 is the long form.
 */

import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ResourceSearch } from '../../../src/admission/cluster.ts';
import { BudgetSpentError, LiveReadError } from '../../../src/cluster/live/live-read-result.ts';
import { ResourceFinder } from '../../../src/cluster/live/resource-finder.ts';
import { cpuTimeMs } from '../../cpu-time.ts';
import { LongestTurn } from '../longest-turn.ts';
import { connectionTo } from '../watch/watch-loop-harness.ts';
import { LargeApiServer, type LargeCluster } from './large-api-server.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const times = Number(process.env['CARM_SEARCH_TIMES'] ?? 1);
/** Of a review, by the shipped configurations; others may load the machine, so the work of the thread is held to it. */
const mostCpuMs = 4500;
const limitMs = 60_000;
/** What a search may hold, and the noise of the process. */
const mostBytes = 16_000_000;
const kinds = 20;
const ordinary = { kinds, objectBytes: times > 1 ? 8000 : 2000, shape: 'ordinary' } as const;
const needle = ({ recorded }: { readonly recorded?: { readonly accountId: string | undefined } }) =>
  recorded?.accountId === '222222222222';

function searchOf(namespaces: readonly string[], wanted: ResourceSearch['wanted']): ResourceSearch {
  return { types: [], namespaces, labels: new Map(), wanted, atMost: 6, readsStatus: true };
}

/** What is alive, whatever can be collected. */
function heapUsed(): number {
  collect();
  // What an answer came in is let go of in the background.
  collect();
  const { heapUsed: heap, external } = process.memoryUsage();
  return heap + external;
}

describe('a search of many resources', { timeout: 120_000 }, () => {
  let server: LargeApiServer;
  let finder: ResourceFinder;

  before(async () => {
    server = await LargeApiServer.start();
    finder = new ResourceFinder({ connection: connectionTo(server.url) });
    // What code and connections take is none of a search's cost.
    await server.hold({ ...ordinary, namespaces: { shop: 1 } });
    await finder.find(searchOf(['shop'], needle), 'warm-up', performance.now() + limitMs);
  });
  after(async () => {
    await finder?.close();
    await server?.stop();
  });

  /** Looks for the last resource of all, and measures. */
  async function measured(t: TestContext, cluster: LargeCluster, sampleEvery: number, mostMs = limitMs) {
    await server.hold(cluster);
    const start = heapUsed();
    let most = start;
    let seen = 0;
    const wanted: ResourceSearch['wanted'] = resource => {
      seen += 1;
      if (seen % sampleEvery === 0) most = Math.max(most, heapUsed());
      return needle(resource);
    };
    const turns = new LongestTurn();
    const startedAt = performance.now();
    const cpuAtStart = cpuTimeMs();
    const search = searchOf(Object.keys(cluster.namespaces), wanted);
    const found = await finder.find(search, 'shop', startedAt + mostMs).catch((error: unknown) => error);
    const ms = Math.round(performance.now() - startedAt);
    turns.stop();
    const cpuMs = Math.round(cpuTimeMs() - cpuAtStart);
    const { requests, bytes } = await server.count();
    const grown = most - start;
    t.diagnostic(
      `${ms} ms, of them ${cpuMs} of work, ${requests} requests, ${Math.round(bytes / 1e6)} MB, ${seen} objects, ${Math.round(grown / 1000)} kB held, longest turn ${Math.round(turns.takeMs())} ms`,
    );
    assert.ok(grown < mostBytes, `${grown} bytes are held`);
    assert.ok(cpuMs < mostCpuMs, `${cpuMs} ms of work`);
    return { found, ms, seen, requests };
  }

  const clusters: Readonly<Record<string, LargeCluster>> = {
    '5,000 of 20 kinds in a namespace': { ...ordinary, namespaces: { shop: 250 } },
    '20,000 of 20 kinds in a cluster': {
      ...ordinary,
      namespaces: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`team-${index}`, 25])),
    },
  };
  for (const [what, cluster] of Object.entries(clusters)) {
    for (let time = 1; time <= times; time++) {
      test(`finds the last of ${what} in the time of a review (${time})`, async t => {
        const { found, seen } = await measured(t, cluster, 1000);
        assert.ok(Array.isArray(found), String(found));
        assert.equal(found.length, 1);
        const all = Object.values(cluster.namespaces).reduce((sum, count) => sum + count, 0) * kinds;
        // The one that is found is judged again.
        assert.equal(seen, all + 1);
      });
    }
  }

  for (const shape of ['spec', 'labels'] as const) {
    test(`holds next to nothing of objects of 1 MB: ${shape}`, async t => {
      const cluster = { kinds: 2, objectBytes: 1_000_000, shape, namespaces: { shop: 8 } } as const;
      const { found } = await measured(t, cluster, 2);
      assert.ok(Array.isArray(found) && found.length === 1, String(found));
    });
  }

  test('of so many large ones that it cannot read them in time, it says that it did not', async t => {
    const cluster = { kinds, objectBytes: 1_000_000, shape: 'spec', namespaces: { shop: 250 } } as const;
    const { found, ms } = await measured(t, cluster, 20, 1000);
    assert.ok(found instanceof LiveReadError, String(found));
    assert.ok(ms < 1500, `after ${ms} ms`);
  });

  for (const [what, slow] of Object.entries({
    'answers each page late': { delayMs: 300 },
    'stops within an answer': { stopsMidBody: true },
  })) {
    test(`says in time that it did not end where the API server ${what}, and the next one is answered`, async t => {
      const cluster = { ...ordinary, namespaces: { shop: 250 } } as const;
      const { found, ms } = await measured(t, { ...cluster, slow }, 1000, 1000);
      assert.ok(found instanceof LiveReadError && !(found instanceof BudgetSpentError), String(found));
      assert.ok(ms < 1300, `after ${ms} ms`);
      assert.ok(Array.isArray((await measured(t, { ...cluster, namespaces: { shop: 10 } }, 1000)).found));
    });
  }

  test('of one namespace, it holds up no search of another', async t => {
    const namespaces = { slow: 10, shop: 10 };
    await server.hold({ ...ordinary, namespaces, slow: { in: 'slow', stopsMidBody: true } });
    const find = (namespace: string, limitMs: number) => {
      const startedAt = performance.now();
      return finder.find(searchOf([namespace], needle), namespace, startedAt + limitMs).then(
        found => ({ found: found.length, ms: performance.now() - startedAt }),
        () => ({ found: undefined, ms: performance.now() - startedAt }),
      );
    };
    // More of them than are made at a time: one of a namespace at most.
    const hanging = Array.from({ length: 5 }, () => find('slow', 2000));
    await sleep(200);
    const other = await find('shop', 1500);
    t.diagnostic(`${Math.round(other.ms)} ms beside searches that hang`);
    assert.equal(other.found, 1);
    assert.ok(other.ms < 1000, `after ${other.ms} ms`);
    for (const { found, ms } of await Promise.all(hanging)) {
      assert.equal(found, undefined);
      assert.ok(ms < 2300, `after ${ms} ms`);
    }
  });
});
