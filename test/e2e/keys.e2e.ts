import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ControlPlane } from '../testbed/control-plane.ts';
import type { KubectlResult } from '../testbed/kubectl.ts';
import { ackResource, bucketKind, installAckKinds } from './ack-crds.ts';
import {
  boundNamespace,
  deployment,
  injectLabel,
  type Metadata,
  namespace,
  ownerAnnotation,
  pod,
  roleArnAnnotation,
  roleMap,
  type StoredPod,
  serviceAccount,
} from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { asList } from './manifests.ts';
import { warningsOf } from './served-plane.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const modeLabel = 'carm-webhook.dev/mode';
const testLimit = { timeout: 60_000 };

/** Namespaces as people had them before the webhook came: with labels that mean nothing to it, and keys that nobody reads. */
const old: Readonly<Record<string, Metadata>> = {
  'old-false': { labels: { [injectLabel]: 'false' } },
  'old-disabled': { labels: { [injectLabel]: 'Disabled', [modeLabel]: 'Warn' } },
  'old-mode': { labels: { [injectLabel]: 'enabled', [modeLabel]: 'Warn' } },
  'old-key': { labels: { [injectLabel]: 'enabled' }, annotations: { 'services.k8s.aws/default-aws-region': 'x' } },
};
const oldPod = { labels: { [injectLabel]: 'false' }, annotations: { 'carm-webhook.dev/role': 'x' } };

