import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
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

const region = 'eu-central-1';
const accountId = '100000000031';
const roleArn = `arn:aws:iam::${accountId}:role/mounts`;
const namespace = 'mounts';
/** Not managed: pods there are as we would have made them, by hand. */
const byHand = 'mounts-by-hand';
const testLimit = { timeout: 120_000 };

/** A folder of the node, which has the folder of our mount point in it or not. */
function nodeFolder(withMountPoint: boolean): string {
  const folder = mkdtempSync(join(tmpdir(), 'host-path-'));
  if (withMountPoint) {
    for (const base of [
      'secrets/eks.amazonaws.com/serviceaccount',
      'eks.amazonaws.com/serviceaccount',
      'serviceaccount',
    ]) {
      mkdirSync(join(folder, base), { recursive: true });
    }
  }
  return folder;
}

interface Row {
  /** The name of the pod and of the volume. */
  readonly name: string;
  readonly what: string;
  readonly source: object;
  readonly readOnly?: boolean;
  readonly paths?: readonly string[];
  /** Whether the container starts; by SDK where their images differ. */
  readonly starts: boolean | Readonly<Record<string, boolean>>;
}

const above = ['/var/run', '/var/run/secrets', '/var/run/secrets/eks.amazonaws.com'] as const;
const sdks: readonly ClientSdk[] = ['boto3', 'js'];

const rows: readonly Row[] = [
  { name: 'secret', what: 'a Secret', source: { secret: { secretName: 'things' } }, starts: true },
  { name: 'config-map', what: 'a ConfigMap', source: { configMap: { name: 'things' } }, starts: true },
  {
    name: 'downward-api',
    what: 'downwardAPI',
    source: { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    starts: true,
  },
  {
    name: 'projected',
    what: 'a projected volume',
    source: { projected: { sources: [{ configMap: { name: 'things' } }] } },
    starts: true,
  },
  {
    name: 'secret-read-only',
    what: 'a Secret, mounted read-only',
    source: { secret: { secretName: 'things' } },
    readOnly: true,
    starts: true,
  },
  { name: 'empty-dir', what: 'an emptyDir', source: { emptyDir: {} }, starts: true },
  { name: 'memory', what: 'an emptyDir in memory', source: { emptyDir: { medium: 'Memory' } }, starts: true },
  {
    name: 'empty-dir-read-only',
    what: 'an emptyDir, mounted read-only',
    source: { emptyDir: {} },
    readOnly: true,
    starts: false,
  },
  { name: 'host-path', what: 'a hostPath', source: { hostPath: { path: nodeFolder(false) } }, starts: true },
  {
    name: 'host-path-read-only',
    what: 'a hostPath without the folder, mounted read-only',
    source: { hostPath: { path: nodeFolder(false) } },
    readOnly: true,
    starts: false,
  },
  {
    name: 'host-path-with-folder',
    what: 'a hostPath with the folder, mounted read-only',
    source: { hostPath: { path: nodeFolder(true) } },
    readOnly: true,
    starts: true,
  },
  {
    name: 'image',
    what: 'an image',
    source: { image: { reference: busyboxImage, pullPolicy: 'Never' } },
    starts: false,
  },
  {
    name: 'run',
    what: 'a writable emptyDir at /run',
    source: { emptyDir: {} },
    paths: ['/run', '/run/secrets'],
    starts: true,
  },
  {
    name: 'run-read-only',
    what: 'a read-only emptyDir at /run, which /var/run is a link to in one image',
    source: { emptyDir: {} },
    readOnly: true,
    paths: ['/run', '/run/secrets'],
    starts: { boto3: false, js: true },
  },
];

/** One container for each path and SDK: a pod is started once. */
function containersOf({ name, paths = above, readOnly = false }: Row): readonly Container[] {
  return paths.flatMap(mountPath =>
    sdks.map(sdk =>
      client(sdk, {
        name: `${sdk}${mountPath.replaceAll(/[^a-z0-9]/g, '-')}`,
        volumeMounts: [{ name, mountPath, readOnly }],
      }),
    ),
  );
}

describe('a volume is mounted above the token', () => {
  let shared: SharedCluster;
  const warned = new Map<string, readonly string[]>();

  before(async () => {
    shared = await sharedCluster();
    await shared.bind({ namespace, accountId, roleArn, annotations: { 'services.k8s.aws/default-region': region } });
    await shared.apply([
      ...[namespace].flatMap(each => [
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'things', namespace: each }, stringData: { thing: 'x' } },
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'things', namespace: each }, data: { thing: 'x' } },
      ]),
      namespaceObject(byHand),
      serviceAccount(byHand, 'app'),
    ]);
    await Promise.all(
      rows.map(async row => {
        const volumes: readonly Volume[] = [{ name: row.name, ...row.source }];
        // Without the API server's token, which has a mount point beside ours.
        const fields: PodFields = { volumes, containers: containersOf(row), automountServiceAccountToken: false };
        const { warnings } = await new RunningPods(shared, namespace).create(clientPod(namespace, row.name, fields));
        warned.set(row.name, warnings);
      }),
    );
  }, startLimit);

  for (const row of rows) {
    test(row.what, testLimit, async t => {
      const pods = new RunningPods(shared, namespace);
      const pod = await pods.get(row.name);
      t.diagnostic(JSON.stringify(warned.get(row.name)));
      const problems: string[] = [];
      for (const container of pod.spec.containers) {
        const end = await pods
          .ended(row.name, container.name)
          .catch(error => ({ exitCode: -1, message: String(error), reason: '' }));
        const sdk = container.name.split('-')[0] ?? '';
        const starts = typeof row.starts === 'boolean' ? row.starts : row.starts[sdk];
        if (end.exitCode === 0) {
          const answer = await pods.answer(row.name, container.name);
          assertIdentity(shared.sts, pod, answer, { roleArn, region });
        }
        if ((end.exitCode === 0) !== starts) problems.push(`${container.name} ${JSON.stringify(end)}`);
        else if (!starts) t.diagnostic(`${container.name} ${JSON.stringify(end)}`);
      }
      assert.deepEqual(problems, []);
    });
  }
});
void injectedEnvironment;
void storedTokenMount;
void storedTokenVolume;
