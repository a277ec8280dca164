/** Each way in which an API server can misbehave, one at a time: the loop names it, and the store becomes true again. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RestartCause } from '../../../src/cluster/watch/restart-cause.ts';
import type { FakeRequest, Fault } from '../fake-api-server.ts';
import { until, untilEqual, watched } from './watch-loop-harness.ts';

interface Row {
  readonly name: string;
  readonly at: readonly FakeRequest['kind'][];
  readonly fault: Fault;
  readonly cause: RestartCause;
  /** How many requests in a row are treated so, at least: until the loop has named it, for on a busy machine another cause may come first. */
  readonly times?: number;
}

const rows: readonly Row[] = [
  { name: 'the first list is reset', at: ['list'], fault: { kind: 'reset' }, cause: 'disconnect', times: 3 },
  { name: 'the list breaks off', at: ['list'], fault: { kind: 'half-body' }, cause: 'disconnect', times: 3 },
  { name: 'the list never comes', at: ['list'], fault: { kind: 'silence' }, cause: 'silence' },
  { name: 'the list is slow', at: ['list'], fault: { kind: 'slow', delayMs: 600 }, cause: 'silence' },
  { name: 'the list is HTML', at: ['list'], fault: { kind: 'html' }, cause: 'error', times: 4 },
  { name: 'the list never ends', at: ['list', 'page'], fault: { kind: 'endless-list' }, cause: 'silence', times: 100 },
  {
    name: 'the list has a wrong version',
    at: ['list', 'page'],
    fault: { kind: 'wrong-version' },
    cause: 'error',
    times: 3,
  },
  { name: 'the list is answered 500', at: ['list'], fault: { kind: 'status', status: 500 }, cause: 'error', times: 3 },
  { name: 'the list is answered 403', at: ['list'], fault: { kind: 'status', status: 403 }, cause: 'error' },
  { name: 'the list is answered 401', at: ['list'], fault: { kind: 'status', status: 401 }, cause: 'unauthorized' },
  { name: 'a page expired', at: ['page'], fault: { kind: 'expired-page' }, cause: 'gone' },
  { name: 'the watch is reset', at: ['watch'], fault: { kind: 'reset' }, cause: 'disconnect', times: 3 },
  { name: 'the watch is never answered', at: ['watch'], fault: { kind: 'silence' }, cause: 'silence' },
  { name: 'the watch is HTML', at: ['watch'], fault: { kind: 'html' }, cause: 'error', times: 4 },
  {
    name: 'the watch is answered 410',
    at: ['watch'],
    fault: { kind: 'status', status: 410, reason: 'Expired' },
    cause: 'gone',
  },
  { name: 'the watch is answered 429', at: ['watch'], fault: { kind: 'status', status: 429 }, cause: 'throttled' },
  {
    name: 'the watch is answered 500',
    at: ['watch'],
    fault: { kind: 'status', status: 500 },
    cause: 'error',
    times: 4,
  },
  {
    name: 'a 410 comes as event',
    at: ['watch'],
    fault: { kind: 'error-event', status: 410, reason: 'Expired' },
    cause: 'gone',
  },
  {
    name: 'a 500 comes as event',
    at: ['watch'],
    fault: { kind: 'error-event', status: 500, reason: 'InternalError' },
    cause: 'error',
    times: 4,
  },
  {
    name: 'a 429 comes as event',
    at: ['watch'],
    fault: { kind: 'error-event', status: 429, reason: 'TooManyRequests' },
    cause: 'throttled',
  },
  { name: 'a line is garbage', at: ['watch'], fault: { kind: 'garbage-line', afterEvents: 1 }, cause: 'error' },
  {
    name: 'the connection is reset in a line',
    at: ['watch'],
    fault: { kind: 'reset-mid-line', afterEvents: 1 },
    cause: 'disconnect',
  },
  {
    name: 'the connection ends in a chunk',
    at: ['watch'],
    fault: { kind: 'fin-mid-chunk', afterEvents: 1 },
    cause: 'disconnect',
  },
  { name: 'old events come again', at: ['watch'], fault: { kind: 'old-events', afterEvents: 3 }, cause: 'error' },
  { name: 'the watch falls silent', at: ['watch'], fault: { kind: 'mute', afterEvents: 1 }, cause: 'silence' },
  { name: 'bytes come, but no event', at: ['watch'], fault: { kind: 'trickle', afterEvents: 1 }, cause: 'silence' },
];

describe('one fault', { concurrency: 8, timeout: 20_000 }, () => {
  for (const { name, at, fault, cause, times = 1 } of rows) {
    test(`${name}: ${cause}`, async () => {
      let left = times;
      let seen: readonly RestartCause[] = [];
      const all = await watched({}, {}, server => {
        for (let i = 0; i < 20; i += 1) server.put('team', `sa-${i}`);
        server.faultFor = ({ kind }) => {
          if (!at.includes(kind) || (left <= 0 && seen.includes(cause))) return undefined;
          left -= 1;
          return fault;
        };
      });
      const { server, loop, causes } = all;
      seen = causes;
      try {
        await until('the first list', () => loop.synced);
        for (let i = 15; i < 20; i += 1) server.delete(`team/sa-${i}`);
        for (let i = 0; i < 5; i += 1) server.put('team', `sa-${i}`);
        server.put('team', 'new');
        await until(`a restart for ${cause}`, () => causes.includes(cause));
        assert.ok(left < times, 'the fault was met');
        await until('the faults are over', () => left <= 0);
        await untilEqual(all);
        server.delete('team/new');
        await untilEqual(all);
      } finally {
        await all.stop();
      }
      await until('all connections are closed', () => server.openSockets === 0);
    });
  }
});
