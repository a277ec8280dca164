import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MalformedObjectError } from '../../src/objects/json.ts';
import { readPod } from '../../src/objects/pod.ts';

describe('a pod is read', () => {
  test('from nothing but an object', () => {
    assert.deepEqual(readPod({}), {
      labels: new Map(),
      annotations: new Map(),
      hasMetadata: false,
      hasLabels: false,
      hasAnnotations: false,
      serviceAccountName: 'default',
      windows: false,
      windowsUse: 'unlikely',
      containers: [],
      volumes: undefined,
    });
  });

  test('null is absent everywhere, as Go writes it', () => {
    const pod = readPod({
      metadata: { labels: null, annotations: null },
      spec: {
        containers: [{ name: 'a', env: null, volumeMounts: null, envFrom: null }],
        initContainers: null,
        volumes: null,
        os: null,
      },
    });
    assert.equal(pod.hasAnnotations, false);
    assert.equal(pod.containers[0]?.hasEnv, false);
    assert.equal(pod.volumes, undefined);
  });

  test('init containers first, then containers, then ephemeral ones, each by its path', () => {
    const list = (...names: readonly string[]) => names.map(name => ({ name }));
    const { containers } = readPod({
      spec: { containers: list('c'), ephemeralContainers: list('e'), initContainers: list('i', 'j') },
    });
    assert.deepEqual(
      containers.map(({ path, kind }) => `${path} ${kind}`),
      [
        '/spec/initContainers/0 init container',
        '/spec/initContainers/1 init container',
        '/spec/containers/0 container',
        '/spec/ephemeralContainers/0 ephemeral container',
      ],
    );
  });

  test('serviceAccountName before the deprecated serviceAccount', () => {
    assert.equal(readPod({ spec: { serviceAccountName: 'a', serviceAccount: 'b' } }).serviceAccountName, 'a');
    assert.equal(readPod({ spec: { serviceAccount: 'b' } }).serviceAccountName, 'b');
    assert.equal(readPod({ spec: { serviceAccountName: '' } }).serviceAccountName, 'default');
  });

  test('annotations with the key __proto__ are annotations', () => {
    const pod = readPod(JSON.parse('{"metadata":{"annotations":{"__proto__":"x"},"labels":{"constructor":"y"}}}'));
    assert.equal(pod.annotations.get('__proto__' as never), 'x');
    assert.equal(pod.annotations.get('toString' as never), undefined);
    assert.equal(pod.labels.get('constructor' as never), 'y');
  });

  test('own keys of a __proto__ object are not taken for fields', () => {
    const pod = readPod(JSON.parse('{"spec":{"__proto__":{"os":{"name":"windows"},"containers":[{"name":"x"}]}}}'));
    assert.equal(pod.windows, false);
    assert.deepEqual(pod.containers, []);
  });

  const malformed: Readonly<Record<string, unknown>> = {
    '': [],
    '/metadata': { metadata: 'x' },
    '/metadata/labels': { metadata: { labels: [] } },
    '/metadata/annotations/a': { metadata: { annotations: { a: 1 } } },
    '/metadata/annotations/a~1b~0': { metadata: { annotations: { 'a/b~': {} } } },
    '/spec': { spec: 1 },
    '/spec/containers': { spec: { containers: {} } },
    '/spec/containers/1': { spec: { containers: [{}, null] } },
    '/spec/initContainers/0/env/0': { spec: { initContainers: [{ env: ['X=1'] }] } },
    '/spec/containers/0/env/0/name': { spec: { containers: [{ env: [{ name: 1 }] }] } },
    '/spec/containers/0/volumeMounts/0/mountPath': { spec: { containers: [{ volumeMounts: [{ mountPath: {} }] }] } },
    '/spec/ephemeralContainers': { spec: { ephemeralContainers: 'x' } },
    '/spec/volumes/0/projected/sources': { spec: { volumes: [{ projected: { sources: {} } }] } },
    '/spec/volumes/0/projected/sources/0/serviceAccountToken/audience': {
      spec: { volumes: [{ projected: { sources: [{ serviceAccountToken: { audience: 1 } }] } }] },
    },
    '/spec/os/name': { spec: { os: { name: true } } },
    '/spec/nodeSelector/a': { spec: { nodeSelector: { a: 1 } } },
  };
  for (const [path, object] of Object.entries(malformed)) {
    test(`a wrong type at ${path || 'the top'} is named`, () => {
      assert.throws(
        () => readPod(object),
        (error: unknown) => error instanceof MalformedObjectError && error.path === path,
      );
    });
  }
});
