/** What the loop asks for, keeps and tells. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectMetadata } from '../../../src/cluster/projections/metadata-projection.ts';
import { KeySet } from '../../../src/objects/key-set.ts';
import { differences, until, untilEqual, watched } from './watch-loop-harness.ts';

describe('watch loop', { concurrency: 6, timeout: 20_000 }, () => {
  test('asks for metadata, in pages, with bookmarks, from the version of the list', async () => {
    const all = await watched({}, {}, server => {
      for (let i = 0; i < 20; i += 1) server.put('team', `sa-${i}`);
    });
    await until('a watch', () => all.server.requests.some(({ kind }) => kind === 'watch'));
    await all.stop();
    const [list, page, lastPage] = all.server.requests;
    const watch = all.server.requests.find(({ kind }) => kind === 'watch');
    assert.equal(list?.url.search, '?limit=7');
    assert.match(list?.headers.accept ?? '', /^application\/json;as=PartialObjectMetadataList;g=meta\.k8s\.io;v=v1,/);
    assert.deepEqual([page?.kind, lastPage?.kind], ['page', 'page']);
    assert.match(watch?.headers.accept ?? '', /^application\/json;as=PartialObjectMetadata;g=meta\.k8s\.io;v=v1,/);
    const query = watch?.url.searchParams;
    assert.equal(query?.get('resourceVersion'), '120');
    assert.equal(query?.get('allowWatchBookmarks'), 'true');
    assert.match(query?.get('timeoutSeconds') ?? '', /^[12]$/);
  });

  test('adds its parameters to those of a field selector, and asks for whole objects', async () => {
    const path = '/api/v1/serviceaccounts?fieldSelector=metadata.name%3Dx';
    const all = await watched({ path, metadataOnly: false });
    await until('a watch', () => all.server.requests.some(({ kind }) => kind === 'watch'));
    await all.stop();
    for (const { url, headers } of all.server.requests) {
      assert.equal(url.searchParams.get('fieldSelector'), 'metadata.name=x');
      assert.equal(headers.accept, 'application/json');
    }
  });

  test('a relist replaces the store at once and tells deletions', async () => {
    const sizes: number[] = [];
    const all = await watched({ onChange: () => sizes.push(all.loop.size) }, {}, server => {
      for (let i = 0; i < 20; i += 1) server.put('team', `sa-${i}`);
    });
    const { server, loop } = all;
    try {
      await untilEqual(all);
      assert.deepEqual(new Set(sizes), new Set([20]), 'no listener sees half a list');
      sizes.length = 0;
      server.faultFor = ({ kind }) => (kind === 'watch' ? { kind: 'reset' } : undefined);
      server.cutConnections();
      for (let i = 0; i < 15; i += 1) server.delete(`team/sa-${i}`);
      server.compact();
      assert.equal(loop.size, 20);
      server.faultFor = () => undefined;
      await untilEqual(all);
      assert.deepEqual(sizes, new Array(15).fill(5));
    } finally {
      await all.stop();
    }
  });

  test('listeners, projections and hooks that throw do not end the loop', async () => {
    const failed: string[] = [];
    const fail = () => {
      throw new Error('mine');
    };
    const all = await watched({
      projection: projectMetadata(
        () => ({ annotations: { keys: new KeySet(['poison']), want: () => 'always' } }),
        { entries: 9, characters: 99 },
        ({ annotations }, { name, resourceVersion }) =>
          name === 'poison' || annotations.has('poison') ? fail() : resourceVersion,
      ),
      onChange: fail,
      observer: {
        synced: fail,
        lastEvent: fail,
        restarted: fail,
        listenerFailed: (_resource, error) => {
          failed.push(String(error));
          fail();
        },
      },
    });
    const { server, loop } = all;
    try {
      await until('synced', () => loop.synced);
      server.put('team', 'poison');
      server.put('team', 'sound');
      await until('the sound one', () => loop.get('team/sound') !== undefined);
      server.cutConnections();
      server.compact();
      server.put('team', 'later');
      await until('the later one', () => loop.get('team/later') !== undefined);
      assert.equal(loop.get('team/poison'), undefined);
      server.put('team', 'later', { poison: 'yes' });
      await until('what cannot be kept is absent', () => loop.get('team/later') === undefined);
      assert.ok(failed.some(text => text.includes('team/poison is not kept')));
    } finally {
      await all.stop();
    }
  });

  test('names like __proto__ are names like others', async () => {
    const all = await watched();
    try {
      for (const name of ['__proto__', 'constructor', 'toString']) all.server.put('team', name);
      await until('three', () => all.loop.size === 3);
      assert.deepEqual(differences(all), []);
      assert.equal(all.loop.get('team/hasOwnProperty'), undefined);
    } finally {
      await all.stop();
    }
  });

  test('a deleted object does not come back by events of an older stream', async () => {
    const all = await watched({}, {}, server => server.put('team', 'gone'));
    const { server, loop, changes } = all;
    try {
      await untilEqual(all);
      server.faultFor = ({ kind }) => (kind === 'watch' ? { kind: 'old-events', afterEvents: 2 } : undefined);
      server.cutConnections();
      server.put('team', 'gone');
      server.delete('team/gone');
      server.put('team', 'other');
      await until('the disorder', () => all.causes.includes('error'));
      server.faultFor = () => undefined;
      await untilEqual(all);
      assert.equal(loop.get('team/gone'), undefined);
      assert.deepEqual(changes.filter(change => change.endsWith('team/gone')).slice(-1), ['deleted team/gone']);
    } finally {
      await all.stop();
    }
  });

  test('401 until the token file holds another token', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'watch-loop-'));
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first\n');
    let valid = 'Bearer first';
    const user = { authProvider: { name: 'tokenFile', config: { tokenFile } } };
    const all = await watched({}, user, server => {
      server.put('team', 'sa');
      server.faultFor = ({ headers }) =>
        headers.authorization === valid ? undefined : { kind: 'status', status: 401, reason: 'Unauthorized' };
    });
    const { server, causes } = all;
    try {
      await untilEqual(all);
      assert.deepEqual(causes, []);
      valid = 'Bearer second';
      server.cutConnections();
      await until('unauthorized', () => causes.filter(cause => cause === 'unauthorized').length > 2);
      await writeFile(tokenFile, 'second\n');
      server.put('team', 'later');
      await untilEqual(all);
      assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer second');
    } finally {
      await all.stop();
      await rm(folder, { recursive: true });
    }
  });

  test('Retry-After is waited for', async () => {
    const at: number[] = [];
    const all = await watched({}, {}, server => {
      server.faultFor = () => {
        at.push(performance.now());
        return at.length === 1 ? { kind: 'status', status: 429, retryAfter: '1' } : undefined;
      };
    });
    try {
      await until('synced', () => all.loop.synced);
      const [first = 0, second = 0] = at;
      assert.ok(second - first >= 990, `waited ${second - first} ms`);
    } finally {
      await all.stop();
    }
  });

  for (const version of [5_000_000, 101]) {
    test(`a server that comes back at the same port with version ${version}`, async () => {
      const all = await watched({}, {}, server => {
        for (let i = 0; i < 10; i += 1) server.put('team', `sa-${i}`);
      });
      const { server } = all;
      try {
        await untilEqual(all);
        await server.stop();
        server.delete('team/sa-0');
        server.forgetHistory(version);
        server.put('team', 'sa-1');
        await sleep(100);
        await server.start();
        await untilEqual(all);
      } finally {
        await all.stop();
      }
    });
  }

  test('a version that the server can do nothing with is given up for a new list', async () => {
    const timings = { inactivityMs: 10_000, watchSeconds: { min: 300, max: 600 } };
    const all = await watched({ timings }, {}, server => {
      server.put('team', 'sa');
      server.faultFor = ({ kind, url }) =>
        kind === 'watch' && url.searchParams.get('resourceVersion') === '101'
          ? { kind: 'error-event', status: 500, reason: 'InternalError' }
          : undefined;
    });
    try {
      await until('some tries', () => all.causes.length >= 2);
      all.server.put('team', 'later');
      await untilEqual(all);
      assert.equal(all.server.requests.filter(({ kind }) => kind === 'list').length, 2);
    } finally {
      await all.stop();
    }
  });

  test('a list whose pages always expire is asked for without pages', async () => {
    const all = await watched({}, {}, server => {
      for (let i = 0; i < 20; i += 1) server.put('team', `sa-${i}`);
      server.faultFor = () => ({ kind: 'expired-page' });
    });
    try {
      await untilEqual(all);
      assert.deepEqual(
        all.server.requests.slice(0, 3).map(({ url }) => url.searchParams.get('limit')),
        ['7', '7', null],
      );
    } finally {
      await all.stop();
    }
  });

  test('after a break, what is known is true again before it is too old', async () => {
    // Bookmarks are so rare that only a list can help.
    const all = await watched({ timings: { inactivityMs: 600, watchSeconds: { min: 300, max: 600 } } }, {}, server => {
      server.bookmarkEveryMs = 60_000;
    });
    const { loop, server } = all;
    try {
      await until('synced', () => loop.synced);
      await sleep(300);
      server.cutConnections();
      const endsAt = performance.now() + 2000;
      let oldestMs = 0;
      while (performance.now() < endsAt) {
        oldestMs = Math.max(oldestMs, performance.now() - (loop.lastEventAt ?? 0));
        await sleep(5);
      }
      assert.ok(oldestMs >= 500 && oldestMs < 800, `${oldestMs} ms old`);
      assert.ok(all.causes.includes('disconnect') && all.causes.includes('silence'));
    } finally {
      await all.stop();
    }
  });

  test('while bookmarks come, nothing is restarted, and nothing is listed again', async () => {
    const all = await watched();
    await sleep(2500);
    await all.stop();
    assert.deepEqual(all.causes, []);
    const kinds = all.server.requests.map(({ kind }) => kind);
    assert.equal(kinds.filter(kind => kind === 'list').length, 1);
    assert.ok(kinds.filter(kind => kind === 'watch').length >= 2, 'watches end by their timeout and follow each other');
  });

  test('a whole watch that brought nothing is followed by a list', async () => {
    const all = await watched({ timings: { inactivityMs: 5000, watchSeconds: { min: 1, max: 1 } } }, {}, server => {
      server.bookmarkEveryMs = 60_000;
    });
    try {
      await until('a second list', () => all.server.requests.filter(({ kind }) => kind === 'list').length === 2, 1500);
      assert.deepEqual(all.causes, ['silence']);
    } finally {
      await all.stop();
    }
  });

  test('each page of a list has its own time', async () => {
    const all = await watched({ listTimeoutMs: 3000 }, {}, server => {
      for (let i = 0; i < 20; i += 1) server.put('team', `sa-${i}`);
      server.faultFor = ({ kind }) => (kind === 'watch' ? undefined : { kind: 'slow', delayMs: 130 });
    });
    try {
      await untilEqual(all);
      assert.deepEqual(all.causes, []);
    } finally {
      await all.stop();
    }
  });

  test('a server that ends each watch after an event is not stormed', async () => {
    const timings = { inactivityMs: 10_000, watchSeconds: { min: 300, max: 600 } };
    const all = await watched({ timings, settledAfterMs: 10_000 }, {}, server => {
      server.bookmarkEveryMs = 5;
      server.faultFor = ({ kind }) => (kind === 'watch' ? { kind: 'fin', afterEvents: 1 } : undefined);
    });
    try {
      await sleep(1000);
      assert.deepEqual(new Set(all.causes), new Set(['disconnect']));
      assert.ok(all.causes.length >= 8 && all.causes.length <= 25, `${all.causes.length} restarts in a second`);
    } finally {
      await all.stop();
    }
  });

  test('after an outage, a 410 is followed by a list at once; not when the version is of the last list', async () => {
    const timings = { inactivityMs: 10_000, watchSeconds: { min: 300, max: 600 } };
    const backoff = { baseMs: 20, capMs: 2000, random: () => 0.99 };
    const all = await watched({ timings, backoff, settledAfterMs: 10_000 });
    const { server, loop, causes } = all;
    try {
      const first = loop.lastEventAt ?? 0;
      await until('a bookmark', () => (loop.lastEventAt ?? 0) > first && server.requests.length === 2);
      await sleep(100);
      // 20, 40, ... 640 ms: the next wait would be more than a second.
      let faults = 6;
      server.faultFor = () => {
        faults -= 1;
        return faults > 0 ? { kind: 'reset' } : undefined;
      };
      server.compact();
      server.forgetHistory(10_000);
      server.cutConnections();
      await until('gone', () => causes.includes('gone'));
      const lists = () => server.requests.filter(({ kind }) => kind === 'list').length;
      await until('listed', () => lists() === 2, 200);
      server.faultFor = ({ kind }) =>
        kind === 'watch' ? { kind: 'status', status: 410, reason: 'Expired' } : undefined;
      server.cutConnections();
      const before = server.requests.length;
      await sleep(600);
      assert.ok(server.requests.length - before < 16, `${server.requests.length - before} requests`);
    } finally {
      await all.stop();
    }
  });

  test('it goes on trying for as long as it takes, and not in a storm', async () => {
    const all = await watched({}, {}, server => {
      server.faultFor = () => ({ kind: 'status', status: 500 });
    });
    try {
      await sleep(1000);
      assert.equal(all.loop.synced, false);
      assert.equal(all.loop.lastEventAt, undefined);
      const tries = all.server.requests.length;
      // 10 + 20 + 40 + 80 ms, then 50 to 100 ms each.
      assert.ok(tries >= 10 && tries <= 25, `${tries} tries in a second`);
      all.server.faultFor = () => undefined;
      await untilEqual(all);
    } finally {
      await all.stop();
    }
  });

  test('lastEventAt stands still while nothing comes, and moves again soon after', async () => {
    const all = await watched();
    const { server, loop } = all;
    try {
      await until('bookmarks', () => (loop.lastEventAt ?? 0) > 0);
      const before = loop.lastEventAt ?? 0;
      await until('a bookmark', () => (loop.lastEventAt ?? 0) > before);
      server.faultFor = () => ({ kind: 'silence' });
      server.cutConnections();
      await sleep(50);
      const frozen = loop.lastEventAt;
      await sleep(500);
      assert.equal(loop.lastEventAt, frozen);
      server.faultFor = () => undefined;
      await until('the next one', () => (loop.lastEventAt ?? 0) > (frozen ?? 0), 600);
    } finally {
      await all.stop();
    }
  });

  test('stop does not wait for a credential plugin that hangs', async () => {
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sleep', args: ['1'] };
    const all = await watched({}, { exec });
    await sleep(30);
    const startedAt = performance.now();
    await all.stop();
    assert.ok(performance.now() - startedAt < 150);
  });

  test('stop leaves no socket, wherever the loop is', async () => {
    for (const afterMs of [0, 5, 20, 60]) {
      const all = await watched({}, {}, server => {
        for (let i = 0; i < 30; i += 1) server.put('team', `sa-${i}`);
      });
      await sleep(afterMs);
      await all.loop.stop();
      await until('the server has no socket', () => all.server.openSockets === 0, 500);
      const asked = all.server.requests.length;
      await sleep(50);
      assert.equal(all.server.requests.length, asked);
      await all.stop();
    }
  });
});
