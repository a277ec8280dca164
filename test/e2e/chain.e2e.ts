import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ControlPlane } from '../testbed/control-plane.ts';
import { BoundNamespace, setAccountMap } from './bound-namespace.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const account = '111122223333';
const hub = 'arn:aws:iam::999988887777:role/pods-hub';
const mapped = `arn:aws:iam::${account}:role/team-a`;
const region = 'eu-central-1';
const folder = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const testLimit = { timeout: 60_000 };

interface StoredPod {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly {
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
      readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly volumes: readonly {
      readonly name: string;
      readonly projected?: { readonly sources: readonly unknown[] };
    }[];
  };
}

/** What a stored pod has of its credentials. */
function credentialsOf({ metadata, spec }: StoredPod) {
  const [container] = spec.containers;
  return {
    env: Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value])),
    mounted: container?.volumeMounts?.find(({ name }) => name === 'aws-iam-token')?.mountPath,
    sources: spec.volumes.find(({ name }) => name === 'aws-iam-token')?.projected?.sources,
    config: metadata.annotations?.['carm-webhook.dev/aws-config'],
    role: metadata.annotations?.['carm-webhook.dev/role-arn'],
  };
}

const tokenSource = {
  serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' },
};
/** The API server adds the version. */
const configSource = {
  downwardAPI: {
    items: [
      {
        path: 'config',
        fieldRef: { apiVersion: 'v1', fieldPath: "metadata.annotations['carm-webhook.dev/aws-config']" },
      },
    ],
  },
};

function configText(role: string, serviceAccount: string, by: 'hub' | 'pod identity' = 'hub'): string {
  const session = `role_session_name = team-a.${serviceAccount}`;
  const first = ['[profile carm-hub]', `role_arn = ${hub}`, `web_identity_token_file = ${folder}/token`, session, ''];
  return [
    ...(by === 'hub' ? first : []),
    '[default]',
    `role_arn = ${role}`,
    by === 'hub' ? 'source_profile = carm-hub' : 'credential_source = EcsContainer',
    `external_id = ${account}/team-a`,
    session,
    `region = ${region}`,
    '',
  ].join('\n');
}

const chainEnv = {
  AWS_STS_REGIONAL_ENDPOINTS: 'regional',
  AWS_DEFAULT_REGION: region,
  AWS_REGION: region,
  AWS_CONFIG_FILE: `${folder}/config`,
  AWS_SDK_LOAD_CONFIG: '1',
  AWS_EC2_METADATA_DISABLED: 'true',
};

