import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ackPath, ackStatus, bucket, bucketKind, installAckKinds, type StoredResource } from './ack-crds.ts';
import { boundNamespace, serviceAccount } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { mergePatch } from './merge-patch.ts';
import { ServedPlane } from './served-plane.ts';

const account = '111122223333';
const region = 'eu-central-1';
const finalizer = 'finalizers.s3.services.k8s.aws/Bucket';
const testLimit = { timeout: 60_000 };

/** The permissions of ACK's chart. https://github.com/aws-controllers-k8s/s3-controller/blob/main/helm/templates/_helpers.tpl */
const access = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'ack-s3-controller' },
    rules: [
      { apiGroups: [bucketKind.group], resources: ['buckets'], verbs: ['get', 'list', 'watch', 'patch', 'update'] },
      { apiGroups: [bucketKind.group], resources: ['buckets/status'], verbs: ['get', 'patch', 'update'] },
    ],
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'ack-s3-controller' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'ack-s3-controller' },
    subjects: [{ kind: 'ServiceAccount', name: 'ack-s3-controller', namespace: 'ack-system' }],
  },
];

describe("ACK's controller is never blocked and never changed", () => {
  let served: ServedPlane;
  let token: string;

  before(
    async () => {
      served = await ServedPlane.start({
        controllerManager: true,
        map: { [account]: `arn:aws:iam::${account}:role/ack` },
      });
      await installAckKinds(served.plane, [bucketKind]);
      await served.apply([serviceAccount('ack-system', 'ack-s3-controller'), ...access]);
      token = await served.plane.tokenFor('ack-system', 'ack-s3-controller');
      await eventually('its permissions count', async () =>
        (await served.plane.request('GET', ackPath(bucketKind, 'default'), undefined, { token })).status === 200
          ? true
          : undefined,
      );
      // Made while the webhook is there, for the time when it is not.
      for (const name of ['while-up', 'while-down']) {
        await served.apply([boundNamespace(name, account), bucket(name, 'assets'), bucket(name, 'logs')]);
      }
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  const read = (namespace: string, name: string) => served.get<StoredResource>(ackPath(bucketKind, namespace, name));

  /** A merge patch as the controller sends it: what comes of it is what was there, with the patch and nothing else. */
  async function patch(namespace: string, name: string, body: object, subresource = ''): Promise<StoredResource> {
    const before = await read(namespace, name);
    const path = `${ackPath(bucketKind, namespace, name)}${subresource}`;
    const answer = await served.plane.request<StoredResource>('PATCH', path, body, { token });
    assert.equal(answer.status, 200, `${subresource} ${JSON.stringify(answer.body)}`);
    assert.deepEqual(answer.warnings, []);
    assert.deepEqual(bare(answer.body), bare(mergePatch(before, body)));
    return answer.body;
  }

  /** Takes a bucket up and finalises its deletion, as ACK's reconciler does. */
  async function takeUp(namespace: string, name: string): Promise<void> {
    await patch(namespace, name, { metadata: { finalizers: [finalizer] } });
    await patch(namespace, name, { spec: { name, objectLockEnabledForBucket: false } });
    await patch(namespace, name, { metadata: { annotations: { 'services.k8s.aws/adopted': 'true' } } });
    await patch(namespace, name, { status: ackStatus(account, region, name) }, '/status');
    const condition = { type: 'ACK.ResourceSynced', status: 'True' };
    await patch(namespace, name, { status: { conditions: [condition] } }, '/status');
    // What a user may not: it takes its own notes back, and names another region.
    await patch(namespace, name, { metadata: { annotations: { 'services.k8s.aws/region': 'us-east-1' } } });
    await patch(namespace, name, { metadata: { annotations: { 'services.k8s.aws/region': null } } });
  }

  async function finalise(namespace: string, name: string): Promise<void> {
    const { metadata } = await eventually(`${namespace}/${name} is being deleted`, async () => {
      const object = await read(namespace, name);
      return object.metadata.deletionTimestamp === undefined ? undefined : object;
    });
    assert.deepEqual(metadata.finalizers, [finalizer]);
    await patch(namespace, name, { status: { conditions: [] } }, '/status');
    await patch(namespace, name, { spec: { versioning: { status: 'Enabled' } } });
    await patch(namespace, name, { metadata: { finalizers: null } });
  }

  for (const [namespace, words] of [
    ['while-up', 'up'],
    ['while-down', 'down'],
  ] as const) {
    describe(`with the webhook ${words}`, () => {
      before(async () => {
        if (words === 'down') await served.webhook.stopProcess({ abrupt: true });
      });

      test('resources are taken up', testLimit, async () => {
        // A default region that came later is not written onto what the controller writes.
        const annotations = { 'services.k8s.aws/default-region': region };
        const as = { user: 'admin-past-the-webhook', groups: ['system:masters', 'carm-webhook:break-glass'] };
        await served.apply([boundNamespace(namespace, account, { annotations })], { as });
        for (const name of ['assets', 'logs']) await takeUp(namespace, name);
      });

      test('a user is judged as ever', testLimit, async () => {
        const change = { metadata: { annotations: { 'services.k8s.aws/adopted': 'false' } } };
        const { status } = await served.plane.request('PATCH', ackPath(bucketKind, namespace, 'logs'), change);
        assert.equal(status, words === 'up' ? 403 : 500);
      });

      test('a deletion is finalised', testLimit, async () => {
        await served.plane.kubectl(['delete', 'bucket', 'assets', '-n', namespace, '--wait=false']);
        await finalise(namespace, 'assets');
        const { status } = await served.plane.request('GET', ackPath(bucketKind, namespace, 'assets'));
        assert.equal(status, 404);
      });

      test('a namespace with resources in it goes away', testLimit, async () => {
        await served.plane.kubectl(['delete', 'namespace', namespace, '--wait=false']);
        await finalise(namespace, 'logs');
        await served.plane.kubectl(['wait', '--for=delete', `namespace/${namespace}`, '--timeout=25s']);
      });
    });
  }
});

/** Without what the API server counts by itself, and empty objects. */
function bare(object: object): unknown {
  const { metadata, spec, status } = object as StoredResource;
  const { annotations = {}, labels, finalizers, name } = metadata;
  return { annotations, labels, finalizers, name, spec, status };
}
