import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PodVolumes } from '../../src/injection/pod-volumes.ts';
import { lookAtMounts } from '../../src/injection/token-volume.ts';
import { readPod } from '../../src/objects/pod.ts';

const ours = '/var/run/secrets/eks.amazonaws.com/serviceaccount';

interface PodFields {
  readonly mounts: readonly object[];
  readonly volumes?: readonly object[];
  /** Mounts of the container beside it. */
  readonly beside?: readonly object[];
  readonly os?: string;
}

/** What the first container of a pod has around our path. */
function look(fields: PodFields) {
  const { folder: _, ...looked } = lookFor(fields);
  return looked;
}

function lookFor({ mounts, volumes = [], beside = [], os = 'linux' }: PodFields) {
  const containers = [mounts, beside].map((volumeMounts, index) => ({ name: `c${index}`, volumeMounts }));
  const pod = readPod({ spec: { os: { name: os }, containers, volumes } });
  const [container] = pod.containers;
  assert.ok(container);
  const { present, conflict, nestedIn } = lookAtMounts(container, pod, new PodVolumes(pod));
  const conflicts = conflict === undefined ? undefined : `${conflict.mount.name} ${conflict.where}`;
  return { present, conflict: conflicts, nestedIn: nestedIn?.mount.name, folder: nestedIn?.folder };
}

const mount = (mountPath: string, name = 'data', more = {}) => ({ name, mountPath, ...more });

describe('a mount', () => {
  const table: readonly [string, object, ('present' | 'conflict' | 'nothing')?, string?][] = [
    ['elsewhere', mount('/data')],
    ['at our path, ours', mount(ours, 'aws-iam-token'), 'present'],
    ['at our path, ours, writable', mount(ours, 'aws-iam-token', { readOnly: false }), 'present'],
    ['at our path with a slash, ours', mount(`${ours}/`, 'aws-iam-token'), 'present'],
    ['at our path, foreign', mount(ours), 'conflict'],
    ['at our path, unnormalised', mount('/var//run/./secrets/x/../eks.amazonaws.com/serviceaccount/'), 'conflict'],
    ['at our path, relative', mount(ours.slice(1)), 'conflict'],
    ['at our path, ours by subPath', mount(ours, 'aws-iam-token', { subPath: 'token' }), 'conflict'],
    ['at our path, ours by subPathExpr', mount(ours, 'aws-iam-token', { subPathExpr: '$(X)' }), 'conflict'],
    ['at our path, ours, empty subPath', mount(ours, 'aws-iam-token', { subPath: '' }), 'present'],
    ['below our path, foreign', mount(`${ours}/token`), 'conflict'],
    ['below our path, ours', mount(`${ours}/token`, 'aws-iam-token', { subPath: 'token' })],
    ['a sibling with our path as prefix', mount(`${ours}-2`)],
    ['a sibling with a prefix of our path', mount('/var/run/sec')],
    ['another case on Linux', mount(ours.toUpperCase())],
    ['another case on Windows', mount(ours.toUpperCase()), 'conflict', 'windows'],
    ['with a drive on Windows', mount(`C:${ours}`), 'conflict', 'windows'],
    ['on another drive on Windows', mount(`D:${ours}`), 'nothing', 'windows'],
    ['with backslashes on Windows', mount(`c:${ours.replaceAll('/', '\\')}\\x`), 'conflict', 'windows'],
    ['with backslashes on Linux', mount(ours.replaceAll('/', '\\'))],
  ];
  for (const [what, entry, expected = 'nothing', os = 'linux'] of table) {
    test(`${what}: ${expected}`, () => {
      const { present, conflict } = look({ mounts: [mount('/other'), entry], os });
      assert.equal(conflict !== undefined ? 'conflict' : present ? 'present' : 'nothing', expected);
    });
  }
});

