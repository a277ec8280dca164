import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeySet } from '../../src/objects/key-set.ts';

test('property: a key is one of the set by its bytes where it is by its characters', () => {
  const key = fc.string({ unit: 'grapheme', maxLength: 3 });
  fc.assert(
    fc.property(fc.array(key), key, fc.string(), (keys, key, before) => {
      const set = new KeySet(keys);
      assert.equal(set.has(key), keys.includes(key));
      const written = JSON.stringify(key).slice(1, -1);
      const bytes = Buffer.from(`${before}${written}"`);
      const start = Buffer.byteLength(before);
      const expected = keys.includes(key) || written.includes('\\');
      assert.equal(set.mayHave(bytes, start, bytes.length - 1), expected);
    }),
    { numRuns: 1000 },
  );
});

test('property: an end of a key is known by its bytes where it is by its characters', () => {
  const key = fc.string({ unit: 'grapheme', maxLength: 3 });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 2 }), key, fc.string(), (suffixes, text, before) => {
      const set = new KeySet([], suffixes);
      const expected = suffixes.some(suffix => text.endsWith(suffix));
      assert.equal(set.has(text), expected);
      const written = JSON.stringify(text).slice(1, -1);
      const bytes = Buffer.from(`${before}${written}"`);
      const start = Buffer.byteLength(before);
      assert.equal(set.mayHave(bytes, start, bytes.length - 1), expected || written.includes('\\'));
    }),
    { numRuns: 1000 },
  );
});

test('a key that is written with escapes may be any', () => {
  const bytes = Buffer.from('\\u0061b');
  assert.equal(new KeySet(['ab']).mayHave(bytes, 0, bytes.length), true);
});
