import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseGoDurationMs } from '../../src/server/go-duration.ts';

test('durations as Go prints and reads them', () => {
  const rows: readonly (readonly [text: string, expectedMs: number | undefined])[] = [
    ['10s', 10_000],
    ['1m0s', 60_000],
    ['1h2m3.5s', 3_723_500],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['1.s', 1000],
    ['250ms', 250],
    ['5us', 0.005],
    ['5µs', 0.005],
    ['1ns', 1e-6],
    ['0', 0],
    ['-1s', -1000],
    ['+2s', 2000],
    ['10', undefined],
    ['', undefined],
    ['s', undefined],
    ['.s', undefined],
    ['1 s', undefined],
    ['1d', undefined],
    ['1s2', undefined],
    ['--1s', undefined],
    ['1e3s', undefined],
  ];
  for (const [text, expectedMs] of rows) assert.equal(parseGoDurationMs(text), expectedMs, JSON.stringify(text));
});

test('any text is a number of milliseconds or nothing, at once', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.smhnu]{0,200}$/));
  fc.assert(
    fc.property(text, each => {
      const durationMs = parseGoDurationMs(each);
      assert.ok(durationMs === undefined || Number.isFinite(durationMs));
    }),
    { numRuns: 2000 },
  );
});
