/** What is too large to cache is for decisions by the cache as if it were not there, and so read live. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { UnverifiedError } from '../../src/admission/cluster.ts';
import { WatchingCluster } from '../../src/cluster/watching-cluster.ts';
import type { Namespace } from '../../src/objects/namespace.ts';
import { connectionTo, until } from './watch/watch-loop-harness.ts';

const labels = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, 'v']));
const owner = { 'services.k8s.aws/owner-account-id': '111122223333' };
const arn = 'x'.repeat(2049);

const objects: Readonly<Record<string, readonly { readonly metadata: Readonly<Record<string, unknown>> }[]>> = {
  '/api/v1/namespaces': [
    { metadata: { name: 'small', labels: labels(20), annotations: owner } },
    { metadata: { name: 'large', labels: labels(200), annotations: owner } },
    { metadata: { name: 'larger', labels: { ...labels(2000), team: 'red' }, annotations: owner } },
  ],
  '/api/v1/serviceaccounts': [
    { metadata: { namespace: 'small', name: 'small', annotations: { 'eks.amazonaws.com/role-arn': 'arn' } } },
    {
      metadata: {
        namespace: 'small',
        name: 'large',
        annotations: { 'eks.amazonaws.com/role-arn': arn, 'eks.amazonaws.com/audience': arn },
      },
    },
  ],
  '/apis/services.k8s.aws/v1alpha1/iamroleselectors': [
    {
      metadata: { name: 'selector' },
      ...{ spec: { arn: 'arn', namespaceSelector: { labelSelector: { matchLabels: { team: 'red' } } } } },
    },
  ],
};

async function watching(t: TestContext): Promise<WatchingCluster> {
  const withVersion = (object: { readonly metadata: object }) => ({
    ...object,
    metadata: { ...object.metadata, resourceVersion: '1' },
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const items = objects[url.pathname] ?? [];
    if (url.searchParams.has('watch')) {
      response.writeHead(200).flushHeaders();
      return;
    }
    const [, namespace, name] =
      /^\/api\/v1\/namespaces\/([^/]+)(?:\/serviceaccounts\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (namespace === undefined) {
      response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: items.map(withVersion) }));
      return;
    }
    const found = objects[name === undefined ? '/api/v1/namespaces' : '/api/v1/serviceaccounts']?.find(
      ({ metadata }) => metadata['name'] === (name ?? namespace),
    );
    response.end(JSON.stringify(found === undefined ? {} : withVersion(found)));
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const nothing = () => {};
  const cluster = new WatchingCluster({
    connection: connectionTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ackSystems: ['ack-system'],
    maps: ['account'],
    roleSelectors: true,
    maxStalenessMs: 90_000,
    observer: {
      synced: nothing,
      lastEvent: nothing,
      restarted: nothing,
      listenerFailed: nothing,
      liveRead: nothing,
      changed: nothing,
    },
  });
  cluster.start();
  t.after(async () => {
    await cluster.stop();
    server.closeAllConnections();
    server.close();
  });
  await until('all is listed', () => cluster.cache !== undefined);
  return cluster;
}

/** Any label, as selectors ask for them. */
const label = (namespace: Namespace | undefined, key: string) => namespace?.labels.get(key as never);

const deadline = () => performance.now() + 3000;

test('a namespace with too many labels is missing in the cache, except for its binding, and is read live', async t => {
  const cluster = await watching(t);
  const { cache } = cluster;
  assert.equal(label(cache?.namespace('small'), 'label-19'), 'v');
  assert.equal(cache?.namespace('large'), undefined);
  const bound = Array.from(cache?.namespaces() ?? [], ({ name, annotations }) => `${name} ${[...annotations].length}`);
  assert.deepEqual(bound, ['small 1', 'large 1', 'larger 1']);
  const live = await cluster.read({ kind: 'Namespace', name: 'large' }, 'large', deadline());
  assert.equal(label(live, 'label-199'), 'v');
  assert.equal(label(live, 'team'), undefined);
});

test('live too, one with even more labels is known by those that selectors ask for, and no other is guessed', async t => {
  const cluster = await watching(t);
  const one = await cluster.read({ kind: 'Namespace', name: 'larger' }, 'larger', deadline());
  const all = await cluster.read({ kind: 'Namespaces' }, 'larger', deadline());
  for (const namespace of [one, all.find(({ name }) => name === 'larger')]) {
    assert.equal(label(namespace, 'team'), 'red');
    assert.throws(() => label(namespace, 'label-1999'), UnverifiedError);
  }
});

test('a ServiceAccount with too much is missing in the cache, and is read live', async t => {
  const cluster = await watching(t);
  assert.equal(cluster.cache?.serviceAccount('small', 'small')?.annotations.get('eks.amazonaws.com/role-arn'), 'arn');
  assert.equal(cluster.cache?.serviceAccount('small', 'large'), undefined);
  const reference = { kind: 'ServiceAccount', namespace: 'small', name: 'large' } as const;
  const live = await cluster.read(reference, 'small', deadline());
  assert.equal(live?.annotations.get('eks.amazonaws.com/role-arn'), arn);
});