describe('labels and keys on a real API server, where some were there before the webhook', () => {
  let plane: ControlPlane;
  let webhook: WebhookUnderTest;

  before(
    async () => {
      plane = await ControlPlane.start({ controllerManager: true });
      await installAckKinds(plane);
      webhook = await WebhookUnderTest.start(plane);
      const objects = Object.entries(old).flatMap(([name, metadata]) => [
        boundNamespace(name, account, metadata),
        serviceAccount(name, 'app', { 'eks.amazonaws.com/rolearn': 'x' }),
        deployment(name, 'web', oldPod),
        pod(name, 'alone', oldPod),
      ]);
      const unbound = namespace('old-unbound', { labels: { [injectLabel]: 'yes', [modeLabel]: 'x' } });
      await apply([roleMap({ [account]: role }), unbound, ...objects]);
      for (const name of Object.keys(old)) {
        await eventually(`pods of ${name} are there`, async () =>
          (await podsOf(name)).length === 2 ? true : undefined,
        );
      }
      await webhook.install();
    },
    { timeout: 180_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  const kubectl = (...args: readonly string[]) => plane.kubectl(args);
  const apply = (objects: readonly object[], expectCode = 0): Promise<KubectlResult> =>
    plane.kubectl(['apply', '-f', '-'], { input: asList(objects), expectCode });

  async function podsOf(name: string): Promise<readonly StoredPod[]> {
    const { body } = await plane.request<{ items: readonly StoredPod[] }>('GET', `/api/v1/namespaces/${name}/pods`);
    return body.items;
  }

  async function labelOf(name: string): Promise<string | undefined> {
    const { body } = await plane.request<{ metadata: Metadata }>('GET', `/api/v1/namespaces/${name}`);
    return body.metadata.labels?.[injectLabel];
  }

  const reasonsOf = (result: KubectlResult) => warningsOf(result).map(line => /\((\w+)\)$/.exec(line)?.[1]);

  describe('what was there before the webhook', () => {
    for (const [name, { labels = {} }] of Object.entries(old)) {
      test(`${name} can be changed otherwise, and keeps its labels`, testLimit, async () => {
        const changed = await kubectl('label', 'namespace', name, 'team=a');
        const isInvalid = !['enabled', 'disabled'].includes(labels[injectLabel] ?? '');
        // Of a bound namespace that is labelled, changes of others are not even sent.
        const expected = isInvalid ? Object.keys(labels).map(() => 'InvalidLabel') : [];
        assert.deepEqual(reasonsOf(changed), expected);
        assert.equal(await labelOf(name), labels[injectLabel]);
      });

      test(`pods of ${name} are scheduled again`, testLimit, async () => {
        const before = await podsOf(name);
        await kubectl('delete', 'pods', '--all', '-n', name, '--force', '--grace-period=0');
        const again = await eventually('its Deployment has a new pod', async () => {
          const found = await podsOf(name);
          const isNew = ({ metadata }: StoredPod) => before.every(each => each.metadata.name !== metadata.name);
          return found.find(isNew);
        });
        const isSeen = labels[injectLabel] === 'enabled';
        assert.equal(again.metadata.annotations?.[roleArnAnnotation], isSeen ? role : undefined);
        const alone = await apply([pod(name, 'alone', oldPod)]);
        // Two of the pod itself, one of its ServiceAccount.
        assert.deepEqual(reasonsOf(alone), isSeen ? ['InvalidLabel', 'MisplacedKey', 'MisspelledKey'] : []);
      });
    }

    test('a namespace that is not bound, too: it can be changed, and bound', testLimit, async () => {
      assert.deepEqual(reasonsOf(await kubectl('label', 'namespace', 'old-unbound', 'team=a')), []);
      const bound = await kubectl('annotate', 'namespace', 'old-unbound', `${ownerAnnotation}=${account}`);
      assert.deepEqual(reasonsOf(bound), ['InvalidLabel', 'InvalidLabel']);
      assert.equal(await labelOf('old-unbound'), 'yes');
    });

    test('the fix that the warning names makes the webhook see its pods', testLimit, async () => {
      await apply([boundNamespace('old-fixed', account)]);
      const fixed = await kubectl('label', '--overwrite', 'namespace', 'old-unbound', `${injectLabel}=enabled`);
      assert.deepEqual(reasonsOf(fixed), ['InvalidLabel']);
      assert.equal(await labelOf('old-unbound'), 'enabled');
    });

    test('an apply of the same file again changes nothing', testLimit, async () => {
      const file = [boundNamespace('old-false', account, { labels: { [injectLabel]: 'false', team: 'a' } })];
      await apply(file);
      assert.match((await apply(file)).stdout, /unchanged/);
      assert.equal(await labelOf('old-false'), 'false');
    });
  });

  describe('a new value that means nothing', () => {
    const denial =
      /namespaces\.carm-webhook\.dev" denied the request: Namespace "[\w-]+": label carm-webhook\.dev\/\w+=".*" means nothing.*To fix this, use .*\(InvalidLabel\)/s;
    for (const [index, [label, value]] of [
      [injectLabel, 'false'],
      [injectLabel, ''],
      [modeLabel, 'Warn'],
    ].entries()) {
      test(
        `${label}=${value} is denied: created, applied, labelled, by the status and by finalize`,
        testLimit,
        async () => {
          const name = `new-${index}`;
          const labels = { [label ?? '']: value ?? '' };
          assert.match((await apply([boundNamespace(name, account, { labels })], 1)).stderr, denial);
          assert.match((await apply([namespace(name, { labels })], 1)).stderr, denial);
          await apply([boundNamespace(name, account)]);
          const labelled = ['label', '--overwrite', 'namespace', name, `${label}=${value}`];
          assert.match((await plane.kubectl(labelled, { expectCode: 1 })).stderr, denial);
          const path = `/api/v1/namespaces/${name}`;
          const metadata = { name, labels, annotations: { [ownerAnnotation]: account } };
          const byStatus = await plane.request('PATCH', `${path}/status`, { metadata });
          assert.equal(byStatus.status, 403);
          const body = { apiVersion: 'v1', kind: 'Namespace', metadata, spec: { finalizers: ['kubernetes'] } };
          const byFinalize = await plane.request('PUT', `${path}/finalize`, body);
          assert.equal(byFinalize.status, 403);
          assert.equal(await labelOf(name), 'enabled');
        },
      );
    }

    test('does not keep a namespace from being deleted', testLimit, async () => {
      await kubectl('delete', 'namespace', 'old-disabled', '--wait=true', '--timeout=50s');
    });
  });

  describe('keys', () => {
    test(
      'of a namespace that no other entry sees are told, once, and again only when they change',
      testLimit,
      async () => {
        const slip = { 'services.k8s.aws/owner-account': account };
        const created = await apply([namespace('slipped', { annotations: slip })]);
        assert.deepEqual(warningsOf(created), [
          'Namespace "slipped": annotation "services.k8s.aws/owner-account" on the namespace is ignored. Did you mean services.k8s.aws/owner-account-id? (MisspelledKey)',
        ]);
        assert.deepEqual(reasonsOf(await kubectl('label', 'namespace', 'slipped', 'team=a')), []);
      },
    );

    test('of a namespace that other entries see are told once', testLimit, async () => {
      const annotations = { 'services.k8s.aws/region': 'eu-west-1' };
      const created = await apply([boundNamespace('seen-twice', account, { annotations })]);
      assert.deepEqual(reasonsOf(created), ['MisplacedKey']);
    });

    test('that look like labels of ours are told', testLimit, async () => {
      const labels = { 'carm-webhook.dev/injection': 'enabled', [ownerAnnotation]: account };
      const created = await apply([namespace('like-labels', { labels, annotations: { [injectLabel]: 'enabled' } })]);
      assert.deepEqual(reasonsOf(created).toSorted(), ['MisplacedKey', 'MisplacedKey', 'MisspelledKey']);
    });

    test('of a ServiceAccount are told with its pods: its labels as well', testLimit, async () => {
      await apply([boundNamespace('accounts', account)]);
      const labels = { 'eks.amazonaws.com/audience': 'x' };
      const metadata = {
        name: 'app',
        namespace: 'accounts',
        labels,
        annotations: { 'carm-webhook.dev/role-arn': 'x' },
      };
      await apply([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata }]);
      const created = await eventually('the API server asks about its pods', async () => {
        const result = await plane.kubectl(['apply', '--dry-run=server', '-f', '-'], {
          input: JSON.stringify(pod('accounts', 'web')),
        });
        return warningsOf(result).length > 0 ? result : undefined;
      });
      assert.deepEqual(warningsOf(created), [
        'Pod "web": label "eks.amazonaws.com/audience" on the ServiceAccount is ignored. Did you mean the annotation eks.amazonaws.com/audience? (MisplacedKey)',
        'Pod "web": annotation "carm-webhook.dev/role-arn" on the ServiceAccount is ignored. Did you mean carm-webhook.dev/role? (MisplacedKey)',
      ]);
    });

    test('of an ACK resource are told', testLimit, async () => {
      const bucket = ackResource(bucketKind, 'accounts', 'assets', {
        annotations: { 'services.k8s.aws/deletion_policy': 'retain' },
      });
      const created = await apply([bucket]);
      assert.deepEqual(reasonsOf(created), ['MisspelledKey']);
    });

    test('of a namespace with as many as the API server takes do not hold it up', testLimit, async () => {
      const slips = Object.fromEntries(
        Array.from({ length: 5000 }, (_, index) => [`services.k8s.aws/own-account-id-${index}`, 'x']),
      );
      const others = Object.fromEntries(Array.from({ length: 12_000 }, (_, index) => [`aws/x${index}`, 'x']));
      const labels = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`carm/x${index}`, 'x']));
      for (const [name, metadata] of Object.entries({
        'many-slips': { annotations: slips },
        'many-others': { annotations: others },
        'many-labels': { labels },
      })) {
        const created = await plane.request('POST', '/api/v1/namespaces', { metadata: { name, ...metadata } });
        assert.equal(created.status, 201, JSON.stringify(created.body).slice(0, 500));
        const patched = await plane.request('PATCH', `/api/v1/namespaces/${name}`, {
          metadata: { labels: { team: 'a' } },
        });
        assert.equal(patched.status, 200, JSON.stringify(patched.body).slice(0, 500));
      }
    });

    test('that live beside ours are not: of EKS, load balancers, Karpenter and kube2iam', testLimit, async () => {
      const annotations = {
        'iam.amazonaws.com/permitted': '.*',
        'service.k8s.aws/stack-name': 'x',
        'eks.amazonaws.com/compute-type': 'fargate',
        'karpenter.k8s.aws/instance-family': 'm5',
      };
      const labels = { 'elbv2.k8s.aws/pod-readiness-gate-inject': 'enabled', 'eks.amazonaws.com/fargate-profile': 'x' };
      assert.deepEqual(warningsOf(await apply([namespace('neighbours', { annotations, labels })])), []);
    });
  });
});
