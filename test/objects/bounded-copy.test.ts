import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { boundedCopy } from '../../src/objects/bounded-copy.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

test('a copy is cut at its length', () => {
  assert.equal(boundedCopy('abc', 5), 'abc');
  assert.equal(boundedCopy('abcdefghijklmnopqrstuvwxyz', 20), 'abcdefghijklmnopqrst');
  assert.equal(boundedCopy('abcdef', 3), 'abc');
  assert.equal(boundedCopy('a\u{1f600}', 2), 'a\ufffd');
});

test('a copy does not keep alive what it is a slice of, be it short or long', () => {
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept: string[] = [];
  for (let i = 0; i < 200; i++) {
    const large = `${i}`.padStart(250_000, 'x');
    kept.push(boundedCopy(large, 2049), boundedCopy(large.slice(0, 100), 253));
  }
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 5_000_000, `${kept.length} copies hold ${Math.round(grown / 1e6)} MB`);
});
