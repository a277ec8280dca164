/**
 * Property: whatever an API server did, when it behaves again the store becomes equal to its truth, and `stop()` leaves
 * nothing behind. Replay a failure with `CHAOS_SEED=<the printed seed>`; the schedule is the seed's, timing is the machine's.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RestartCause } from '../../../src/cluster/watch/restart-cause.ts';
import type { Fault } from '../fake-api-server.ts';
import { until, untilEqual, watched } from './watch-loop-harness.ts';

/** mulberry32: small, seedable, good enough to draw from. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function drawFault(random: () => number): Fault | undefined {
  const afterEvents = Math.floor(random() * 6);
  const faults: readonly (Fault | undefined)[] = [
    undefined,
    undefined,
    undefined,
    undefined,
    { kind: 'reset' },
    { kind: 'silence' },
    { kind: 'html' },
    { kind: 'half-body' },
    { kind: 'endless-list' },
    { kind: 'wrong-version' },
    { kind: 'expired-page' },
    { kind: 'slow', delayMs: Math.floor(random() * 500) },
    { kind: 'status', status: 410, reason: 'Expired' },
    { kind: 'status', status: 429, retryAfter: '0' },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 401 },
    { kind: 'error-event', status: 410, reason: 'Expired' },
    { kind: 'error-event', status: 500, reason: 'InternalError' },
    { kind: 'error-event', status: 0, reason: '' },
    { kind: 'garbage-line', afterEvents },
    { kind: 'reset-mid-line', afterEvents },
    { kind: 'fin-mid-chunk', afterEvents },
    { kind: 'fin-half-line', afterEvents },
    { kind: 'fin', afterEvents },
    { kind: 'mute', afterEvents },
    { kind: 'trickle', afterEvents },
    { kind: 'old-events', afterEvents },
  ];
  return faults[Math.floor(random() * faults.length)];
}

async function chaos(seed: number): Promise<ReadonlySet<RestartCause>> {
  const random = randomFrom(seed);
  const all = await watched({ random }, {}, server => {
    for (let i = 0; i < 40; i += 1) server.put(`team-${i % 4}`, `sa-${i}`);
  });
  const { server, loop, causes } = all;
  const mutate = () => {
    const namespace = `team-${Math.floor(random() * 4)}`;
    const name = `sa-${Math.floor(random() * 60)}`;
    if (random() < 0.4) server.delete(`${namespace}/${name}`);
    else server.put(namespace, name);
  };
  let version = 100;
  server.faultFor = () => drawFault(random);
  try {
    const endsAt = performance.now() + 4000;
    while (performance.now() < endsAt) {
      for (let i = 0; i < 5; i += 1) mutate();
      const draw = random();
      if (draw < 0.02) server.compact();
      else if (draw < 0.04) server.cutConnections();
      else if (draw < 0.05) {
        await server.stop();
        for (let i = 0; i < 5; i += 1) mutate();
        version += 1_000_000;
        server.forgetHistory(version);
        await sleep(random() * 150);
        await server.start();
      }
      await sleep(random() * 40);
    }
    server.faultFor = () => undefined;
    for (let i = 0; i < 10; i += 1) mutate();
    await untilEqual(all, 8000);
    for (let i = 0; i < 10; i += 1) mutate();
    await untilEqual(all, 8000);
  } finally {
    await all.stop();
  }
  assert.ok(loop.synced);
  // What the loop closed, the server sees closed a moment later.
  await until('no socket is left', () => server.openSockets === 0);
  assert.deepEqual(all.failures, [], 'nothing threw');
  return new Set(causes);
}

const timers = () => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length;

test('after any misbehaviour the store is true again', { timeout: 25_000 }, async t => {
  const given = process.env['CHAOS_SEED'];
  const first = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  const seeds = given === undefined ? Array.from({ length: 12 }, (_, i) => first + i) : [first];
  t.diagnostic(`seeds ${seeds.join(' ')}`);
  const timersBefore = timers();
  const met = new Set<RestartCause>();
  await Promise.all(
    seeds.map(async seed => {
      try {
        for (const cause of await chaos(seed)) met.add(cause);
      } catch (error) {
        throw new Error(`CHAOS_SEED=${seed} fails`, { cause: error });
      }
    }),
  );
  if (given === undefined) {
    assert.deepEqual([...met].sort(), ['disconnect', 'error', 'gone', 'silence', 'throttled', 'unauthorized']);
  }
  // The runner's own pipes stay; what a loop uses must not.
  const left = () => process.getActiveResourcesInfo().filter(kind => /^(TCP|TLS)/.test(kind));
  await until('no socket is left', () => left().length === 0, 500);
  assert.equal(timers(), timersBefore, 'no timer is left');
});
