/** What is taken of metadata: what is wanted, cut, within its bounds. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { projectMetadata, type Want } from '../../../src/cluster/projections/metadata-projection.ts';
import { valueRead } from '../../../src/cluster/projections/projection.ts';
import { KeySet } from '../../../src/objects/key-set.ts';
import { readObject } from '../read-object.ts';

const wants: Readonly<Record<string, Want>> = {
  wanted: 'always',
  a: 'within-bounds',
  b: 'within-bounds',
  c: 'within-bounds',
  alone: 'key-alone',
};
const wanted = {
  keys: new KeySet(['wanted']),
  others: () => true,
  want: (key: string) => (Object.hasOwn(wants, key) ? wants[key] : undefined),
};
const projection = projectMetadata(
  () => ({ labels: wanted, annotations: wanted }),
  { entries: 2, characters: 12 },
  metadata => metadata,
);
const project = (metadata: object | string) => {
  const text = typeof metadata === 'string' ? metadata : JSON.stringify(metadata).slice(1, -1);
  const read = readObject(
    projection,
    `{"metadata":{"name":"a","resourceVersion":"1"${text === '' ? '' : `,${text}`}}}`,
  );
  assert.ok(read !== undefined);
  return valueRead(read);
};

test('an object with nothing for us is taken as one shared object', () => {
  const bare = project({});
  for (const metadata of [
    { labels: null, annotations: [] },
    { labels: { other: 'x' } },
    { labels: 'x' },
    { labels: { wanted: 7 } },
  ]) {
    assert.equal(project(metadata), bare);
  }
});

test('what is taken are strings under wanted keys, the last one of a key', () => {
  const { labels, annotations, isCut } = project(
    '"labels":{"wanted":"no","__proto__":"no","wanted":"yes"},"annotations":{"a":"b","wanted":7,"alone":{"x":1}}',
  );
  assert.deepEqual([...labels], [['wanted', 'yes']]);
  assert.deepEqual(
    [...annotations],
    [
      ['a', 'b'],
      ['alone', ''],
    ],
  );
  assert.equal(isCut, false);
});

test('a value is cut behind what means something', () => {
  assert.equal(project({ labels: { wanted: 'x'.repeat(5000) } }).labels.get('wanted')?.length, 2049);
});

for (const [what, labels, left] of [
  ['too many', { a: '1', b: '2', c: '3', wanted: 'yes' }, ['a', 'b', 'wanted']],
  ['too much', { a: '12345', b: '123456789', c: '1', wanted: 'yes' }, ['a', 'wanted']],
] as const) {
  test(`an object with ${what} within bounds says that it is cut, and takes what is always wanted`, () => {
    const { labels: found, isCut } = project({ labels });
    assert.deepEqual([...found.keys()], left);
    assert.equal(isCut, true);
  });
}

test('an object without a name or version, or with one that can be none, is no object', () => {
  for (const object of [
    {},
    { metadata: null },
    { metadata: { name: 'a' } },
    { metadata: { name: '', resourceVersion: '1' } },
    { metadata: { name: 'a', resourceVersion: 1 } },
    { metadata: { name: 'a', resourceVersion: '1', namespace: null } },
    { metadata: { name: 'a', resourceVersion: '1'.repeat(2000) } },
    { metadata: { name: 'a'.repeat(2000), resourceVersion: '1' } },
  ]) {
    assert.equal(readObject(projection, object), undefined, JSON.stringify(object));
  }
});
