/** A search in a folder of manifests finds what a search in the cluster would. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResourceSearch } from '../../../src/admission/cluster.ts';
import { Snapshot } from '../../../src/cluster/state/snapshot.ts';

const search: ResourceSearch = {
  types: [],
  namespaces: ['shop', 'default'],
  labels: new Map(),
  wanted: () => true,
  atMost: 10,
};

function snapshotOf(...objects: readonly (readonly [metadata: object, status?: unknown])[]): Snapshot {
  const snapshot = new Snapshot({ roleSelectors: false });
  const apiVersion = 's3.services.k8s.aws/v1alpha1';
  for (const [metadata, status] of objects) {
    snapshot.add({ object: { metadata, status }, apiVersion, kind: 'Bucket', place: 'a file' } as never);
  }
  return snapshot;
}

describe('a search in a folder of manifests', () => {
  const region = { 'services.k8s.aws/region': 'eu-west-3' };
  const status = { ackResourceMetadata: { ownerAccountID: '111111111111', region: 'eu-west-1' } };
  const snapshot = snapshotOf(
    [{ namespace: 'shop', name: 'assets', labels: { tier: 'gold' }, annotations: region }, status],
    [{ name: 'new' }],
    [{ namespace: 'other', name: 'elsewhere' }, status],
  );

  test('gives what ACK wrote down where the status is asked for', () => {
    const found = snapshot.findResources({ ...search, readsStatus: true });
    const bucket = { group: 's3.services.k8s.aws', versions: ['v1alpha1'], kind: 'Bucket' };
    assert.deepEqual(found, [
      {
        ...bucket,
        namespace: 'shop',
        name: 'assets',
        labels: new Map([['tier', 'gold']]),
        recorded: { accountId: '111111111111', region: 'eu-west-1' },
        region: 'eu-west-3',
      },
      {
        ...bucket,
        namespace: 'default',
        name: 'new',
        labels: new Map(),
        recorded: { accountId: undefined, region: undefined },
        region: undefined,
      },
    ]);
  });

  test('tells a few of what is asked besides', () => {
    const buckets = Array.from({ length: 9 }, (_, index) => [{ namespace: 'shop', name: `b${index}` }] as const);
    const named = (name: string) => (resource: { readonly name: string }) => resource.name === name;
    const found = snapshotOf(...buckets).findResources({
      ...search,
      wanted: named('b7'),
      besides: [({ name }) => name !== 'b7', named('b8')],
      atMost: 2,
    });
    assert.deepEqual(
      found.map(({ name }) => name),
      ['b0', 'b1', 'b7', 'b8'],
    );
  });

  test('gives metadata alone where it is not, and no more than are asked for', () => {
    const [bucket, ...others] = snapshot.findResources({ ...search, atMost: 1 });
    assert.deepEqual(bucket?.labels, new Map([['tier', 'gold']]));
    assert.ok(!('recorded' in bucket) && others.length === 0);
  });
});
