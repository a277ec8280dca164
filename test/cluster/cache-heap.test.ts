/**
 * What an object costs in a cache is bounded, whatever its owner makes of it: through the first list, a new one, and the
 * watch. CARM_HOSTILE_OBJECTS=2000 is the long form.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  cachedNamespaces,
  cachedServiceAccounts,
  ourLabels,
  projectRoleMaps,
  projectRoleSelectors,
} from '../../src/cluster/projections/object-projections.ts';
import type { Projection } from '../../src/cluster/projections/projection.ts';
import { WatchLoop } from '../../src/cluster/watch/watch-loop.ts';
import { KeySet } from '../../src/objects/key-set.ts';
import { HostileApiServer, type LargeObject, largeMetadata } from './hostile-api-server.ts';
import { LongestTurn } from './longest-turn.ts';
import { connectionTo, until } from './watch/watch-loop-harness.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const count = Number(process.env['CARM_HOSTILE_OBJECTS'] ?? 45);
const limitMs = 40_000 + count * 100;
const path = '/hostile';
/** What code and connections take is none of the objects' cost. */
const warmUpPath = '/warm-up';
/** The rest of the process moves by so much. */
const noise = 750_000;
const shapes = Object.values(largeMetadata);

function heapUsed(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

const withRest =
  (text: string) =>
  (index: number): LargeObject => ({
    metadata: shapes[index % shapes.length]?.metadata ?? [],
    rest: [Buffer.from(text)],
  });
const manyNames = JSON.stringify(Array.from({ length: 100 }, (_, index) => `team-${index}`));

const ours = new KeySet(ourLabels);

interface Cache {
  readonly projection: Projection<NonNullable<unknown>>;
  readonly object: (index: number) => LargeObject;
  /** Bytes that an object may cost in all. */
  readonly most: number;
}

const caches: Readonly<Record<string, Cache>> = {
  namespaces: {
    projection: cachedNamespaces({ every: true, known: () => ours }),
    object: withRest('"x":1'),
    most: 12_000,
  },
  serviceaccounts: { projection: cachedServiceAccounts, object: withRest('"secrets":[]'), most: 9_000 },
  maps: {
    projection: projectRoleMaps,
    object: withRest(`"data":{"111122223333":"${'x'.repeat(250_000)}"}`),
    most: 4_000,
  },
  selectors: {
    projection: projectRoleSelectors,
    object: withRest(
      `"spec":{"arn":"arn","namespaceSelector":{"names":${manyNames}}},"status":{"x":"${'y'.repeat(250_000)}"}`,
    ),
    most: 12_000,
  },
};

for (const [resource, { projection, object, most }] of Object.entries(caches)) {
  test(`${count} ${resource} as large as can be cost ${most} bytes each at most, and hold up nobody`, async t => {
    const server = new HostileApiServer();
    server.collections[path] = { count, namespaced: true, object };
    server.collections[warmUpPath] = { count: shapes.length, namespaced: true, object };
    const url = await server.start();
    t.after(() => server.stop());
    const failures: unknown[] = [];
    let changes = 0;
    const loopOf = (path: string) =>
      new WatchLoop({
        connection: connectionTo(url),
        resource,
        path,
        metadataOnly: false,
        projection,
        backoff: { baseMs: 10, capMs: 100 },
        onChange: () => {
          changes += 1;
        },
        observer: { listenerFailed: (_resource, error) => failures.push(error) },
      });
    const warmUp = loopOf(warmUpPath);
    warmUp.start();
    await until('the warm-up', () => server.isWatched(warmUpPath), limitMs);
    await warmUp.stop();
    const before = heapUsed();
    const loop = loopOf(path);
    t.after(() => loop.stop());
    const isBounded = (when: string) => {
      const grown = heapUsed() - before;
      t.diagnostic(`${when}: ${Math.round(grown / 1000)} kB`);
      const perObject = (grown - noise) / count;
      assert.equal(loop.size, count, when);
      assert.ok(perObject <= most, `${when}: ${Math.round(perObject)} bytes an object`);
    };
    const turns = new LongestTurn();
    t.after(() => turns.stop());
    loop.start();
    await until('the first list', () => loop.synced && server.isWatched(path), limitMs);
    const longestMs = [turns.takeMs()];
    isBounded('listed');
    turns.takeMs();
    server.expire(path);
    await until('a new list', () => server.isWatched(path), limitMs);
    longestMs.push(turns.takeMs());
    isBounded('listed again');
    changes = 0;
    turns.takeMs();
    await server.updateAll(path);
    // ServiceAccounts with nothing to keep are all kept as the same: those are no changes.
    await until('the watch', () => changes > 0 && loop.get(`team/object-${count - 1}`) !== undefined, limitMs);
    longestMs.push(turns.takeMs());
    isBounded('watched');
    assert.deepEqual(failures, []);
    t.diagnostic(`longest turns: ${longestMs.map(Math.round).join(', ')} ms`);
    // Some 10 ms, with the work of the server; a shared machine takes its part. A page that is parsed at once takes seconds.
    for (const ms of longestMs) assert.ok(ms < 400, `a turn of ${Math.round(ms)} ms`);
  });
}
