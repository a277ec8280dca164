/** What is taken of each kind of object, and what is said of one that has too much. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UnverifiedError } from '../../../src/admission/cluster.ts';
import {
  cachedNamespaces,
  cachedServiceAccounts,
  listNamespacesLive,
  ourLabels,
  projectRoleMaps,
  projectRoleSelectors,
  readNamespaceLive,
  readServiceAccountLive,
  tooLargeToCache,
} from '../../../src/cluster/projections/object-projections.ts';
import { type Projection, valueRead } from '../../../src/cluster/projections/projection.ts';
import { KeySet } from '../../../src/objects/key-set.ts';
import type { KeyedStrings } from '../../../src/objects/keys.ts';
import { readObject } from '../read-object.ts';

function read<T>(projection: Projection<T>, metadata: object, rest: object = {}): T {
  const object = readObject(projection, { metadata: { name: 'a', resourceVersion: '1', ...metadata }, ...rest });
  assert.ok(object !== undefined);
  return valueRead(object);
}

/** Any label, as selectors ask for them. */
const label = (labels: KeyedStrings<never>, key: string) => labels.get(key as never);
const many = (count: number, length = 1) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, 'v'.repeat(length)]));
const known = new KeySet([...ourLabels, 'asked']);
const bySelectors = { every: true, known: () => known };
const ours = { 'carm-webhook.dev/inject': 'enabled', 'carm-webhook.dev/mode': 'audit' };
const account = { 'services.k8s.aws/owner-account-id': '111122223333' };

describe('a namespace', () => {
  test('is cached by our labels and the annotations of ACK; by all labels where selectors may ask for them', () => {
    const metadata = { labels: { ...ours, other: 'x' }, annotations: { ...account, other: 'x' } };
    const plain = read(cachedNamespaces({ every: false, known: () => known }), metadata);
    assert.deepEqual(Object.fromEntries(plain.labels), ours);
    assert.deepEqual(Object.fromEntries(plain.annotations), account);
    const all = read(cachedNamespaces(bySelectors), metadata);
    assert.deepEqual(Object.fromEntries(all.labels), { ...ours, other: 'x' });
    assert.equal(all.isCut, false);
  });

  test('is cached with the deletion policies of services: some, each cut to a word', () => {
    const policies = { 's3.services.k8s.aws/deletion-policy': 'retain', 'sqs.services.k8s.aws/deletion-policy': '' };
    const long = { 'rds.services.k8s.aws/deletion-policy': 'r'.repeat(1000) };
    const { annotations } = read(cachedNamespaces(bySelectors), { annotations: { ...policies, ...long, ...account } });
    assert.deepEqual(Object.fromEntries(annotations), {
      ...policies,
      'rds.services.k8s.aws/deletion-policy': 'r'.repeat(16),
      ...account,
    });
    const most = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`s${index}.services.k8s.aws/deletion-policy`, 'delete']),
    );
    const tooLong = { [`${'s'.repeat(64)}.services.k8s.aws/deletion-policy`]: 'delete' };
    const bounded = read(cachedNamespaces(bySelectors), { annotations: { ...tooLong, ...most, ...account } });
    assert.equal([...bounded.annotations].length, 129);
    assert.equal(bounded.annotations.get('services.k8s.aws/owner-account-id'), '111122223333');
  });

  test('is cached with the keys that are misspelled, and without their values', () => {
    const misspelled = { 'service.k8s.aws/team-id': 'x', 'services.k8s.aws/region': 'x' };
    const { annotations } = read(cachedNamespaces(bySelectors), { annotations: { ...misspelled, ...account } });
    const names = Object.keys(misspelled).map(key => [key, '']);
    assert.deepEqual([...annotations], [...names, ...Object.entries(account)]);
  });

  for (const [what, labels] of [
    ['many labels', { ...many(1000), zasked: 'x', ...ours, asked: 'yes' }],
    ['long labels', { ...many(60, 2000), ...ours, asked: 'yes' }],
  ] as const) {
    test(`with ${what} is cached as cut, with what is always asked for`, () => {
      const {
        labels: taken,
        annotations,
        isCut,
        name,
      } = read(cachedNamespaces(bySelectors), { labels, annotations: account });
      assert.deepEqual(
        [isCut, name, label(taken, 'asked'), taken.get('carm-webhook.dev/mode')],
        [true, 'a', 'yes', 'audit'],
      );
      assert.deepEqual(Object.fromEntries(annotations), account);
      assert.ok([...taken].length <= 70);
    });
  }

  test('live has more labels, and beyond those says that it does not know, never that there is none', () => {
    const live = readNamespaceLive(bySelectors);
    const { labels } = read(live, { labels: many(900) });
    assert.deepEqual([label(labels, 'label-899'), label(labels, 'none')], ['v', undefined]);
    const cut = read(live, { labels: { ...many(1001), asked: 'yes' } }).labels;
    assert.deepEqual([label(cut, 'asked'), cut.get('carm-webhook.dev/inject')], ['yes', undefined]);
    assert.throws(() => label(cut, 'label-1000'), UnverifiedError);
    assert.throws(() => label(cut, 'none'), /namespace "a" has too many labels/);
  });

  test('in a live list is cut as in the cache, and says so in the same way', () => {
    const { labels, annotations } = read(listNamespacesLive(bySelectors), {
      labels: { ...many(100), asked: 'yes' },
      annotations: account,
    });
    assert.equal(label(labels, 'asked'), 'yes');
    assert.throws(() => label(labels, 'label-99'), UnverifiedError);
    assert.deepEqual(Object.fromEntries(annotations), account);
  });
});

