import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSkipList, unknownSkipNames } from '../../src/injection/skip-list.ts';
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
