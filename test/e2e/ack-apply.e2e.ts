import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  ackPath,
  ackStatus,
  bucket,
  bucketKind,
  installAckKinds,
  pastTheWebhook,
  type StoredResource,
} from './ack-crds.ts';
import { boundNamespace, roleMap } from './cluster-objects.ts';
import { ServedPlane } from './served-plane.ts';

const account = '111122223333';
const region = 'eu-central-1';
const bundles = 100;
const roleOf = (accountId: string): string => `arn:aws:iam::${accountId}:role/ack`;

/** Annotations of a Bucket that is there in AWS. */
const adopting = (policy: string) => ({
  annotations: { 'services.k8s.aws/adoption-policy': policy, 'services.k8s.aws/adoption-fields': '{"name":"assets"}' },
});

/** Namespace, map entry and Bucket, in this order. */
function bundle(name: string, accountId: string, map: Readonly<Record<string, string>>): readonly object[] {
  const namespace = boundNamespace(name, accountId, { annotations: { 'services.k8s.aws/default-region': region } });
  return [namespace, roleMap(map), bucket(name, 'assets')];
}

describe('one kubectl apply of namespace, map entry and bucket', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start();
      await installAckKinds(served.plane, [bucketKind]);
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  const stored = (name: string) => served.get<StoredResource>(ackPath(bucketKind, name, 'assets'));
  /** All that a user can see of it. */
  async function seen(name: string): Promise<object> {
    const { metadata, spec, status } = await stored(name);
    const { annotations, labels, finalizers, generation } = metadata;
    const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...rest } = annotations ?? {};
    return { annotations: rest, labels, finalizers, generation, spec, status };
  }

  test(`${bundles} times, with fresh namespaces of one account: admitted, region pinned`, {
    timeout: 120_000,
  }, async () => {
    for (let turn = 0; turn < bundles; turn += 1) {
      const name = `same-${turn}`;
      // A map that is really written each time.
      const map = {
        [account]: roleOf(account),
        [String(200_000_000_000 + turn)]: roleOf(String(200_000_000_000 + turn)),
      };
      const { stdout, stderr } = await served.apply(bundle(name, account, map));
      assert.match(stdout, /^namespace\/\S+ created\nconfigmap\/\S+ (?:created|configured)\nbucket\S+ created\n$/);
      assert.doesNotMatch(stderr, /assets/);
      const { metadata, spec } = await stored(name);
      assert.equal(metadata.annotations?.['services.k8s.aws/region'], region);
      assert.deepEqual(spec, { name: 'assets' });
    }
  });

  test('20 times with a fresh account, whose entry comes with the apply', { timeout: 60_000 }, async () => {
    const map: Record<string, string> = { [account]: roleOf(account) };
    for (let turn = 0; turn < 20; turn += 1) {
      const fresh = String(300_000_000_000 + turn);
      map[fresh] = roleOf(fresh);
      const { stdout } = await served.apply(bundle(`fresh-${turn}`, fresh, map));
      assert.match(stdout, /^namespace\/\S+ created\nconfigmap\/\S+ configured\nbucket\S+ created\n$/);
      assert.equal((await stored(`fresh-${turn}`)).metadata.annotations?.['services.k8s.aws/region'], region);
    }
  });

  describe('and again', () => {
    const limit = { timeout: 30_000 };
    const name = 'same-0';
    let first: object;
    before(async () => {
      first = await seen(name);
    });

    test('by client-side apply: nothing changes, nothing differs', limit, async () => {
      const { resourceVersion } = (await stored(name)).metadata;
      assert.match((await served.apply([bucket(name, 'assets')])).stdout, /unchanged/);
      assert.equal((await stored(name)).metadata.resourceVersion, resourceVersion);
      const input = JSON.stringify(bucket(name, 'assets'));
      assert.equal((await served.plane.kubectl(['diff', '-f', '-'], { input })).stdout, '');
    });

    test('by server-side apply: nothing lost, and the second time nothing changes', limit, async () => {
      const flags = ['--server-side', '--force-conflicts'];
      await served.apply([bucket(name, 'assets')], { flags });
      assert.deepEqual(await seen(name), first);
      const { resourceVersion } = (await stored(name)).metadata;
      await served.apply([bucket(name, 'assets')], { flags });
      assert.equal((await stored(name)).metadata.resourceVersion, resourceVersion);
      const input = JSON.stringify(bucket(name, 'assets'));
      assert.equal((await served.plane.kubectl(['diff', '--server-side', '-f', '-'], { input })).stdout, '');
    });

    test('by replace, before ACK took it up and after: the region comes back', limit, async () => {
      const replace = async () => {
        const input = JSON.stringify(bucket(name, 'assets'));
        await served.plane.kubectl(['replace', '-f', '-'], { input });
      };
      await replace();
      assert.deepEqual(await seen(name), first);
      const status = { ackResourceMetadata: { ownerAccountID: account, region, arn: 'arn:aws:s3:::assets' } };
      const path = ['patch', 'bucket', 'assets', '-n', name, '--subresource=status', '--type=merge'];
      await served.plane.kubectl([...path, '-p', JSON.stringify({ status })], { as: pastTheWebhook });
      // A later edit of the namespace strands nobody.
      await served.apply([
        boundNamespace(name, account, { annotations: { 'services.k8s.aws/default-region': 'us-east-1' } }),
      ]);
      await replace();
      assert.deepEqual(await seen(name), { ...first, status });
    });

    test('a bucket of a namespace without a default region is left as it is', limit, async () => {
      await served.apply([boundNamespace('no-region', account), bucket('no-region', 'assets')]);
      assert.deepEqual(Object.keys((await stored('no-region')).metadata.annotations ?? {}), [
        'kubectl.kubernetes.io/last-applied-configuration',
      ]);
    });

    test(
      'a bucket that names no region is replaced after its namespace got another one: that of its status is pinned',
      limit,
      async () => {
        const [namespaceName, path] = ['older', ackPath(bucketKind, 'older', 'assets')];
        // As from before the installation.
        await served.apply([boundNamespace(namespaceName, account), bucket(namespaceName, 'assets')]);
        const status = { status: ackStatus(account, 'us-west-2') };
        const patch = ['patch', 'bucket', 'assets', '-n', namespaceName, '--subresource=status', '--type=merge'];
        await served.plane.kubectl([...patch, '-p', JSON.stringify(status)], { as: pastTheWebhook });
        const annotations = { 'services.k8s.aws/default-region': region };
        await served.apply([boundNamespace(namespaceName, account, { annotations })]);
        const input = JSON.stringify(bucket(namespaceName, 'assets'));
        const { stderr } = await served.plane.kubectl(['replace', '-f', '-'], { input });
        assert.match(stderr, /^Warning: .*"us-west-2", recorded by ACK, .* \(RegionPinned\)\n$/);
        const { metadata } = await served.get<StoredResource>(path);
        assert.deepEqual(metadata.annotations, { 'services.k8s.aws/region': 'us-west-2' });
      },
    );

    test('one that is to be adopted keeps what it adopts, also when the policy is dropped', limit, async () => {
      const adopt = adopting('adopt');
      await served.apply([bucket(name, 'adopted', adopt)]);
      const read = async () =>
        (await served.get<StoredResource>(ackPath(bucketKind, name, 'adopted'))).metadata.annotations ?? {};
      const policy = 'services.k8s.aws/deletion-policy';
      assert.equal((await read())[policy], 'retain');
      await served.plane.kubectl(['annotate', 'bucket', 'adopted', '-n', name, `${policy}-`]);
      assert.equal((await read())[policy], 'retain');
      // ACK takes it up: its note and its finalizer go with what a replace does not have, and none is given back alone.
      const note = {
        annotations: { 'services.k8s.aws/adopted': 'true' },
        finalizers: ['finalizers.s3.services.k8s.aws/Bucket'],
      };
      const patch = [
        'patch',
        'bucket',
        'adopted',
        '-n',
        name,
        '--type=merge',
        '-p',
        JSON.stringify({ metadata: note }),
      ];
      await served.plane.kubectl(patch, { as: pastTheWebhook });
      const replace = (metadata: object = {}) =>
        served.plane.kubectl(['replace', '-f', '-'], { input: JSON.stringify(bucket(name, 'adopted', metadata)) });
      assert.match((await replace(adopt)).stderr, /^Warning: .*retain was added.* \(RetainAdded\)\n$/);
      const { 'services.k8s.aws/adopted': adopted, ...rest } = await read();
      assert.deepEqual([adopted, rest[policy]], [undefined, 'retain']);
      const stored = await served.get<StoredResource>(ackPath(bucketKind, name, 'adopted'));
      assert.equal(stored.metadata.finalizers, undefined);
      assert.match((await replace()).stderr, /^Warning: .* \(AdoptedNotRetained\)\n$/);
      assert.equal((await read())[policy], undefined);
    });

    test(
      'adoption of what may be created, and in a namespace that says delete for the service, gets no policy',
      limit,
      async () => {
        const policy = 'services.k8s.aws/deletion-policy';
        const read = async (namespaceName: string) =>
          (await served.get<StoredResource>(ackPath(bucketKind, namespaceName, 'either'))).metadata.annotations ?? {};
        const either = adopting('adopt-or-create');
        assert.match((await served.apply([bucket(name, 'either', either)])).stderr, /\(AdoptedNotRetained\)\n$/);
        assert.equal((await read(name))[policy], undefined);
        const adopt = adopting('adopt');
        const annotations = { [`s3.${policy}`]: 'delete' };
        const { stderr } = await served.apply([
          boundNamespace('deleting', account, { annotations }),
          bucket('deleting', 'either', adopt),
        ]);
        assert.equal(stderr, '');
        assert.equal((await read('deleting'))[policy], undefined);
      },
    );
  });
});