describe('a ServiceAccount', () => {
  const role = { 'eks.amazonaws.com/role-arn': 'arn' };

  test('is cached by what is read, and by some keys that are misspelled', () => {
    const misspelled = Object.fromEntries(
      Array.from({ length: 9 }, (_, index) => [`eks.amazonaws.co${index}/role-arn`, 'x']),
    );
    const { annotations } = read(cachedServiceAccounts, { annotations: { note: 'x', ...misspelled, ...role } });
    assert.deepEqual([...annotations].sort(), [
      ...Array.from({ length: 8 }, (_, index) => [`eks.amazonaws.co${index}/role-arn`, '']),
      ['eks.amazonaws.com/role-arn', 'arn'],
    ]);
  });

  test('is read to its end, however many annotations of others come before', () => {
    const others = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`example.com/note-${index}`, 'x']));
    const { annotations } = read(cachedServiceAccounts, { annotations: { ...others, ...role } });
    assert.deepEqual(Object.fromEntries(annotations), role);
  });

  test('with too much is not cached, and read live', () => {
    const annotations = {
      'eks.amazonaws.com/role-arn': 'x'.repeat(2049),
      'eks.amazonaws.com/audience': 'x'.repeat(2049),
    };
    assert.equal(read(cachedServiceAccounts, { annotations }), tooLargeToCache);
    assert.deepEqual(Object.fromEntries(read(readServiceAccountLive, { annotations }).annotations), annotations);
  });
});

describe('a map', () => {
  test('has the strings of its data', () => {
    const data = JSON.parse('{"111122223333":"arn","__proto__":"x","number":1}');
    assert.deepEqual(
      [...read(projectRoleMaps, {}, { data })],
      [
        ['111122223333', 'arn'],
        ['__proto__', 'x'],
      ],
    );
    assert.deepEqual([...read(projectRoleMaps, {}, { data: null })], []);
    assert.deepEqual([...read(projectRoleMaps, {})], []);
  });

  test('larger than a ConfigMap can be is an error', () => {
    const data = Object.fromEntries(Array.from({ length: 1100 }, (_, index) => [`key-${index}`, 'x'.repeat(1000)]));
    assert.throws(() => read(projectRoleMaps, {}, { data }), { code: 'ObjectTooLong' });
  });
});

describe('a selector', () => {
  test('is read with its spec', () => {
    const spec = { arn: 'arn', namespaceSelector: { names: ['team'] } };
    const { name, arn, namespaceNames } = read(projectRoleSelectors, {}, { status: {}, spec });
    assert.deepEqual([name, arn, namespaceNames], ['a', 'arn', ['team']]);
    assert.equal(read(projectRoleSelectors, {}).arn, '');
  });

  test('with a spec that is too long, or malformed, is an error', () => {
    assert.throws(() => read(projectRoleSelectors, {}, { spec: { arn: 'x'.repeat(300_000) } }), {
      code: 'ObjectTooLong',
    });
    assert.throws(() => read(projectRoleSelectors, {}, { spec: { arn: 1 } }), { code: 'InvalidReview' });
  });
});
