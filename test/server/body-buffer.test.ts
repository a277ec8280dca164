import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BodyBuffer } from '../../src/server/body-buffer.ts';

const limitBytes = 1024 * 1024;

/** Fills a buffer in chunks of one size, and tells the capacities that it went through. */
function fill(buffer: BodyBuffer, body: Buffer, chunkBytes: number): readonly number[] {
  const capacities = new Set<number>();
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    buffer.add(chunk, buffer.capacityFor(chunk.length, limitBytes));
    capacities.add(buffer.capacity);
  }
  return [...capacities];
}

describe('one buffer a body', () => {
  const body = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));

  for (const chunkBytes of [1, 7, 4096, 65_536]) {
    test(`holds the bytes as they came, in chunks of ${chunkBytes}`, () => {
      const buffer = new BodyBuffer();
      const capacities = fill(buffer, body, chunkBytes);
      assert.ok(buffer.bytes().equals(body));
      assert.equal(buffer.capacity, 131_072);
      for (const capacity of capacities) assert.equal(Math.log2(capacity) % 1, 0, `${capacity} is no power of 2`);
    });
  }

  test('grows to the limit and not beyond', () => {
    const buffer = new BodyBuffer();
    const most = Buffer.alloc(limitBytes - 100_000);
    buffer.add(most, buffer.capacityFor(most.length, limitBytes));
    assert.equal(buffer.capacity, limitBytes);
  });

  test('a million chunks of a byte cost what their bytes cost, and are freed at once', () => {
    const before = process.memoryUsage();
    const buffer = new BodyBuffer();
    fill(buffer, Buffer.alloc(limitBytes), 1);
    assert.ok(process.memoryUsage().arrayBuffers - before.arrayBuffers < 3 * limitBytes);
    const full = process.memoryUsage().arrayBuffers;
    buffer.free();
    assert.ok(full - process.memoryUsage().arrayBuffers >= limitBytes);
    assert.equal(buffer.capacity, 0);
  });
});
