import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isJsonObject } from '../../src/objects/json.ts';
import { JsonBytes, JsonBytesError, type JsonCounts } from '../../src/objects/json-bytes.ts';
import { anyCharacter } from '../any-character.ts';
import { cpuTimeMs } from '../cpu-time.ts';

/** JSON text of a value, with white space where JSON allows it. */
function textOf(value: unknown): fc.Arbitrary<string> {
  return fc
    .constantFrom('', ' ', '\n\t', '  \r\n')
    .map(space => JSON.stringify(value, undefined, space === '' ? undefined : 1).replaceAll('\n', `${space}\n`));
}

const documents = fc.jsonValue({ maxDepth: 6 }).chain(value => fc.tuple(fc.constant(value), textOf(value)));

function countsOf(value: unknown, depth = 0): JsonCounts {
  if (typeof value !== 'object' || value === null) return { nested: 0, members: 0, depth };
  const members = Array.isArray(value) ? 0 : Object.keys(value).length;
  const inner = Object.values(value).map(item => countsOf(item, depth + 1));
  return {
    nested: 1 + inner.reduce((sum, { nested }) => sum + nested, 0),
    members: members + inner.reduce((sum, counts) => sum + counts.members, 0),
    depth: Math.max(depth + 1, ...inner.map(counts => counts.depth)),
  };
}

const none = (): JsonCounts => ({ nested: 0, members: 0, depth: 0 });

describe('the way through a JSON text', () => {
  test('passes over any value whole, and counts what it holds', () => {
    fc.assert(
      fc.property(documents, ([value, text]) => {
        const bytes = Buffer.from(`  ${text} ,`);
        const counts = none();
        const { start, end } = new JsonBytes(bytes).skip(counts);
        assert.equal(bytes.toString('utf8', start, end), text.trim());
        assert.deepEqual(counts, countsOf(value));
      }),
    );
  });

  test('finds the members that JSON.parse finds, whether their values are read or passed over', () => {
    fc.assert(
      fc.property(documents, fc.boolean(), ([value, text], reads) => {
        const bytes = new JsonBytes(Buffer.from(text));
        const found: [string, unknown][] = [];
        bytes.members(key => found.push([key, reads ? bytes.value() : undefined]));
        const entries = isJsonObject(value) ? Object.entries(JSON.parse(text)) : [];
        const sorted = (list: [string, unknown][]) => list.toSorted(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(sorted(found), sorted(entries.map(([key, inner]) => [key, reads ? inner : undefined])));
        assert.equal(bytes.first, undefined);
      }),
    );
  });

  test('counts the same on the way through members', () => {
    fc.assert(
      fc.property(documents, ([value, text]) => {
        const bytes = new JsonBytes(Buffer.from(text));
        const counts = none();
        const inner = none();
        bytes.members(() => bytes.skip(inner), counts);
        const all = countsOf(value);
        assert.equal(counts.nested + inner.nested, all.nested);
        assert.equal(counts.members + inner.members, all.members);
      }),
    );
  });

  test('reads a string up to a length, whatever it is made of', () => {
    const strings = fc.string({ unit: anyCharacter, maxLength: 60 });
    const escaped = (text: string) =>
      `"${[...text].flatMap(c => Array.from({ length: c.length }, (_, i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`)).join('')}"`;
    fc.assert(
      fc.property(strings, fc.boolean(), fc.integer({ min: 0, max: 20 }), (text, escapes, longest) => {
        const written = escapes ? escaped(text) : JSON.stringify(text);
        const read = new JsonBytes(Buffer.from(written)).string(longest);
        // What parts a pair of surrogates may show as either of U+FFFD and the half.
        assert.equal(read?.toWellFormed(), text.slice(0, longest).toWellFormed());
      }),
      { numRuns: 2000 },
    );
  });

  test('reads no string where there is none, and passes over it', () => {
    const bytes = new JsonBytes(Buffer.from('{"a":{"b":[1]},"c":"d"}'));
    const found: unknown[] = [];
    bytes.members(key => found.push([key, bytes.string(9)]));
    assert.deepEqual(found, [
      ['a', undefined],
      ['c', 'd'],
    ]);
  });

  test('keys are what JSON.parse makes of them', () => {
    const bytes = new JsonBytes(Buffer.from('{"ob\\u006aect":1,"\u00e4":2,"\\"":3}'));
    const keys: string[] = [];
    bytes.members(key => keys.push(key));
    assert.deepEqual(keys, ['object', 'ä', '"']);
  });
});

describe('bytes that are no JSON', () => {
  for (const text of ['{', '[', '"a', '"a\\"', '{"a"', '{"a":', '{"a":1', '{a:1}', '{"a":1 "b":2}', '{"a" 1}', '']) {
    test(JSON.stringify(text), () => {
      const read = () => {
        const bytes = new JsonBytes(Buffer.from(text));
        bytes.members(() => bytes.skip());
        if (bytes.first === undefined && text === '') bytes.skip();
      };
      assert.throws(read, JsonBytesError);
    });
  }
});

test('a text of three megabytes is passed over in time, whatever it is made of', () => {
  const texts = ['{},', '[],', '1,', '"\\"",', '"a",', '[[[],'].map(unit => `[${unit.repeat(3_000_000 / unit.length)}`);
  // A file in one string: its lines end in escapes, and no quote comes before the last.
  const line = `${'x'.repeat(98)}\\n`;
  for (const text of [...texts, `["${line.repeat(3_000_000 / line.length)}"]`]) {
    const bytes = Buffer.from(text);
    let tookMs = Number.POSITIVE_INFINITY;
    // The machine is shared: the least of some runs is what it costs.
    for (let run = 0; run < 3 && tookMs >= 300; run++) {
      const startedAt = cpuTimeMs();
      try {
        new JsonBytes(bytes).skip();
      } catch (error) {
        assert.ok(error instanceof JsonBytesError);
      }
      tookMs = Math.min(tookMs, cpuTimeMs() - startedAt);
    }
    assert.ok(tookMs < 300, `${text.slice(0, 9)}: ${Math.round(tookMs)} ms`);
  }
});
