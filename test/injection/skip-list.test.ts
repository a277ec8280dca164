import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSkipList, unknownSkipNames } from '../../src/injection/skip-list.ts';
import { ObjectTooLargeError } from '../../src/objects/object-size.ts';
import { readContainer } from './read-container.ts';

const read = (value: string) => [...readSkipList(new Map([['eks.amazonaws.com/skip-containers', value]]))];

describe('skip-containers', () => {
  const table: Readonly<Record<string, readonly string[]>> = {
    '': [],
    a: ['a'],
    'a,b': ['a', 'b'],
    ' a , b ': ['a', 'b'],
    'a,,b,': ['a', 'b'],
    'a,a': ['a'],
    'a;b': ['a;b'],
    '__proto__,constructor': ['__proto__', 'constructor'],
    ',': [],
    '"a", "b"': ['a', 'b'],
    '"': ['"'],
  };
  for (const [value, names] of Object.entries(table)) {
    test(JSON.stringify(value), () => assert.deepEqual(read(value), names));
  }

  test('is empty without the annotation', () => assert.equal(readSkipList(new Map()).size, 0));

  test('names what no container has', () => {
    assert.deepEqual(unknownSkipNames(new Set(['app', 'ghost']), [readContainer({ name: 'app' })]), ['ghost']);
  });
});

test('more names than a pod can have containers are too many', () => {
  const names = Array.from({ length: 2_001 }, (_, index) => `n${index}`);
  const listOf = (count: number) => new Map([['eks.amazonaws.com/skip-containers', names.slice(0, count).join(',')]]);
  assert.equal(readSkipList(listOf(2_000)).size, 2_000);
  assert.throws(() => readSkipList(listOf(2_001)), ObjectTooLargeError);
});
