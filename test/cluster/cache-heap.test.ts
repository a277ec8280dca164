/**
 * What an object costs in a cache is bounded, whatever its owner makes of it: through the first list, a new one, and the
 * watch. CARM_HOSTILE_OBJECTS=2000 is the long form.
 */

import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  ourLabels,
  projectRoleMaps,
  projectRoleSelectors,
  rememberNamespaces,
  rememberServiceAccounts,
} from '../../src/cluster/kept-objects.ts';
import type { Projection } from '../../src/cluster/projection.ts';
import { WatchLoop } from '../../src/cluster/watch-loop.ts';
import { KeySet } from '../../src/objects/key-set.ts';
import { HostileApiServer, type LargeObject, largeMetadata } from './hostile-api-server.ts';
import { connectionTo, until } from './watch-loop-harness.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const count = Number(process.env['CARM_HOSTILE_OBJECTS'] ?? 90);
const limitMs = 8_000 + count * 100;
const path = '/hostile';
/** The rest of the process moves by so much. */
const noise = 4_000_000;
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
    projection: rememberNamespaces({ every: true, known: () => ours }),
    object: withRest('"x":1'),
    most: 20_000,
  },
  serviceaccounts: { projection: rememberServiceAccounts, object: withRest('"secrets":[]'), most: 10_000 },
  maps: {
    projection: projectRoleMaps,
    object: withRest(`"data":{"111122223333":"${'x'.repeat(250_000)}"}`),
    most: 10_000,
  },
  selectors: {
    projection: projectRoleSelectors,
    object: withRest(
      `"spec":{"arn":"arn","namespaceSelector":{"names":${manyNames}}},"status":{"x":"${'y'.repeat(250_000)}"}`,
    ),
    most: 20_000,
  },
};

for (const [resource, { projection, object, most }] of Object.entries(caches)) {
  test(`${count} ${resource} as large as can be cost ${most} bytes each at most, and hold up nobody`, async t => {
    const server = new HostileApiServer();
    server.collections[path] = { count, namespaced: true, object };
    const url = await server.start();
    t.after(() => server.stop());
    const before = heapUsed();
    const failures: unknown[] = [];
    let changes = 0;
    const loop = new WatchLoop({
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
    t.after(() => loop.stop());
    const isBounded = (when: string) => {
      const perObject = (heapUsed() - before - noise) / count;
      assert.equal(loop.size, count, when);
      assert.ok(perObject <= most, `${when}: ${Math.round(perObject)} bytes an object`);
    };
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    loop.start();
    await until('the first list', () => loop.synced && server.isWatched(path), limitMs);
    const longestMs = [delay.max / 1e6];
    isBounded('listed');
    delay.reset();
    server.expire(path);
    await until('a new list', () => server.lists.get(path) === 2 && server.isWatched(path), limitMs);
    longestMs.push(delay.max / 1e6);
    isBounded('listed again');
    changes = 0;
    delay.reset();
    await server.updateAll(path);
    // ServiceAccounts with nothing to keep are all kept as the same: those are no changes.
    await until('the watch', () => changes > 0 && loop.get(`team/object-${count - 1}`) !== undefined, limitMs);
    longestMs.push(delay.max / 1e6);
    isBounded('watched');
    assert.deepEqual(failures, []);
    t.diagnostic(`longest turns: ${longestMs.map(Math.round).join(', ')} ms`);
    // Some 20 ms on a machine of one's own.
    for (const ms of longestMs) assert.ok(ms < 200, `a turn of ${Math.round(ms)} ms`);
  });
}
