import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type Container,
  injectedEnvironment,
  namespace as namespaceObject,
  type PodFields,
  serviceAccount,
  storedTokenMount,
  storedTokenVolume,
  type Volume,
} from '../e2e/cluster-objects.ts';
import { assertIdentity } from './assert-identity.ts';
import { type ClientSdk, client, clientPod } from './client-pods.ts';
import { busyboxImage } from './images.ts';
import { RunningPods } from './running-pods.ts';
import { type SharedCluster, sharedCluster, startLimit } from './shared-cluster.ts';

const namespace = 'mounts';
/** Not managed: pods there have by hand what the webhook would give them, whatever it says of them. */
const byHand = 'mounts-by-hand';
const region = 'eu-central-1';
const accountId = '100000000031';
const roleArn = `arn:aws:iam::${accountId}:role/mounts`;
const testLimit = { timeout: 240_000 };
const mountPoints = [
  'secrets/eks.amazonaws.com/serviceaccount',
  'eks.amazonaws.com/serviceaccount',
  'serviceaccount',
] as const;

/** The API server's token needs the same. */
const apiTokenMountPoints = ['secrets/kubernetes.io/serviceaccount', 'kubernetes.io/serviceaccount'] as const;

function nodeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'host-path-'));
}

/** One in which tokens can be mounted, whichever of the paths it is mounted at. */
function nodeFolderWithMountPoints(): string {
  const folder = nodeFolder();
  for (const point of [...mountPoints, ...apiTokenMountPoints]) mkdirSync(join(folder, point), { recursive: true });
  return folder;
}

interface Mount {
  readonly sdk: ClientSdk;
  readonly path: string;
}

/** In one image /var/run is a link to /run; in the other there is nothing. */
const above: readonly Mount[] = [
  { sdk: 'boto3', path: '/var/run' },
  { sdk: 'js', path: '/var/run' },
  { sdk: 'js', path: '/var/run/secrets' },
  { sdk: 'boto3', path: '/var/run/secrets/eks.amazonaws.com' },
];
const behindLink: readonly Mount[] = [
  { sdk: 'boto3', path: '/run' },
  { sdk: 'boto3', path: '/run/secrets' },
];
const besideNothing: readonly Mount[] = [
  { sdk: 'js', path: '/run' },
  { sdk: 'js', path: '/run/secrets' },
];

interface Row {
  /** Of the pod and the volume. */
  readonly name: string;
  readonly what: string;
  readonly source: object;
  readonly readOnly?: boolean;
  readonly subPath?: string;
  readonly mounts?: readonly Mount[];
  /** Another container of each pod, which is set up first. */
  readonly first?: Container;
  /** Warnings by their reasons, when the pod is created. */
  readonly warned: readonly string[];
  /** Why the pod is denied instead. */
  readonly denied?: string;
}

const nested = ['TokenMountNested'] as const;
const writableFolder = nodeFolder();

