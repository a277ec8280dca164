import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AuditLog } from './audit-log.ts';
import {
  boundNamespace,
  container,
  type EnvVar,
  namespace,
  pod,
  roleArnAnnotation,
  type StoredPod,
  serviceAccount,
  storedTokenMount,
  storedTokenVolume,
} from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { assertInjected, tokenMounts, tokenVolumes } from './injected-pod.ts';
import { PatchingWebhook, type PatchPod } from './patching-webhook.ts';
import { type PodIdentityWay, podIdentityPatch } from './pod-identity-webhook.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const requested = `arn:aws:iam::${account}:role/reader`;
const foreignRole = 'arn:aws:iam::999999999999:role/admin';
const namespaceRegion = 'eu-central-1';

type Annotations = Readonly<Record<string, string>>;

const testLimit = { timeout: 30_000 };
const tokenFile = {
  name: 'AWS_WEB_IDENTITY_TOKEN_FILE',
  value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
};
const regional = { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' };
const regions = (value: string): readonly EnvVar[] =>
  ['AWS_DEFAULT_REGION', 'AWS_REGION'].map(name => ({ name, value }));

/** Adds a container once. */
const addSidecar =
  (env?: readonly EnvVar[]): PatchPod =>
  ({ spec }) =>
    spec.containers.some(({ name }) => name === 'sidecar')
      ? []
      : [{ op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image: 'sidecar', ...(env && { env }) } }];

