import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { quote, quoteNames } from '../../src/objects/quote.ts';
import { anyCharacter } from '../any-character.ts';
import { cpuTimeMs } from '../cpu-time.ts';

describe('a quoted value', () => {
  const table: Readonly<Record<string, string>> = {
    plain: '"plain"',
    '': '""',
    'a"b': '"a\\"b"',
    'a\\b': '"a\\\\b"',
    'a\nb': '"a\\u000ab"',
    '\u001b[31m': '"\\u001b[31m"',
    '\u007f': '"\\u007f"',
    '\u0085\u2028': '"\\u0085\\u2028"',
    é: '"\\u00e9"',
    '😀': '"\\ud83d\\ude00"',
    '\ud83d': '"\\ud83d"',
    ['x'.repeat(62)]: `"${'x'.repeat(62)}"`,
    ['x'.repeat(63)]: `"${'x'.repeat(59)}..."`,
  };
  for (const [value, expected] of Object.entries(table)) {
    test(JSON.stringify(value), () => assert.equal(quote(value), expected));
  }

  test('is ASCII, at most 64 characters, and JSON of a beginning of the value, for any value', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: anyCharacter }), fc.string({ unit: 'grapheme', maxLength: 200 })),
        value => {
          const quoted = quote(value);
          assert.match(quoted, /^"[\x20-\x7e]*"$/);
          assert.ok(quoted.length <= 64);
          const read: string = JSON.parse(quoted);
          if (read !== value) {
            assert.ok(read.endsWith('...'));
            assert.ok(value.startsWith(read.slice(0, -3)));
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('of lone surrogates and megabytes is short and quick', () => {
    const startedMs = cpuTimeMs();
    assert.ok(quote('\udc00'.repeat(5_000_000)).length <= 64);
    assert.ok(cpuTimeMs() - startedMs < 1_000);
  });
});

test('at most five names are listed', () => {
  assert.equal(quoteNames(['a', 'b', 'c', 'd', 'e']), '"a", "b", "c", "d", "e"');
  assert.equal(quoteNames(['a', 'b', 'c', 'd', 'e', 'f', 'g']), '"a", "b", "c", "d", "e" and 2 more');
});