/** kubelet or the container runtime makes the token's mount point in the volume, or finds it there. */
const starting: readonly Row[] = [
  { name: 'secret', what: 'a Secret', source: { secret: { secretName: 'things' } }, warned: [] },
  {
    name: 'secret-read-only',
    what: 'a Secret, read-only',
    source: { secret: { secretName: 'things' } },
    readOnly: true,
    warned: [],
  },
  {
    name: 'config-map',
    what: 'a ConfigMap',
    source: { configMap: { name: 'things' } },
    readOnly: true,
    warned: [],
  },
  {
    name: 'downward-api',
    what: 'a downwardAPI volume',
    source: { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    readOnly: true,
    warned: [],
  },
  {
    name: 'projected',
    what: 'a projected volume',
    source: { projected: { sources: [{ configMap: { name: 'things' } }] } },
    readOnly: true,
    warned: [],
  },
  { name: 'empty-dir', what: 'an emptyDir', source: { emptyDir: {} }, warned: [] },
  { name: 'memory', what: 'an emptyDir in memory', source: { emptyDir: { medium: 'Memory' } }, warned: [] },
  { name: 'host-path', what: 'a hostPath', source: { hostPath: { path: writableFolder } }, warned: [] },
  {
    name: 'host-path-with-folder',
    what: 'a hostPath, read-only, which has the folder',
    source: { hostPath: { path: nodeFolderWithMountPoints() } },
    readOnly: true,
    warned: nested,
  },
  {
    name: 'empty-dir-shared',
    what: 'an emptyDir, read-only, which another container can write',
    source: { emptyDir: {} },
    mounts: above.filter(({ path }) => path === '/var/run'),
    readOnly: true,
    first: client('js', { name: 'first', volumeMounts: [{ name: 'empty-dir-shared', mountPath: '/var/run' }] }),
    warned: nested,
  },
  {
    name: 'run',
    what: 'an emptyDir at /run',
    source: { emptyDir: {} },
    mounts: [...behindLink, ...besideNothing],
    warned: [],
  },
  {
    name: 'run-read-only-beside',
    what: 'an emptyDir at /run, read-only, where /var/run is no link',
    source: { emptyDir: {} },
    mounts: besideNothing,
    readOnly: true,
    warned: nested,
  },
  {
    name: 'run-secret-beside',
    what: 'a Secret at /run, where /var/run is no link',
    source: { secret: { secretName: 'things' } },
    mounts: besideNothing,
    warned: nested,
  },
];

/** Nobody can make the mount point. */
const neverStarting: readonly Row[] = [
  {
    name: 'empty-dir-read-only',
    what: 'an emptyDir, read-only',
    source: { emptyDir: {} },
    readOnly: true,
    warned: [],
    denied: 'VolumeConflict',
  },
  {
    name: 'secret-part',
    what: 'a folder of a Secret, by subPath',
    source: { secret: { secretName: 'things', items: [{ key: 'thing', path: 'part/thing' }] } },
    subPath: 'part',
    warned: nested,
  },
  {
    name: 'host-path-read-only',
    what: 'a hostPath, read-only, which has no such folder',
    source: { hostPath: { path: nodeFolder() } },
    readOnly: true,
    warned: nested,
  },
  {
    name: 'claim-read-only',
    what: 'a claim, read-only by its source, whose volume has no such folder',
    source: { persistentVolumeClaim: { claimName: 'claim', readOnly: true } },
    warned: nested,
  },
  {
    name: 'image',
    what: 'an image, which has no such folder',
    source: { image: { reference: busyboxImage, pullPolicy: 'Never' } },
    warned: nested,
  },
  {
    name: 'run-read-only',
    what: 'an emptyDir at /run, read-only, where /var/run is a link to it',
    source: { emptyDir: {} },
    mounts: behindLink,
    readOnly: true,
    warned: nested,
  },
  {
    name: 'run-secret',
    what: 'a Secret at /run, where /var/run is a link to it',
    source: { secret: { secretName: 'things' } },
    mounts: behindLink,
    warned: nested,
  },
];

/** One container for each mount. */
function fieldsOf({ name, source, mounts = above, readOnly = false, subPath, first }: Row): {
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
} {
  return {
    initContainers: first === undefined ? [] : [first],
    containers: mounts.map(({ sdk, path }) =>
      client(sdk, {
        name: `${sdk}${path.replaceAll(/[^a-z0-9]/g, '-')}`,
        volumeMounts: [{ name, mountPath: path, readOnly, ...(subPath && { subPath }) }],
      }),
    ),
    volumes: [{ name, ...source }],
  };
}

function injectedByHand(row: Row): PodFields {
  const { containers, volumes } = fieldsOf(row);
  return {
    containers: containers.map(({ volumeMounts = [], ...container }) => ({
      ...container,
      env: injectedEnvironment(roleArn, region),
      volumeMounts: [...volumeMounts, storedTokenMount],
    })),
    volumes: [...volumes, storedTokenVolume],
    // Its mount point is missing as well: nothing but ours may be the cause.
    automountServiceAccountToken: false,
  };
}

const capacity = { storage: '1Mi' };
const claimFields = { storageClassName: '', accessModes: ['ReadWriteMany'] };
/** What the volumes of the rows show. */
function sourcesIn(inNamespace: string): readonly object[] {
  const metadata = { name: 'things', namespace: inNamespace };
  const claim = { namespace: inNamespace, name: 'claim' };
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { thing: 'x' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { thing: 'x' } },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: inNamespace },
      spec: { ...claimFields, capacity, claimRef: claim, hostPath: { path: nodeFolder() } },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: claim,
      spec: { ...claimFields, volumeName: inNamespace, resources: { requests: capacity } },
    },
  ];
}

