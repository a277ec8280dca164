import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StoredWorkloads } from '../../../src/cluster/state/stored-workloads.ts';

const deployment = { group: 'apps', kind: 'Deployment' };

function stored(...metadata: readonly unknown[]): StoredWorkloads {
  const workloads = new StoredWorkloads();
  for (const each of metadata) workloads.add(deployment, { metadata: each }, 'default');
  return workloads;
}

describe('stored workloads', () => {
  const web = { name: 'web', namespace: 'shop', labels: { tier: 'gold' } };
  const workloads = stored(
    web,
    { name: 'bare' },
    { name: 'empty', namespace: '' },
    { name: 'web', namespace: 'shop-2' },
  );

  test('are found by kind, namespace and name', () => {
    assert.deepEqual(workloads.find(deployment, 'shop', 'web'), { metadata: web });
    assert.equal(workloads.find({ group: 'apps', kind: 'StatefulSet' }, 'shop', 'web'), undefined);
    assert.equal(workloads.find(deployment, 'shop', 'other'), undefined);
  });

  test('of a namespace are not those of one whose name begins alike', () => {
    const found = [...workloads.inNamespace(deployment, 'shop')];
    assert.deepEqual(found, [{ namespace: 'shop', name: 'web', value: { metadata: web } }]);
  });

  test('of a kind say where they are, also where the manifest does not', () => {
    assert.deepEqual(
      [...workloads.ofKind(deployment)].map(({ metadata }) => metadata),
      [
        web,
        { name: 'bare', namespace: 'default' },
        { name: 'empty', namespace: 'default' },
        { name: 'web', namespace: 'shop-2' },
      ],
    );
  });

  test('leave out other kinds, and what has no name', () => {
    const none = stored({}, undefined, 'text', { name: 1 }, { name: 'web', namespace: 1 });
    none.add({ group: '', kind: 'Pod' }, { metadata: { name: 'web' } }, 'default');
    none.add({ group: 'example.com', kind: 'Deployment' }, { metadata: { name: 'web' } }, 'default');
    assert.deepEqual([...none.ofKind(deployment), ...none.ofKind({ group: '', kind: 'Pod' })], []);
    assert.deepEqual([...none.ofKind({ group: 'example.com', kind: 'Deployment' })], []);
  });
});
