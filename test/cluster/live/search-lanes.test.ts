import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SearchLanes } from '../../../src/cluster/live/search-lanes.ts';

/** Works that run until they are ended, by name. */
function working(lanes: SearchLanes<string>) {
  const running: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const start = (payer: string, name = payer) =>
    lanes.run(payer, async lane => {
      running.push(`${name} on ${lane}`);
      const { promise, ...end } = Promise.withResolvers<void>();
      ends.set(name, end);
      await promise.finally(() => running.splice(running.indexOf(`${name} on ${lane}`), 1));
      return name;
    });
  const names = () => running.map(text => text.split(' ')[0]).sort();
  return { start, running, names, ends };
}

test('as many run as there are lanes, each on its own, the rest in the order in which they came', async () => {
  const { start, running, names, ends } = working(new SearchLanes(['x', 'y']));
  const all = ['a', 'b', 'c', 'd'].map(payer => start(payer));
  await turn();
  assert.deepEqual(names(), ['a', 'b']);
  assert.deepEqual(running.map(text => text.split(' ').at(-1)).sort(), ['x', 'y']);
  ends.get('b')?.resolve();
  await turn();
  assert.deepEqual(names(), ['a', 'c']);
  ends.get('a')?.resolve();
  await turn();
  assert.deepEqual(names(), ['c', 'd']);
  for (const end of ends.values()) end.resolve();
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c', 'd']);
});

test('one of a payer at a time: those behind it that others pay for go first', async () => {
  const { start, names, ends } = working(new SearchLanes(['x', 'y']));
  const all = [start('a', 'a1'), start('a', 'a2'), start('a', 'a3'), start('b')];
  await turn();
  assert.deepEqual(names(), ['a1', 'b']);
  ends.get('b')?.resolve();
  await turn();
  assert.deepEqual(names(), ['a1'], 'a lane stays free');
  const late = start('c');
  await turn();
  assert.deepEqual(names(), ['a1', 'c']);
  for (const name of ['a1', 'a2', 'a3', 'c']) {
    ends.get(name)?.resolve();
    await turn();
  }
  assert.deepEqual(await Promise.all([...all, late]), ['a1', 'a2', 'a3', 'b', 'c']);
});

test('what fails gives its lane back', async () => {
  const { start, names, ends } = working(new SearchLanes(['x']));
  const failing = start('a');
  const next = start('a', 'next');
  await turn();
  ends.get('a')?.reject(new Error('broken'));
  await assert.rejects(failing, /broken/);
  await turn();
  assert.deepEqual(names(), ['next']);
  ends.get('next')?.resolve();
  assert.equal(await next, 'next');
});