/** By what is mounted, and whether the mount is read-only: what becomes of our mount below it, and behind a link. */
const sources: readonly [
  what: string,
  source: object,
  readOnly: boolean,
  below: 'fine' | 'nested' | 'conflict',
  behindLink: 'fine' | 'nested',
][] = [
  ['a Secret', { secret: { secretName: 's' } }, false, 'fine', 'nested'],
  ['a Secret, read-only', { secret: {} }, true, 'fine', 'nested'],
  ['a ConfigMap, read-only', { configMap: { name: 'c' } }, true, 'fine', 'nested'],
  ['a downwardAPI volume, read-only', { downwardAPI: {} }, true, 'fine', 'nested'],
  ['a projected volume, read-only', { projected: { sources: [] } }, true, 'fine', 'nested'],
  ['an emptyDir', { emptyDir: {} }, false, 'fine', 'fine'],
  ['an emptyDir in memory', { emptyDir: { medium: 'Memory' } }, false, 'fine', 'fine'],
  ['an emptyDir, read-only', { emptyDir: {} }, true, 'conflict', 'nested'],
  ['a volume without a source, which is one', {}, true, 'conflict', 'nested'],
  ['a hostPath', { hostPath: { path: '/x' } }, false, 'fine', 'fine'],
  ['a hostPath, read-only', { hostPath: { path: '/x' } }, true, 'nested', 'nested'],
  ['a claim', { persistentVolumeClaim: { claimName: 'c' } }, false, 'fine', 'fine'],
  ['a claim, read-only', { persistentVolumeClaim: { claimName: 'c' } }, true, 'nested', 'nested'],
  [
    'a claim, read-only by its source',
    { persistentVolumeClaim: { claimName: 'c', readOnly: true } },
    false,
    'nested',
    'nested',
  ],
  ['a claim of the pod alone', { ephemeral: { volumeClaimTemplate: {} } }, false, 'fine', 'fine'],
  ['a claim of the pod alone, read-only', { ephemeral: { volumeClaimTemplate: {} } }, true, 'nested', 'nested'],
  ['CSI', { csi: { driver: 'd' } }, false, 'fine', 'fine'],
  ['CSI, read-only', { csi: { driver: 'd' } }, true, 'nested', 'nested'],
  ['CSI, read-only by its source', { csi: { driver: 'd', readOnly: true } }, false, 'nested', 'nested'],
  ['NFS, read-only by its source', { nfs: { server: 's', path: '/', readOnly: true } }, false, 'nested', 'nested'],
  ['an image', { image: { reference: 'i' } }, false, 'nested', 'nested'],
  ['a kind that is not known', { future: {} }, false, 'fine', 'fine'],
  ['a kind that is not known, read-only', { future: { readOnly: true } }, false, 'nested', 'nested'],
];

