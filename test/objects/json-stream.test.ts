import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { JsonBytesError } from '../../src/objects/json-bytes.ts';
import { JsonStream, type Taking } from '../../src/objects/json-stream.ts';
import { anyCharacter } from '../any-character.ts';
import { cpuTimeMs } from '../cpu-time.ts';

/** Takes all of a value: it is what JSON.parse makes of it, if nothing went wrong on the way. */
function takingAll(give: (value: unknown) => void): (first: string) => Taking {
  return first => {
    if (first === '{') {
      const members: [string, unknown][] = [];
      return {
        kind: 'object',
        member: (key, first) => takingAll(value => members.push([key, value]))(first),
        end: () => give(Object.fromEntries(members)),
      };
    }
    if (first === '[') {
      const items: unknown[] = [];
      give(items);
      return { kind: 'array', item: takingAll(value => items.push(value)) };
    }
    if (first === '"') return { kind: 'string', longest: 1_000_000, take: give };
    return { kind: 'bytes', most: 100, take: text => give(JSON.parse(text ?? '')) };
  };
}

function read(text: string, cuts: readonly number[], root: (first: string) => Taking): JsonStream {
  const stream = new JsonStream(root);
  const bytes = Buffer.from(text);
  for (let from = 0, i = 0; from < bytes.length; i++) {
    const length = cuts[i % cuts.length] ?? 1;
    // Each piece in memory of its own, which is written over: nothing may be read from it later.
    const piece = Buffer.from(bytes.subarray(from, from + length));
    stream.write(piece);
    piece.fill('x');
    from += length;
  }
  stream.end();
  return stream;
}

const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
const spaces = fc.constantFrom(undefined, 1, '\t');

describe('JSON that comes in pieces', () => {
  test('property: is what JSON.parse makes of it, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), spaces, cuts, (values, space, cuts) => {
        const found: unknown[] = [];
        const text = values.map(value => `${JSON.stringify(value, undefined, space)}\n`).join('');
        const stream = read(
          text,
          cuts,
          takingAll(value => found.push(value)),
        );
        assert.deepEqual(
          found,
          values.map(value => JSON.parse(JSON.stringify(value))),
        );
        assert.equal(stream.values, values.length);
      }),
    );
  });

  test('property: what is passed over is passed over whole', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), spaces, cuts, (before, behind, space, cuts) => {
        const found: unknown[] = [];
        read(JSON.stringify({ before, wanted: 'here', behind }, undefined, space), cuts, () => ({
          kind: 'object',
          member: key =>
            key === 'wanted' ? { kind: 'string', longest: 9, take: text => found.push(text) } : undefined,
          end: () => found.push('end'),
        }));
        assert.deepEqual(found, ['here', 'end']);
      }),
    );
  });

  test('property: a string is cut at its length, whatever it is made of and however it comes', () => {
    const longest = fc.integer({ min: 0, max: 20 });
    fc.assert(
      fc.property(
        fc.string({ unit: anyCharacter, maxLength: 60 }),
        longest,
        fc.boolean(),
        cuts,
        (text, longest, asEscapes, cuts) => {
          const escaped = Array.from(
            { length: text.length },
            (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`,
          );
          const found: (string | undefined)[] = [];
          const written = asEscapes ? `"${escaped.join('')}"` : JSON.stringify(text);
          read(`[${written}]`, cuts, () => ({
            kind: 'array',
            item: () => ({ kind: 'string', longest, take: part => found.push(part) }),
          }));
          // What parts a pair of surrogates may show as either of U+FFFD and the half.
          assert.deepEqual(
            found.map(part => part?.toWellFormed()),
            [text.slice(0, longest).toWellFormed()],
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('another type than is asked for is passed over, and a text that is too long is not given', () => {
    const found: unknown[] = [];
    const string = { kind: 'string', longest: 9, take: (text: string | undefined) => found.push(text) } as const;
    const bytes = { kind: 'bytes', most: 9, take: (text: string | undefined) => found.push(text) } as const;
    const never = (): Taking => assert.fail('there are none');
    const takings: Record<string, Taking> = {
      a: string,
      b: bytes,
      c: bytes,
      d: { kind: 'object', member: never },
      e: { kind: 'array', item: never },
    };
    const text = '{"a":{"x":1},"b":[1, 2],"c":[1,2,3,4,5],"d":[{"x":1}],"e":{"x":[1]}}';
    read(text, [3], () => ({ kind: 'object', member: key => takings[key] }));
    assert.deepEqual(found, [undefined, '[1, 2]', undefined]);
  });

  test('a key that nobody can want is not held, and its value is passed over', () => {
    const keys: string[] = [];
    const text = JSON.stringify({ ['k'.repeat(100_000)]: { inner: 1 }, known: 2, ['k'.repeat(510)]: 3 });
    read(text, [1000], () => ({
      kind: 'object',
      member: key => {
        keys.push(key);
        return undefined;
      },
    }));
    assert.deepEqual(keys, ['known', 'k'.repeat(510)]);
  });

  test('what is thrown behind it comes out', () => {
    const error = new Error('enough');
    const thrown = () =>
      read('[1]', [1], () => ({
        kind: 'array',
        item: () => {
          throw error;
        },
      }));
    assert.throws(thrown, error);
  });
});

describe('pieces that are no JSON', () => {
  for (const text of [
    '{',
    '[',
    '[1,',
    '["a',
    '["a\\"',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{a:1}',
    '{"a":1 "b":2}',
    '{"a" 1}',
    '{"a":}',
    '[}',
    '{]',
    '[1"a"]',
    '[?]',
    ']',
    '{"\n":1}',
  ]) {
    test(JSON.stringify(text), () => {
      for (const cut of [1, 100]) {
        const all = () =>
          read(
            text,
            [cut],
            takingAll(() => {}),
          );
        assert.throws(all, error => error instanceof JsonBytesError || error instanceof SyntaxError);
      }
    });
  }
});

test('ten megabytes are passed over in time, whatever they are made of', () => {
  for (const unit of ['{},', '[],', '1,', '"\\"",', '"a",', '"aaaaaaaaaaaaaaaa",', '{"a":"b"},']) {
    const bytes = Buffer.from(`[${unit.repeat(10_000_000 / unit.length)}`);
    const stream = new JsonStream(() => undefined);
    const startedAt = cpuTimeMs();
    for (let from = 0; from < bytes.length; from += 65_536) stream.write(bytes.subarray(from, from + 65_536));
    const tookMs = cpuTimeMs() - startedAt;
    assert.ok(tookMs < 1000, `${unit}: ${Math.round(tookMs)} ms`);
    if (process.env['CARM_SHOW_TIMES']) process.stderr.write(`${unit} ${Math.round(tookMs)} ms\n`);
  }
});
