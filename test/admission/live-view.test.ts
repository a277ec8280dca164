/** A search that a decision can go without is undefined where it fails; every other failed read leaves nothing to decide by. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Lookup,
  type ResourceSearch,
  type StoredResource,
  UnverifiedError,
  type View,
} from '../../src/admission/cluster.ts';
import { decideLive } from '../../src/admission/live-view.ts';

const search: ResourceSearch = {
  types: [],
  namespaces: ['shop'],
  labels: new Map(),
  wanted: () => true,
  atMost: 1,
};
const bucket: StoredResource = {
  group: 's3.services.k8s.aws',
  versions: ['v1alpha1'],
  kind: 'Bucket',
  namespace: 'shop',
  name: 'assets',
  labels: new Map(),
};

const decide = <T>(read: (lookup: Lookup) => Promise<unknown>, by: (view: View) => T) =>
  decideLive({ cache: undefined, read: read as never }, 'shop', 1000, by);
const failing = (error: Error) => () => Promise.reject(error);
const late = new UnverifiedError(503, 'no answer came in time');

test('an advisory search that fails is answered undefined, one that does not is answered', async () => {
  const ask = (view: View) => view.findResources({ ...search, advisory: true });
  assert.equal(await decide(failing(late), ask), undefined);
  assert.deepEqual(await decide(() => Promise.resolve([bucket]), ask), [bucket]);
});

test('any other search that fails is not, nor is a read of something else, nor an error of another kind', async () => {
  const rejected = (error: Error, by: (view: View) => unknown) =>
    assert.rejects(decide(failing(error), by), thrown => thrown === error);
  await rejected(late, view => view.findResources(search));
  await rejected(late, view => view.namespace('shop'));
  await rejected(new TypeError('ours'), view => view.findResources({ ...search, advisory: true }));
});

test('a search is made when everything else was read that it rests on, once', async () => {
  const reads: string[] = [];
  const read = (lookup: Lookup) => {
    reads.push(lookup.kind);
    if (lookup.kind === 'Resources') return Promise.resolve(lookup.search.wanted(bucket) ? [bucket] : []);
    return Promise.resolve(new Map([['222222222222', 'a role']]));
  };
  const found = await decide(read, view => {
    const map = view.roleMap('account', 'ack-system');
    return view.findResources({ ...search, wanted: () => map !== undefined });
  });
  assert.deepEqual(found, [bucket]);
  assert.deepEqual(reads, ['RoleMap', 'Resources']);
});