describe('our mount below another one', () => {
  for (const [what, source, readOnly, below] of sources) {
    for (const path of [
      '/var',
      '/var/run',
      '/var/run/secrets',
      '/var//run/x/..',
      '/var/run/secrets/eks.amazonaws.com',
      '/',
    ]) {
      test(`of ${what}, at ${path}: ${below}`, () => {
        assert.deepEqual(
          look({ mounts: [mount(path, 'data', { readOnly })], volumes: [{ name: 'data', ...source }] }),
          {
            present: false,
            conflict: below === 'conflict' ? 'data above' : undefined,
            nestedIn: below === 'nested' ? 'data' : undefined,
          },
        );
      });
    }
  }

  test('of a volume that the pod does not have: the API server says so', () =>
    assert.deepEqual(look({ mounts: [mount('/var/run', 'data', { readOnly: true })] }), {
      present: false,
      conflict: undefined,
      nestedIn: undefined,
    }));

  test('in a part of a Secret, where kubelet makes no folder', () => {
    const volumes = [{ name: 'data', secret: {} }];
    assert.equal(look({ mounts: [mount('/var/run', 'data', { subPath: 'x' })], volumes }).nestedIn, 'data');
  });

  test('in an emptyDir that another container can write: the folder may be there', () => {
    const readOnly = [mount('/var/run', 'data', { readOnly: true })];
    const volumes = [{ name: 'data', emptyDir: {} }];
    const nested = { present: false, conflict: undefined, nestedIn: 'data' };
    assert.deepEqual(look({ mounts: readOnly, volumes, beside: [mount('/data')] }), nested);
    assert.equal(look({ mounts: readOnly, volumes, beside: [mount('/data', 'other')] }).conflict, 'data above');
    assert.equal(look({ mounts: readOnly, volumes, beside: readOnly }).conflict, 'data above');
    // It has mounted everything before it can write.
    assert.equal(look({ mounts: [...readOnly, mount('/data')], volumes }).conflict, 'data above');
  });

  test('on Windows nothing is known of who makes the folder: never a conflict', () => {
    const volumes = [{ name: 'data', emptyDir: {} }];
    const looked = look({ mounts: [mount('C:\\var\\run', 'data', { readOnly: true })], volumes, os: 'windows' });
    assert.deepEqual(looked, { present: false, conflict: undefined, nestedIn: 'data' });
  });

  test('the folder that is needed is told as it is seen from there', () => {
    const folderAt = (path: string) =>
      lookFor({ mounts: [mount(path)], volumes: [{ name: 'data', image: { reference: 'x' } }] }).folder;
    assert.equal(folderAt('/var'), 'run/secrets/eks.amazonaws.com/serviceaccount');
    assert.equal(folderAt('/var/run/secrets/'), 'eks.amazonaws.com/serviceaccount');
    assert.equal(folderAt('/run'), 'secrets/eks.amazonaws.com/serviceaccount');
    assert.equal(folderAt('/run/secrets/eks.amazonaws.com'), 'serviceaccount');
  });

  test('the nearest decides, in whatever order they stand', () => {
    const volumes = [
      { name: 'data', emptyDir: {} },
      { name: 'claim', persistentVolumeClaim: { claimName: 'c' } },
    ];
    const far = mount('/var', 'data', { readOnly: true });
    const near = mount('/var/run', 'claim');
    for (const mounts of [
      [far, near],
      [near, far],
    ]) {
      assert.deepEqual(look({ mounts, volumes }), { present: false, conflict: undefined, nestedIn: undefined });
    }
    const swapped = [mount('/var', 'claim'), mount('/var/run', 'data', { readOnly: true })];
    assert.equal(look({ mounts: swapped, volumes }).conflict, 'data above');
  });
});

describe('our mount, where /var/run may be a link to /run, below a mount', () => {
  for (const [what, source, readOnly, , behindLink] of sources) {
    for (const path of ['/run', '/run/', '/run/secrets', '/run/secrets/eks.amazonaws.com']) {
      test(`of ${what}, at ${path}: ${behindLink}`, () => {
        assert.deepEqual(
          look({ mounts: [mount(path, 'data', { readOnly })], volumes: [{ name: 'data', ...source }] }),
          {
            present: false,
            conflict: undefined,
            nestedIn: behindLink === 'nested' ? 'data' : undefined,
          },
        );
      });
    }
  }

  const volumes = [
    { name: 'data', emptyDir: {} },
    { name: 'claim', persistentVolumeClaim: { claimName: 'c' } },
  ];
  const readOnly = { readOnly: true };

  test('beside it or elsewhere in /run is nothing', () => {
    for (const path of ['/run/secrets/kubernetes.io/serviceaccount', '/run/app', '/runs', '/x/run', '/var/run/app']) {
      assert.equal(look({ mounts: [mount(path, 'data', readOnly)], volumes }).nestedIn, undefined, path);
    }
  });

  test('the nearest decides there too, and a mount above our own path before both', () => {
    const mounts = [mount('/run', 'data', readOnly), mount('/run/secrets', 'claim')];
    assert.equal(look({ mounts, volumes }).nestedIn, undefined);
    assert.equal(
      look({ mounts: [mount('/run', 'data', readOnly), mount('/var/run', 'claim')], volumes }).nestedIn,
      undefined,
    );
  });

  test('on Windows /run is a folder like any other', () =>
    assert.equal(look({ mounts: [mount('/run', 'data', readOnly)], volumes, os: 'windows' }).nestedIn, undefined));
});
