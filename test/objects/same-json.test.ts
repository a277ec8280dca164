import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { sameJson } from '../../src/objects/same-json.ts';

const parse = (text: string): unknown => JSON.parse(text);

describe('two JSON values are the same', () => {
  test('as node:util says, whatever the order of their keys', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(value, value, fc.boolean(), (left, right, alike) => {
        const other = alike ? parse(JSON.stringify(left)) : right;
        assert.equal(
          sameJson(left, other),
          isDeepStrictEqual(parse(JSON.stringify(left)), parse(JSON.stringify(other))),
        );
      }),
      { numRuns: 1000 },
    );
    assert.ok(sameJson({ a: 1, b: [2] }, { b: [2], a: 1 }));
  });

  const different: readonly (readonly [string, string])[] = [
    ['{"__proto__":{}}', '{"a":{}}'],
    ['{"__proto__":{}}', '{}'],
    ['{"constructor":1}', '{"toString":1}'],
    ['[]', '{}'],
    ['{"a":null}', '{"b":null}'],
    ['[1,2]', '[1]'],
    ['{"a":1}', '{"a":1,"b":2}'],
    ['null', '{}'],
  ];
  for (const [left, right] of different) {
    test(`not ${left} and ${right}`, () => {
      assert.ok(!sameJson(parse(left), parse(right)));
      assert.ok(!sameJson(parse(right), parse(left)));
    });
  }

  test('however deep they are', () => {
    const deep = () => parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    assert.ok(sameJson(deep(), deep()));
  });

  test('with members that are undefined, which objects of our own may have', () => {
    assert.ok(sameJson({ a: undefined }, { a: undefined }));
    assert.ok(!sameJson({ a: undefined }, { b: undefined }));
  });
});