describe('beside another mutating webhook', () => {
  const audit = new AuditLog();
  let served: ServedPlane;
  const others: PatchingWebhook[] = [];

  before(
    async () => {
      served = await ServedPlane.start({ map: { [account]: role }, apiServerFlags: audit.flags });
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await Promise.all(others.map(other => other.stop()));
    await served?.stop();
    audit.remove();
  });

  /** A namespace with a webhook of its own, which the API server calls already. */
  async function beside(
    name: string,
    configuration: string,
    patchPod: PatchPod,
    annotations: Annotations = {},
    reinvocationPolicy?: 'Never' | 'IfNeeded',
  ): Promise<PatchingWebhook> {
    const other = await PatchingWebhook.start(patchPod);
    others.push(other);
    await served.apply([
      boundNamespace(name, account, { annotations: { 'services.k8s.aws/default-region': namespaceRegion } }),
      serviceAccount(name, 'app', annotations),
      other.configuration(configuration, name, reinvocationPolicy),
    ]);
    await eventually(`the API server calls ${configuration}`, async () => {
      await served.plane.request('POST', `/api/v1/namespaces/${name}/pods?dryRun=All`, pod(name, 'probe'));
      return other.asked > 0 ? true : undefined;
    });
    other.asked = 0;
    return other;
  }

  /** Whatever was noted of the pod before another webhook changed it: the last word is in the audit log too. */
  function assertAudited(name: string, reason: string): void {
    const { annotations = {} } = audit.last('create', 'pods', name, 'web') ?? {};
    const ours = Object.entries(annotations).filter(([key]) => key.split('/')[0]?.endsWith('carm-webhook.dev'));
    assert.ok(
      ours.some(([, value]) => value === reason),
      JSON.stringify(Object.fromEntries(ours)),
    );
  }

  describe('that comes after ours', () => {
    test('a sidecar that it adds is injected too', testLimit, async () => {
      const other = await beside('sidecar', 'zzz-sidecar', addSidecar());
      const applied = await served.apply([pod('sidecar', 'web', { initContainers: [container({ name: 'init' })] })]);
      assert.equal(applied.stderr, '');
      const stored = await served.pod('sidecar', 'web');
      assert.deepEqual(
        stored.spec.containers.map(({ name }) => name),
        ['app', 'sidecar'],
      );
      assertInjected(stored, role, namespaceRegion);
      assert.equal(other.asked, 1);
    });

    test('one that is called again after us finds nothing changed for ever: the calls end', testLimit, async () => {
      const other = await beside('both', 'zzz-both', addSidecar(), {}, 'IfNeeded');
      await served.apply([pod('both', 'web')]);
      assertInjected(await served.pod('both', 'web'), role, namespaceRegion);
      assert.ok(other.asked <= 2, `asked ${other.asked} times`);
    });

    test('a foreign role in a container that it adds is denied', testLimit, async () => {
      await beside('thief', 'zzz-thief', addSidecar([{ name: 'AWS_ROLE_ARN', value: foreignRole }]));
      const refused = await served.apply([pod('thief', 'web')], { expectCode: 1 });
      assert.match(
        refused.stderr,
        /admission webhook "pods\.carm-webhook\.dev" denied the request: Pod "web" in namespace "thief": container "sidecar" sets AWS_ROLE_ARN to "arn:aws:iam::999999999999:role\/admin".*\(RoleOutsideAccount\)/,
      );
      assert.deepEqual(await served.pods('thief'), []);
      assertAudited('thief', 'RoleOutsideAccount');
    });

    test('a foreign role in a container that it adds is in the audit log in mode audit too', testLimit, async () => {
      await beside('watched', 'zzz-watched', addSidecar([{ name: 'AWS_ROLE_ARN', value: foreignRole }]));
      await served.plane.kubectl(['label', 'namespace', 'watched', 'carm-webhook.dev/mode=audit']);
      await eventually('the mode is known', async () => {
        const path = '/api/v1/namespaces/watched/pods?dryRun=All';
        const { status } = await served.plane.request('POST', path, pod('watched', 'probe'));
        return status === 201 ? true : undefined;
      });
      const applied = await served.apply([pod('watched', 'web')]);
      assert.equal(applied.stderr, '');
      assertAudited('watched', 'RoleOutsideAccount');
    });

    test(
      'a foreign role that it plants where ours was is refused, though ours does not mutate any more',
      testLimit,
      async () => {
        // The second call of ours finds nothing to add and does not see the planting of a webhook that is called last.
        const plant: PatchPod = ({ spec }) => {
          const index = spec.containers[0]?.env?.findIndex(({ name }) => name === 'AWS_ROLE_ARN') ?? -1;
          return index < 0
            ? []
            : [{ op: 'replace', path: `/spec/containers/0/env/${index}/value`, value: foreignRole }];
        };
        await beside('planted', 'zzz-planted', plant, {}, 'IfNeeded');
        const refused = await served.apply([pod('planted', 'web')], { expectCode: 1 });
        assert.match(refused.stderr, /\(RoleOutsideAccount\)/);
        assert.deepEqual(await served.pods('planted'), []);
      },
    );

    test('another volume in place of ours is denied', testLimit, async () => {
      const swap: PatchPod = ({ spec }) => {
        const index = spec.volumes?.findIndex(({ name }) => name === 'aws-iam-token') ?? -1;
        const value = { name: 'aws-iam-token', emptyDir: {} };
        return index < 0 ? [] : [{ op: 'replace', path: `/spec/volumes/${index}`, value }];
      };
      await beside('swapped', 'zzz-swapped', swap);
      const refused = await served.apply([pod('swapped', 'web')], { expectCode: 1 });
      assert.match(refused.stderr, /\(VolumeConflict\)/);
      assert.deepEqual(await served.pods('swapped'), []);
    });
  });

  describe('pod-identity-webhook', () => {
    /** What it does in a namespace. */
    const ways = new Map<string, PodIdentityWay>();

    async function prepare(
      name: string,
      way: PodIdentityWay | undefined,
      annotations: Annotations = {},
    ): Promise<void> {
      if (way !== undefined) ways.set(name, way);
      const region = { annotations: { 'services.k8s.aws/default-region': namespaceRegion } };
      await served.apply([boundNamespace(name, account, region), serviceAccount(name, 'app', annotations)]);
    }

    /** A pod with one container of an own variable, as it is stored behind both webhooks. */
    async function stored(
      name: string,
      way: PodIdentityWay,
      annotations: Annotations = {},
    ): Promise<{ pod: StoredPod; warnings: readonly string[] }> {
      await prepare(name, way, annotations);
      const own = container({ env: [{ name: 'MINE', value: '1' }] });
      const applied = await served.apply([pod(name, 'web', { containers: [own] })]);
      return { pod: await served.pod(name, 'web'), warnings: warningsOf(applied) };
    }

    before(async () => {
      const patchPod: PatchPod = (web, namespace) => {
        const way = ways.get(namespace);
        return way === undefined ? [] : podIdentityPatch(way)(web, namespace);
      };
      const other = await PatchingWebhook.start(patchPod);
      others.push(other);
      await served.apply([namespace('any'), other.configuration('pod-identity-webhook')]);
      await eventually('the API server calls pod-identity-webhook', async () => {
        await served.plane.request('POST', '/api/v1/namespaces/any/pods?dryRun=All', pod('any', 'probe'));
        return other.asked > 0 ? true : undefined;
      });
    });

    test('in its IRSA way with all of its flags: nothing is left to add', testLimit, async () => {
      const way = { roleArn: requested, region: 'us-east-1', regionalSts: true };
      const { pod: web, warnings } = await stored('irsa-all', way, { 'eks.amazonaws.com/role-arn': requested });
      assert.deepEqual(web.spec.containers[0]?.env, [
        { name: 'MINE', value: '1' },
        regional,
        ...regions('us-east-1'),
        { name: 'AWS_ROLE_ARN', value: requested },
        tokenFile,
      ]);
      assert.deepEqual(web.spec.volumes, [storedTokenVolume]);
      assert.deepEqual(web.spec.containers[0]?.volumeMounts, [storedTokenMount]);
      assert.equal(web.metadata.annotations?.[roleArnAnnotation], undefined);
      assert.deepEqual(warnings, []);
    });

    test(
      'in its IRSA way with none of its flags: region and STS setting are added, and nothing else',
      testLimit,
      async () => {
        const { pod: web, warnings } = await stored(
          'irsa-bare',
          { roleArn: requested },
          { 'eks.amazonaws.com/role-arn': requested },
        );
        assert.deepEqual(web.spec.containers[0]?.env, [
          { name: 'MINE', value: '1' },
          { name: 'AWS_ROLE_ARN', value: requested },
          tokenFile,
          regional,
          ...regions(namespaceRegion),
        ]);
        assert.deepEqual(web.spec.volumes, [storedTokenVolume]);
        assert.deepEqual(web.spec.containers[0]?.volumeMounts, [storedTokenMount]);
        assert.equal(web.metadata.annotations?.[roleArnAnnotation], undefined);
        assert.deepEqual(warnings, []);
      },
    );

    test('in its IRSA way with a role of another account: denied', testLimit, async () => {
      await prepare('irsa-foreign', { roleArn: foreignRole }, { 'eks.amazonaws.com/role-arn': foreignRole });
      const refused = await served.apply([pod('irsa-foreign', 'web')], { expectCode: 1 });
      assert.match(refused.stderr, /ServiceAccount "app" has eks\.amazonaws\.com\/role-arn .*\(RoleOutsideAccount\)/);
    });

    test('that has nothing to do for a ServiceAccount: ours gives everything', testLimit, async () => {
      await prepare('irsa-none', undefined);
      await served.apply([pod('irsa-none', 'web')]);
      assertInjected(await served.pod('irsa-none', 'web'), role, namespaceRegion);
    });

    test('in its EKS Pod Identity way: its variables stay alone, without a role of ours', testLimit, async () => {
      const { pod: web, warnings } = await stored('pod-identity', { containerCredentials: true });
      const path = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount';
      const own = [
        { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' },
        { name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', value: `${path}/eks-pod-identity-token` },
      ];
      const { spec, metadata } = web;
      assert.deepEqual(spec.containers[0]?.env, [
        { name: 'MINE', value: '1' },
        ...own,
        regional,
        ...regions(namespaceRegion),
      ]);
      assert.deepEqual(
        spec.volumes?.map(({ name }) => name),
        ['eks-pod-identity-token'],
      );
      assert.deepEqual(tokenMounts(spec.containers[0] ?? container()), []);
      assert.deepEqual(tokenVolumes(web), []);
      assert.equal(metadata.labels?.['eks.amazonaws.com/pod-identity'], 'enabled');
      assert.equal(metadata.annotations?.[roleArnAnnotation] ?? '', '');
      assert.deepEqual(warnings, []);
    });

    test(
      'in its EKS Pod Identity way, where the ServiceAccount also wishes for a role: a warning',
      testLimit,
      async () => {
        const way = { containerCredentials: true, region: 'us-east-1', regionalSts: true } as const;
        const { pod: web, warnings } = await stored('pod-identity-wish', way, { 'carm-webhook.dev/role': 'reader' });
        assert.deepEqual(
          web.spec.containers[0]?.env?.map(({ name }) => name),
          [
            'MINE',
            'AWS_STS_REGIONAL_ENDPOINTS',
            'AWS_DEFAULT_REGION',
            'AWS_REGION',
            'AWS_CONTAINER_CREDENTIALS_FULL_URI',
            'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
          ],
        );
        assert.deepEqual(
          warnings.map(line => /\((\w+)\)$/.exec(line)?.[1]),
          ['ConfiguredByPodIdentity'],
        );
      },
    );

    test('in its IRSA way with a bare role name, which only ours understands', testLimit, async () => {
      await prepare('irsa-name', { roleArn: 'reader' }, { 'eks.amazonaws.com/role-arn': 'reader' });
      const refused = await served.apply([pod('irsa-name', 'web')], { expectCode: 1 });
      assert.match(refused.stderr, /container "app" sets AWS_ROLE_ARN to "reader".*\(RoleOutsideAccount\)/);
    });
  });
});
