/** A resource whose CustomResourceDefinition comes later than the loop, or goes. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FakeRequest, Fault } from '../fake-api-server.ts';
import { differences, until, untilEqual, watched } from './watch-loop-harness.ts';

/** As kube-apiserver answers for a group or resource that it does not have. */
const notThere: Fault = { kind: 'status', status: 404, reason: 'NotFound' };
const listsOf = (requests: readonly FakeRequest[]) => requests.filter(({ kind }) => kind === 'list').length;

describe('a resource that may be missing', { concurrency: 6, timeout: 30_000 }, () => {
  test('missing at start: known to have no objects, synced, fresh, no failure', async () => {
    const all = await watched({ mayBeMissing: true }, {}, server => {
      server.faultFor = () => notThere;
    });
    const { loop, causes, failures } = all;
    try {
      await until('synced', () => loop.synced, 3000);
      assert.equal(loop.synced, true);
      assert.equal(loop.missing, true);
      assert.equal(loop.size, 0);
      assert.ok(loop.lastEventAt !== undefined && performance.now() - loop.lastEventAt < 3000);
      await sleep(200);
      assert.deepEqual(causes, [], 'not being there is no restart');
      assert.deepEqual(failures, []);
    } finally {
      await all.stop();
    }
  });

  test('it is looked for again every so often, and each look is news', async () => {
    const all = await watched({ mayBeMissing: true }, {}, server => {
      server.faultFor = () => notThere;
    });
    try {
      await until('missing', () => all.loop.missing);
      const first = all.loop.lastEventAt;
      assert.ok(first !== undefined);
      await until('a second look', () => (all.loop.lastEventAt ?? 0) > first, 6000);
      const asked = listsOf(all.server.requests);
      assert.ok(asked <= 4, `${asked} lists: no busy loop`);
    } finally {
      await all.stop();
    }
  });

  test('it comes later: listed, watched, missing no more', async () => {
    const all = await watched({ mayBeMissing: true }, {}, server => {
      server.faultFor = () => notThere;
    });
    const { server, loop } = all;
    try {
      await until('missing', () => loop.missing);
      server.put('team', 'early');
      server.faultFor = () => undefined;
      await untilEqual(all, 6000);
      assert.equal(loop.missing, false);
      assert.equal(loop.get('team/early'), '101');
      server.put('team', 'late');
      await until('an event', () => loop.get('team/late') !== undefined);
    } finally {
      await all.stop();
    }
  });

  test('it goes: nothing is kept of it, and nothing fails; it comes again', async () => {
    const all = await watched({ mayBeMissing: true }, {}, server => server.put('team', 'one'));
    const { server, loop, changes } = all;
    try {
      await untilEqual(all);
      server.faultFor = () => notThere;
      server.cutConnections();
      await until('missing', () => loop.missing, 8000);
      assert.equal(loop.size, 0);
      assert.ok(changes.some(change => change.endsWith('team/one')));
      assert.equal(loop.synced, true);
      server.faultFor = () => undefined;
      await untilEqual(all, 8000);
      assert.equal(loop.missing, false);
    } finally {
      await all.stop();
    }
  });

  test('other errors are failures as ever, and leave it unknown', async () => {
    const all = await watched({ mayBeMissing: true }, {}, server => {
      server.faultFor = () => ({ kind: 'status', status: 403, reason: 'Forbidden' });
    });
    try {
      await until('a restart', () => all.causes.length >= 2);
      assert.equal(all.loop.missing, false);
      assert.equal(all.loop.synced, false);
      assert.equal(all.loop.lastEventAt, undefined);
      all.server.faultFor = () => notThere;
      await until('missing', () => all.loop.missing);
      all.server.faultFor = () => ({ kind: 'status', status: 500 });
      await sleep(200);
      assert.equal(all.loop.missing, true, 'what was known stays known');
    } finally {
      await all.stop();
    }
  });

  test('a resource that must be there is not synced while it is missing', async () => {
    const all = await watched({}, {}, server => {
      server.faultFor = () => notThere;
    });
    try {
      await until('restarts', () => all.causes.length >= 2);
      assert.equal(all.loop.synced, false);
      assert.equal(all.loop.missing, false);
      all.server.put('team', 'one');
      all.server.faultFor = () => undefined;
      await untilEqual(all);
    } finally {
      await all.stop();
    }
  });

  test('it stops at once, whether it looks or waits', async () => {
    const all = await watched({ mayBeMissing: true }, {}, server => {
      server.faultFor = () => notThere;
    });
    await until('missing', () => all.loop.missing);
    const startedAt = performance.now();
    await all.stop();
    assert.ok(performance.now() - startedAt < 1000);
    assert.deepEqual(differences(all), []);
  });
});