function reasonsOf(warnings: readonly string[]): readonly (string | undefined)[] {
  return warnings.map(warning => /\((\w+)\)$/.exec(warning)?.[1]);
}

describe('a volume is mounted above the token', () => {
  let shared: SharedCluster;
  const warnings = new Map<string, readonly string[]>();
  const denials = new Map<string, string | undefined>();

  before(async () => {
    shared = await sharedCluster();
    await shared.bind({ namespace, accountId, roleArn, annotations: { 'services.k8s.aws/default-region': region } });
    await shared.apply([
      ...sourcesIn(namespace),
      namespaceObject(byHand),
      serviceAccount(byHand, 'app'),
      ...sourcesIn(byHand),
    ]);
    const managed = new RunningPods(shared, namespace);
    const unmanaged = new RunningPods(shared, byHand);
    await Promise.all([
      ...starting.map(async row => {
        const answer = await managed.create(clientPod(namespace, row.name, fieldsOf(row)));
        warnings.set(row.name, answer.warnings);
      }),
      ...neverStarting.map(async row => {
        const answer = await managed.dryRun(clientPod(namespace, row.name, fieldsOf(row)));
        warnings.set(row.name, answer.warnings);
        const { message } = answer.body as { readonly message?: string };
        denials.set(row.name, /\((\w+)\)/.exec(message ?? '')?.[1]);
        await unmanaged.create(clientPod(byHand, row.name, injectedByHand(row)));
      }),
    ]);
  }, startLimit);
  after(() => shared?.remove(namespace, byHand));

  for (const row of starting) {
    test(`${row.what}: the container has the role`, testLimit, async () => {
      assert.deepEqual(reasonsOf(warnings.get(row.name) ?? []), row.warned);
      const pods = new RunningPods(shared, namespace);
      const pod = await pods.get(row.name);
      for (const { name } of pod.spec.containers) {
        assertIdentity(shared.sts, pod, await pods.answer(row.name, name), { roleArn, region });
      }
    });
  }

  for (const row of neverStarting) {
    test(`${row.what}: the container cannot start`, testLimit, async () => {
      assert.deepEqual(reasonsOf(warnings.get(row.name) ?? []), row.warned);
      assert.equal(denials.get(row.name), row.denied);
      const pods = new RunningPods(shared, byHand);
      const pod = await pods.get(row.name);
      for (const { name } of pod.spec.containers) {
        const { exitCode, reason, message = '' } = await pods.ended(row.name, name);
        assert.deepEqual({ exitCode, reason }, { exitCode: 128, reason: 'StartError' }, name);
        assert.match(
          message,
          /error mounting "\S+\/aws-iam-token" to rootfs at "\/var\/run\/secrets\/eks\.amazonaws\.com\/serviceaccount": mkdir \S+: read-only file system$/,
          name,
        );
      }
    });
  }

  test('a hostPath that can be written has the folder from then on', testLimit, () => {
    for (const point of mountPoints) assert.ok(existsSync(join(writableFolder, point)), point);
  });
});