describe('chain mode on a real API server', () => {
  let plane: ControlPlane;
  let webhook: WebhookUnderTest;
  let team: BoundNamespace;

  before(
    async () => {
      plane = await ControlPlane.start();
      webhook = await WebhookUnderTest.start(plane, {
        flags: ['--source-accounts=999988887777', `--hub-role-arn=${hub}`, '--external-id={account}/{namespace}'],
      });
      await webhook.install();
      await setAccountMap(plane, { [`pods.${account}`]: mapped });
      team = await BoundNamespace.create(plane, 'team-a', {
        accountId: account,
        annotations: { 'services.k8s.aws/default-region': region, 'carm-webhook.dev/credentials': 'chain' },
      });
      await team.addServiceAccount('direct', { 'carm-webhook.dev/credentials': 'web-identity' });
      await team.addServiceAccount('reader', { 'carm-webhook.dev/role': 'readers/s3-reader' });
      await team.addServiceAccount('hub-itself', { 'carm-webhook.dev/role': hub });
      await team.addServiceAccount('own-hub', { 'carm-webhook.dev/hub-role-arn': `arn:aws:iam::${account}:role/mine` });
      await team.addServiceAccount('lines', { 'carm-webhook.dev/external-id': 'ab\n[profile carm-hub]' });
      await team.addServiceAccount('odd', { 'carm-webhook.dev/credentials': 'irsa' });
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function storedPod(spec: object = {}, metadata: object = {}) {
    const { status, body } = await team.createPod(spec, metadata);
    assert.equal(status, 201, body.message);
    const stored = await plane.request<StoredPod>('GET', `/api/v1/namespaces/team-a/pods/${body.metadata.name}`);
    return { pod: stored.body, ...credentialsOf(stored.body) };
  }

  async function denialOf(spec: object, metadata: object = {}): Promise<string> {
    const { status, body } = await team.tryPod(spec, metadata);
    assert.equal(status, 403, JSON.stringify(body));
    return body.message ?? '';
  }

  const withEnv = (...env: readonly object[]) => ({ containers: [{ name: 'app', image: 'app', env }] });

  test('a pod has volume, mount, environment and config of the chain, and no role pair', testLimit, async () => {
    const { env, mounted, sources, config, role } = await storedPod();
    assert.deepEqual(env, chainEnv);
    assert.equal(mounted, folder);
    assert.deepEqual(sources, [tokenSource, configSource]);
    assert.equal(config, configText(mapped, 'app'));
    assert.equal(role, mapped);
  });

  test('beside it a ServiceAccount uses web identity in the same namespace', testLimit, async () => {
    const { env, sources, config, role } = await storedPod({ serviceAccountName: 'direct' });
    assert.equal(env['AWS_ROLE_ARN'], mapped);
    assert.equal(env['AWS_WEB_IDENTITY_TOKEN_FILE'], `${folder}/token`);
    assert.equal(env['AWS_CONFIG_FILE'], undefined);
    assert.deepEqual(sources, [tokenSource]);
    assert.deepEqual([config, role], [undefined, mapped]);
  });

  test('the chain ends at a requested role', testLimit, async () => {
    const requested = `arn:aws:iam::${account}:role/readers/s3-reader`;
    const { config, role } = await storedPod({ serviceAccountName: 'reader' });
    assert.deepEqual([config, role], [configText(requested, 'reader'), requested]);
  });

  test('over EKS Pod Identity the volume has the config alone', testLimit, async () => {
    const uri = { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' };
    const { env, sources, config } = await storedPod(withEnv(uri));
    assert.deepEqual(env, { [uri.name]: uri.value, ...chainEnv });
    assert.deepEqual(sources, [configSource]);
    assert.equal(config, configText(mapped, 'app', 'pod identity'));
  });

  test('a pod that is created once more, from what was stored, is as before', testLimit, async () => {
    const { pod, config } = await storedPod();
    const { containers, volumes } = pod.spec;
    const again = await storedPod({ containers, volumes }, { annotations: pod.metadata.annotations });
    assert.deepEqual(again.pod.spec.containers, containers);
    assert.equal(again.config, config);
  });

  test('a config that a user writes is not kept', testLimit, async () => {
    const annotations = { 'carm-webhook.dev/aws-config': '[default]\ncredential_process = /bin/sh\n' };
    assert.equal((await storedPod({}, { annotations })).config, configText(mapped, 'app'));
  });

  test('a debug container gets the file of its pod', testLimit, async () => {
    const { pod } = await storedPod();
    const path = `/api/v1/namespaces/team-a/pods/${pod.metadata.name}`;
    const debug = { spec: { ephemeralContainers: [{ name: 'debugger', image: 'debug' }] } };
    const answer = await plane.request<{
      readonly spec: { readonly ephemeralContainers: StoredPod['spec']['containers'] };
    }>('PATCH', `${path}/ephemeralcontainers`, debug, { contentType: 'application/strategic-merge-patch+json' });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const [debugger_] = answer.body.spec.ephemeralContainers;
    assert.deepEqual(Object.fromEntries((debugger_?.env ?? []).map(({ name, value }) => [name, value])), chainEnv);
    assert.equal(debugger_?.volumeMounts?.[0]?.mountPath, folder);
  });

  for (const name of [
    'AWS_ROLE_ARN',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_CONFIG_FILE',
    'AWS_PROFILE',
    'AWS_SHARED_CREDENTIALS_FILE',
    'AWS_ACCESS_KEY_ID',
  ]) {
    test(`${name} of its own beside the chain is denied`, testLimit, async () => {
      const message = await denialOf(withEnv({ name, value: name === 'AWS_ROLE_ARN' ? mapped : '/mine' }));
      assert.match(message, new RegExp(`container "app" sets ${name};.*\\(CredentialConflict\\)`));
    });
  }

  for (const [serviceAccountName, says, reason] of [
    ['hub-itself', /the role of the pod is its hub role/, 'CredentialConflict'],
    ['own-hub', /is not in --source-accounts/, 'RoleOutsideAccount'],
    ['lines', /carm-webhook\.dev\/external-id "ab\\u000a\[profile carm-hub\]"/, 'InvalidAnnotation'],
    ['odd', /"irsa", which is not web-identity or chain/, 'InvalidAnnotation'],
  ] as const) {
    test(`a ServiceAccount of its own mind is denied: ${serviceAccountName}`, testLimit, async () => {
      const message = await denialOf({ serviceAccountName });
      assert.match(message, says);
      assert.ok(message.includes(`(${reason})`), message);
    });
  }

  test(
    "a volume of the chain's name that shows a text of the user is denied where nothing chains",
    testLimit,
    async () => {
      const volumes = [{ name: 'aws-iam-token', projected: { sources: [configSource] } }];
      const annotations = { 'eks.amazonaws.com/skip-containers': 'app', 'carm-webhook.dev/aws-config': 'x' };
      assert.match(await denialOf({ volumes }, { annotations }), /\(VolumeConflict\)/);
    },
  );
});
