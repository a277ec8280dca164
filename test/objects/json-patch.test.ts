import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { append, patchText } from '../../src/objects/json-patch.ts';

test('the text of a patch is what JSON.stringify writes', () => {
  const value = fc.jsonValue();
  const patch = fc.array(fc.record({ op: fc.constant('add' as const), path: fc.string(), value }));
  fc.assert(
    fc.property(patch, additions => {
      const twice = [...additions, ...additions];
      assert.deepEqual(JSON.parse(patchText(twice)), JSON.parse(JSON.stringify(twice)));
    }),
  );
});

test('a list that is missing is made, one that is there is appended to', () => {
  assert.deepEqual(append('/spec/volumes', false, [1, 2]), [{ op: 'add', path: '/spec/volumes', value: [1, 2] }]);
  assert.deepEqual(
    append('/spec/volumes', true, [1, 2]).map(({ path }) => path),
    ['/spec/volumes/-', '/spec/volumes/-'],
  );
  assert.deepEqual(append('/spec/volumes', false, []), []);
});
