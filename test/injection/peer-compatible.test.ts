import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createAdmit } from '../../src/admission/admit.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import { FakeCluster, good, role } from '../admission/fake-cluster.ts';
import { patched } from '../decisions/check-row.ts';
import { readRequest } from '../decisions/review.ts';

/**
 * What amazon-eks-pod-identity-webhook makes of a pod, written down from its handler.
 * https://github.com/aws/amazon-eks-pod-identity-webhook/blob/master/pkg/handler/handler.go
 */

interface Named {
  readonly name: string;
  readonly value?: string;
  readonly mountPath?: string;
  readonly readOnly?: boolean;
}
interface Container {
  readonly name: string;
  readonly env?: readonly Named[];
  readonly volumeMounts?: readonly Named[];
}
interface Spec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly volumes?: readonly Named[];
}

const mountPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const region = 'eu-central-1';

function peerContainer(container: Container, tokenFile: string): Container {
  const names = new Set((container.env ?? []).map(({ name }) => name));
  const env: Named[] = [...(container.env ?? [])];
  if (!names.has('AWS_STS_REGIONAL_ENDPOINTS')) env.push({ name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' });
  if (!names.has('AWS_DEFAULT_REGION') && !names.has('AWS_REGION')) {
    env.push({ name: 'AWS_DEFAULT_REGION', value: region }, { name: 'AWS_REGION', value: region });
  }
  if (!names.has('AWS_ROLE_ARN') && !names.has('AWS_WEB_IDENTITY_TOKEN_FILE')) {
    env.push({ name: 'AWS_ROLE_ARN', value: role }, { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: tokenFile });
  }
  const mount = { name: 'aws-iam-token', readOnly: true, mountPath };
  return { ...container, env, volumeMounts: [...(container.volumeMounts ?? []), mount] };
}

function peer(spec: Spec, skipped: readonly string[]): Spec {
  const windows = ['kubernetes.io/os', 'beta.kubernetes.io/os'].some(key => spec.nodeSelector?.[key] === 'windows');
  const path = `${mountPath}/token`;
  const tokenFile = windows ? `C:${path.replaceAll('/', '\\')}` : path;
  const all = (containers: readonly Container[]) =>
    containers.map(container => (skipped.includes(container.name) ? container : peerContainer(container, tokenFile)));
  const token = { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' };
  const volume = { name: 'aws-iam-token', projected: { sources: [{ serviceAccountToken: token }] } };
  return {
    ...spec,
    containers: all(spec.containers),
    ...(spec.initContainers === undefined ? {} : { initContainers: all(spec.initContainers) }),
    volumes: [volume, ...(spec.volumes ?? [])],
  };
}

const variable = fc.record({
  name: fc.constantFrom('AWS_STS_REGIONAL_ENDPOINTS', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'PATH', 'aws_region'),
  value: fc.constantFrom('', 'x'),
});
const containers = fc.uniqueArray(
  fc.record(
    {
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      env: fc.array(variable, { maxLength: 3 }),
      volumeMounts: fc.constantFrom([], [{ name: 'data', mountPath: '/data' }]),
    },
    { requiredKeys: ['name'] },
  ),
  { selector: ({ name }) => name, minLength: 1, maxLength: 3 },
);
// The Windows of the peer compares names with case, ours without: Linux and Windows apart.
const specs: fc.Arbitrary<Spec> = fc.record(
  {
    containers,
    initContainers: containers.map(list => list.map(item => ({ ...item, name: `init-${item.name}` }))),
    volumes: fc.constantFrom([], [{ name: 'data' }]),
  },
  { requiredKeys: ['containers'] },
);

async function ours(spec: Spec, skipped: readonly string[]): Promise<Spec> {
  const annotations = { 'eks.amazonaws.com/skip-containers': skipped.join(',') };
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', annotations }, spec };
  const admit = createAdmit(new FakeCluster(good, good), {
    ...defaultConfig,
    defaultRegion: region,
    // The peer has neither.
    roleSessionName: undefined,
    disableInstanceMetadata: 'never',
  });
  const { response } = await admit('mutate', readRequest({ object }), 5_000);
  return patched(object, response).spec;
}

/** Volumes are a set: the peer puts its own first, we put ours last. */
const byName = (spec: Spec): Spec => ({
  ...spec,
  volumes: (spec.volumes ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
});

describe('a pod without credentials of its own comes out as by amazon-eks-pod-identity-webhook', () => {
  test('environment, mounts and volume, with and without skipped containers', async () => {
    await fc.assert(
      fc.asyncProperty(specs, fc.subarray(['b', 'init-a']), async (made, skipped) => {
        const spec: Spec = JSON.parse(JSON.stringify(made));
        const everySkipped = [...spec.containers, ...(spec.initContainers ?? [])].every(({ name }) =>
          skipped.includes(name),
        );
        // The peer adds a volume that nobody mounts; we do not.
        if (everySkipped) return;
        assert.deepEqual(byName(await ours(spec, skipped)), byName(peer(spec, skipped)));
      }),
      { numRuns: 500 },
    );
  });

  for (const key of ['kubernetes.io/os', 'beta.kubernetes.io/os']) {
    test(`on Windows by ${key}`, async () => {
      const spec = { containers: [{ name: 'a' }], nodeSelector: { [key]: 'windows' } };
      assert.deepEqual(byName(await ours(spec, [])), byName(peer(spec, [])));
    });
  }
});

describe('where we differ from it on purpose', () => {
  test('a role of the user without a token file gains the token file', async () => {
    const spec = { containers: [{ name: 'a', env: [{ name: 'AWS_ROLE_ARN', value: role }] }] };
    const names = (await ours(spec, [])).containers[0]?.env?.map(({ name }) => name) ?? [];
    assert.ok(names.includes('AWS_WEB_IDENTITY_TOKEN_FILE'));
    assert.ok(!peer(spec, []).containers[0]?.env?.some(({ name }) => name === 'AWS_WEB_IDENTITY_TOKEN_FILE'));
  });

  test('a pod that it has injected comes out as it was', async () => {
    await fc.assert(
      fc.asyncProperty(specs, async made => {
        const spec: Spec = JSON.parse(JSON.stringify(made));
        assert.deepEqual(await ours(peer(spec, []), []), peer(spec, []));
      }),
      { numRuns: 200 },
    );
  });

  test('no volume that nobody mounts', async () => {
    const spec = { containers: [{ name: 'a' }] };
    assert.equal((await ours(spec, ['a'])).volumes, undefined);
    assert.equal(peer(spec, ['a']).volumes?.length, 1);
  });
});
