import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectStore, type StoreChange } from '../../../src/cluster/watch/object-store.ts';

test('a new state is there at once, and told in turns of the event loop: deletions first, then what is new or another', async () => {
  const changes: StoreChange[] = [];
  const store = new ObjectStore<string>(change => changes.push(change));
  const state = (from: number, value: string) =>
    new Map(Array.from({ length: 20_000 }, (_, index): [string, string] => [`${from + index}`, value]));
  await store.replace(state(0, 'a'));
  await store.replace(state(0, 'a'));
  assert.equal(changes.length, 20_000, 'what is the same is no change');
  changes.length = 0;
  let turns = 0;
  let done = false;
  const count = () => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  const replaced = store.replace(state(10_000, 'a').set('10000', 'b'));
  assert.equal(store.objects.get('9999'), undefined);
  assert.equal(store.objects.get('29999'), 'a');
  await replaced;
  done = true;
  assert.ok(turns >= 7, `${turns} turns`);
  const types = changes.map(({ type }) => type);
  assert.equal(types.lastIndexOf('deleted'), 9_999);
  assert.equal(types.filter(type => type === 'set').length, 10_001);
});
