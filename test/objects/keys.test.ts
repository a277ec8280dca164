import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  adoptedAnnotation,
  audienceAnnotation,
  isControllersAnnotation,
  keyRows,
  ownerAccountIdAnnotation,
  readKeys,
  regionAnnotation,
  serviceDeletionPolicyKey,
} from '../../src/objects/keys.ts';
import { type Namespace, readNamespace } from '../../src/objects/namespace.ts';
import { type Pod, readPod } from '../../src/objects/pod.ts';
import type { ServiceAccount } from '../../src/objects/service-account.ts';

describe('the table of keys', () => {
  test('has each key once', () => {
    const keys = keyRows.map(({ key, as }) => `${as} ${key}`);
    assert.deepEqual([...new Set(keys)], keys);
  });

  test('says what is read on a kind', () => {
    assert.deepEqual(readKeys('label', 'namespace'), ['carm-webhook.dev/inject', 'carm-webhook.dev/mode']);
    assert.deepEqual(readKeys('annotation', 'namespace'), [
      'carm-webhook.dev/credentials',
      'carm-webhook.dev/hub-role-arn',
      'carm-webhook.dev/external-id',
      'carm-webhook.dev/allow-rebind',
      'services.k8s.aws/owner-account-id',
      'services.k8s.aws/team-id',
      'services.k8s.aws/default-region',
      'SERVICE.services.k8s.aws/deletion-policy',
    ]);
    assert.ok(readKeys('annotation', 'ServiceAccount').includes(audienceAnnotation));
  });

  test('says what only controllers write', () => {
    for (const key of [adoptedAnnotation, 'rds.services.k8s.aws/last-applied-secret-reference']) {
      assert.ok(isControllersAnnotation(key), key);
    }
    for (const key of [regionAnnotation, 'ecr.services.k8s.aws/force-delete', 'services.k8s.aws/last-x', '']) {
      assert.ok(!isControllersAnnotation(key), key);
    }
  });
});

test('what the cache does not have of an object cannot be asked for: it does not compile', () => {
  const namespace: Namespace = readNamespace({}, 'a');
  const serviceAccount: ServiceAccount = { labels: new Map(), annotations: new Map() };
  const pod: Pod = readPod({});
  assert.equal(namespace.annotations.get(ownerAccountIdAnnotation), undefined);
  // @ts-expect-error of ACK's resources.
  assert.equal(namespace.annotations.get(regionAnnotation), undefined);
  assert.equal(namespace.annotations.get(serviceDeletionPolicyKey('s3')), undefined);
  // @ts-expect-error of ServiceAccounts.
  assert.equal(namespace.annotations.has(audienceAnnotation), false);
  // @ts-expect-error in no row of the table.
  assert.equal(namespace.labels.get('carm-webhook.dev/other'), undefined);
  // @ts-expect-error of namespaces.
  assert.equal(serviceAccount.annotations.get(ownerAccountIdAnnotation), undefined);
  // @ts-expect-error in no row of the table: of pods too, so that a misspelled one is warned of.
  assert.equal(pod.annotations.get('carm-webhook.dev/other'), undefined);
  // @ts-expect-error who takes a Map could ask it for anything.
  const map: ReadonlyMap<string, string> = serviceAccount.annotations;
  assert.equal(map.size, 0);
});
