/** An object reads the same in a folder of manifests, in the commands' reads of the API server, and in the watching server. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Lookup } from '../../../src/admission/cluster.ts';
import { defaultConfig } from '../../../src/admission/config.ts';
import { lookUpIn } from '../../../src/admission/lookup.ts';
import { ApiSource } from '../../../src/cli/sources/api-source.ts';
import {
  cachedNamespaces,
  cachedServiceAccounts,
  knownLabels,
  listNamespacesLive,
  projectRoleMaps,
  projectRoleSelectors,
  readNamespaceLive,
  readServiceAccountLive,
} from '../../../src/cluster/projections/object-projections.ts';
import { type Projection, valueRead } from '../../../src/cluster/projections/projection.ts';
import { Snapshot } from '../../../src/cluster/state/snapshot.ts';
import { readObject } from '../../cluster/read-object.ts';
import { startTinyApiServer, type TinyObject } from '../tiny-api-server.ts';

const long = 'x'.repeat(3000);
const labels = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`label-${index}`, 'v']));
const annotations = {
  'services.k8s.aws/owner-account-id': '111122223333',
  'services.k8s.aws/endpoint-url': 'https://example.com',
  'service.k8s.aws/team-id': 'misspelled',
  'eks.amazonaws.com/role-arn': 'r',
  'carm-webhook.dev/role': long,
  ['__proto__']: 'x',
  note: 'x',
};
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', labels: { team: 'a' }, annotations } };
const labelled = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'labelled', labels } };
const serviceAccount = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { namespace: 'a', name: 'a', annotations },
};
const tooLarge = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: {
    namespace: 'a',
    name: 'large',
    annotations: { 'carm-webhook.dev/role': long, 'eks.amazonaws.com/audience': long },
  },
};
const map = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'ack-system', name: 'ack-role-account-map' },
  data: { 'pods.111122223333': long, '111122223333': 'r' },
};
const selector = {
  apiVersion: 'services.k8s.aws/v1alpha1',
  kind: 'IAMRoleSelector',
  metadata: { name: 'one', labels },
  spec: { arn: 'arn', namespaceSelector: { names: ['a'] } },
};
const objects: readonly TinyObject[] = [namespace, labelled, serviceAccount, tooLarge, map, selector];

function read<T>(projection: Projection<T>, object: TinyObject): T {
  const found = readObject(projection, { ...object, metadata: { ...object.metadata, resourceVersion: '1' } });
  assert.ok(found !== undefined);
  return valueRead(found);
}

function snapshotOf(written: readonly TinyObject[], roleSelectors: boolean): Snapshot {
  const snapshot = new Snapshot({ roleSelectors });
  for (const object of written) {
    const { apiVersion, kind } = object;
    snapshot.add({ object, apiVersion, kind, place: 'x', document: 0, path: [] });
  }
  return snapshot;
}

for (const every of [true, false]) {
  const known = knownLabels([]);
  const asked = { every, known: () => known };
  const live: readonly (readonly [Lookup, unknown])[] = [
    [{ kind: 'Namespace', name: 'a' }, read(readNamespaceLive(asked), namespace)],
    [{ kind: 'Namespace', name: 'labelled' }, read(readNamespaceLive(asked), labelled)],
    [{ kind: 'ServiceAccount', namespace: 'a', name: 'a' }, read(readServiceAccountLive, serviceAccount)],
    [{ kind: 'ServiceAccount', namespace: 'a', name: 'large' }, read(readServiceAccountLive, tooLarge)],
    [{ kind: 'RoleMap', map: 'account', ackSystem: 'ack-system' }, read(projectRoleMaps, map)],
  ];
  describe(every ? 'where selectors are looked at' : 'without selectors', () => {
    test('a folder gives a live read what the API server would', () => {
      const snapshot = snapshotOf(objects, every);
      for (const [lookup, expected] of live) assert.deepEqual(lookUpIn(snapshot, lookup), expected);
      assert.deepEqual(snapshot.roleSelectors(), every ? [read(projectRoleSelectors, selector)] : undefined);
    });

    test('a folder gives the cache what the watch would: what is too large to cache is missing', () => {
      const { cache } = snapshotOf(objects, every);
      const { isCut, ...cached } = read(cachedNamespaces(asked), labelled);
      assert.equal(isCut, every);
      assert.deepEqual(cache.namespace('labelled'), every ? undefined : { ...cached, isCut });
      assert.deepEqual(cache.namespace('a'), read(cachedNamespaces(asked), namespace));
      assert.deepEqual(cache.serviceAccount('a', 'a'), read(cachedServiceAccounts, serviceAccount));
      assert.equal(cache.serviceAccount('a', 'large'), undefined);
      assert.deepEqual(cache.serviceAccount('a', 'default')?.annotations, new Map());
    });

    test('commands read the same of the API server', async t => {
      const { kubeconfig } = await startTinyApiServer(t, objects);
      const featureGates = { ...defaultConfig.featureGates, IAMRoleSelector: every };
      const source = new ApiSource({ kubeconfig, context: undefined }, { ...defaultConfig, featureGates });
      t.after(() => source[Symbol.asyncDispose]());
      for (const [lookup, expected] of live) assert.deepEqual(await source.read(lookup), expected);
      const listed = [namespace, labelled].map(object => read(listNamespacesLive(asked), object));
      assert.deepEqual(await source.read({ kind: 'Namespaces' }), listed);
      const snapshot = await source.snapshot(() => {});
      for (const [lookup, expected] of live) assert.deepEqual(lookUpIn(snapshot, lookup), expected);
    });
  });
}

test('selectors ask for labels of namespaces that are too many to read, whichever comes first', () => {
  const many = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`label-${index}`, 'v']));
  const large = { ...namespace, metadata: { name: 'large', labels: { ...many, asked: 'yes' } } };
  const asking = {
    ...selector,
    spec: { arn: 'arn', namespaceSelector: { labelSelector: { matchLabels: { asked: 'yes' } } } },
  };
  for (const written of [
    [large, asking],
    [asking, large],
  ]) {
    const snapshot = snapshotOf(written, true);
    assert.equal(snapshot.namespace('large')?.labels.get('asked' as never), 'yes');
    assert.throws(() => snapshot.namespace('large')?.labels.get('label-999' as never), { code: 'Unverified' });
  }
});

test('null in a file is the empty text that the API server makes of it', () => {
  const metadata = {
    name: 'a',
    labels: { 'carm-webhook.dev/inject': null },
    annotations: { ...annotations, note: null },
  };
  const { cache } = snapshotOf([{ ...namespace, metadata }], false);
  assert.equal(cache.namespace('a')?.labels.get('carm-webhook.dev/inject'), '');
});
