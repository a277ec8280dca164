import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldBytes } from '../../src/objects/held-bytes.ts';

test('pieces are held behind one another, up to the limit, and no longer than they are needed', () => {
  const held = new HeldBytes();
  const chunk = Buffer.from('abcdef'.repeat(1000));
  held.add(chunk, 0, 3, 5);
  const bytes = held.add(chunk, 3, 6, 5);
  assert.equal(bytes.toString('latin1', 0, held.length), 'abcde');
  held.clear();
  assert.equal(held.length, 0);
  for (let piece = 0; piece < 20; piece++) held.add(chunk, 0, chunk.length, 100_000);
  const all = held.add(chunk, 0, 0, 100_000);
  assert.equal(held.length, 100_000);
  assert.equal(all.toString('latin1', 0, held.length), 'abcdef'.repeat(16_667).slice(0, 100_000));
  held.clear();
  assert.ok(held.add(chunk, 0, 1, 100_000).length < 65_536);
});
