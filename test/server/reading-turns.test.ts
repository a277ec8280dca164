import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CheapestFirst } from '../../src/server/cheapest-first.ts';
import { ReadingTurns } from '../../src/server/reading-turns.ts';
import { RecentCost } from '../../src/server/recent-cost.ts';

const mebibyte = 1024 * 1024;

function socketOf(t: TestContext): Socket {
  const socket = new Socket();
  t.after(() => socket.destroy());
  return socket;
}

function spin(ms: number): void {
  const endAtMs = performance.now() + ms;
  while (performance.now() < endAtMs);
}

test('what was spent weighs half after a second, and is forgotten', () => {
  let nowMs = 0;
  const cost = new RecentCost(() => nowMs);
  cost.add('a', 8);
  cost.add('b', 0.5);
  nowMs = 1000;
  cost.add('c', 1);
  assert.deepEqual([cost.of('a'), cost.of('b'), cost.of('c')], [4, 0, 1]);
});

test('the next is the oldest of the address that has cost least', () => {
  const cost = new RecentCost(() => 0);
  const queue = new CheapestFirst<string>(cost);
  for (const item of ['a1', 'a2', 'b1', 'c1']) queue.push(item.slice(0, 1), item);
  cost.add('a', 2);
  cost.add('c', 5);
  assert.deepEqual(queue.shift(), { share: 'b', item: 'b1' });
  queue.delete('a', 'a1');
  assert.deepEqual(queue.takeBelow(3), ['a2']);
  assert.deepEqual(queue.shift(), { share: 'c', item: 'c1' });
  assert.ok(queue.isEmpty && queue.shift() === undefined);
});

test('after a long turn all strangers are held, then light addresses go on at once and heavy ones by and by', async t => {
  const reading = new ReadingTurns(new RecentCost());
  const heavy = Array.from({ length: 20 }, () => socketOf(t));
  const light = [socketOf(t), socketOf(t)];
  for (const socket of heavy) reading.add(socket, 'heavy');
  for (const socket of light) reading.add(socket, 'light');
  const paused = (sockets: readonly Socket[]): number => sockets.filter(socket => socket.isPaused()).length;

  reading.touch('heavy', 4 * mebibyte);
  reading.touch('light', 1000);
  await Promise.resolve();
  assert.equal(paused([...heavy, ...light]), 0, 'nobody is held in a short turn');
  spin(30);
  reading.touch('heavy', mebibyte);
  await Promise.resolve();
  assert.deepEqual([paused(heavy), paused(light)], [20, 2]);
  await nextTurn();
  assert.deepEqual([paused(heavy), paused(light)], [16, 0]);
  // A short turn: twice as many.
  await nextTurn();
  assert.equal(paused(heavy), 8);
  reading.touch('heavy', 0);
  spin(30);
  reading.touch('heavy', 0);
  await Promise.resolve();
  assert.deepEqual([paused(heavy), paused(light)], [20, 2]);
  await nextTurn();
  assert.deepEqual([paused(heavy), paused(light)], [16, 0]);
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  assert.equal(paused(heavy), 0);
});

test('a connection that closes while it is held is forgotten', async t => {
  const reading = new ReadingTurns(new RecentCost());
  const [gone, other] = [socketOf(t), socketOf(t)];
  reading.add(gone, 'a');
  reading.add(other, 'a');
  reading.touch('a', 4 * mebibyte);
  spin(30);
  reading.touch('a', 1);
  await Promise.resolve();
  reading.delete(gone);
  reading.delete(gone);
  await nextTurn();
  assert.deepEqual([gone.isPaused(), other.isPaused()], [true, false]);
});
