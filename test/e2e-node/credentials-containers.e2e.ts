import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container, PodFields } from '../e2e/cluster-objects.ts';
import { tokenMounts } from '../e2e/injected-pod.ts';
import { nodeName } from '../testbed/node/node-settings.ts';
import { assertIdentity, type ExpectedIdentity } from './assert-identity.ts';
import { client, clientPod, clientSdks, clients } from './client-pods.ts';
import { RunningPods } from './running-pods.ts';
import { type SharedCluster, sharedCluster, startLimit, trustedAudience } from './shared-cluster.ts';

const region = 'eu-central-1';
const accountId = '100000000011';
const roleArn = `arn:aws:iam::${accountId}:role/teams/containers`;
const ownRoleArn = `arn:aws:iam::${accountId}:role/readers/s3-reader`;
/** Where Pod Security Admission takes restricted pods only. */
const restricted = {
  namespace: 'restricted-containers',
  accountId: '100000000012',
  roleArn: 'arn:aws:iam::100000000012:role/restricted',
};
const namespace = 'containers';
const testLimit = { timeout: 240_000 };

const restrictedContainer = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
};
const restrictedPod = { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } };

/** What is known of a token's file. https://kubernetes.io/docs/concepts/storage/projected-volumes/#file-ownership */
type TokenFile = Readonly<{ tokenMode?: string; uid?: number; gid?: number }>;

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/#NodeStatus */
interface NodeObject {
  readonly status: {
    readonly runtimeHandlers?: readonly { readonly features?: { readonly userNamespaces?: boolean } }[];
  };
}

interface Row {
  /** The pod's name, too. */
  readonly name: string;
  readonly what: string;
  readonly namespace?: string;
  readonly fields?: PodFields;
  readonly expected?: Partial<ExpectedIdentity>;
  /** What each container says of the file that it reads, and of itself. */
  readonly file?: Readonly<Record<string, TokenFile>>;
  /** The endpoint that each container asks, where it is not that of its region. */
  readonly hosts?: Readonly<Record<string, string>>;
}

const runningAs = (uid: number, fields: object = {}): Partial<Container> => ({
  securityContext: { runAsUser: uid, ...fields },
});

const anyoneMayRead = { boto3: { tokenMode: '0644' }, js: { tokenMode: '0644' } };

const rows: readonly Row[] = [
  { name: 'plain', what: 'containers', file: anyoneMayRead },
  {
    name: 'init',
    what: 'init containers, one after the other',
    fields: { initContainers: clients().map(each => ({ ...each, name: `first-${each.name}` })) },
  },
  {
    name: 'sidecars',
    what: 'native sidecars beside an init container',
    fields: {
      initContainers: [
        client('boto3', { name: 'sidecar-boto3', restartPolicy: 'Always', args: ['--hold', '600'] }),
        client('js', { name: 'sidecar-js', restartPolicy: 'Always', args: ['--hold', '600'] }),
        client('js', { name: 'setup' }),
      ],
    },
  },
  {
    name: 'two-uids',
    what: 'two users: anyone may read the token',
    fields: { containers: [client('boto3', runningAs(1001)), client('js', runningAs(1002))] },
    file: { boto3: { tokenMode: '0644', uid: 1001 }, js: { tokenMode: '0644', uid: 1002 } },
  },
  {
    name: 'two-uids-fs-group',
    what: 'two users and fsGroup: its group may read',
    fields: {
      containers: [client('boto3', runningAs(1001)), client('js', runningAs(1002))],
      securityContext: { fsGroup: 4321 },
    },
    file: { boto3: { tokenMode: '0640', uid: 1001 }, js: { tokenMode: '0640', uid: 1002 } },
  },
  {
    name: 'user-and-root',
    what: 'a user beside the image’s own: anyone may read',
    fields: { containers: [client('boto3', runningAs(1001)), client('js')] },
    file: { boto3: { tokenMode: '0644', uid: 1001 }, js: { tokenMode: '0644', uid: 0 } },
  },
  {
    name: 'one-uid',
    what: 'one user for all: the token is that user’s alone',
    fields: { securityContext: { runAsUser: 1003 } },
    file: { boto3: { tokenMode: '0600', uid: 1003 }, js: { tokenMode: '0600', uid: 1003 } },
  },
  {
    name: 'one-uid-fs-group',
    what: 'one user for all and fsGroup',
    fields: { securityContext: { runAsUser: 1003, fsGroup: 4321 } },
    file: { boto3: { tokenMode: '0640', uid: 1003 }, js: { tokenMode: '0640', uid: 1003 } },
  },
  {
    name: 'read-only-root',
    what: 'a read-only root file system',
    fields: { containers: clients({ securityContext: { readOnlyRootFilesystem: true } }) },
  },
  {
    name: 'restricted',
    what: 'a restricted pod in a namespace that takes no others',
    namespace: restricted.namespace,
    fields: { securityContext: restrictedPod, containers: clients({ securityContext: restrictedContainer }) },
    expected: { roleArn: restricted.roleArn },
    file: { boto3: { tokenMode: '0600', uid: 65_532 }, js: { tokenMode: '0600', uid: 65_532 } },
  },
  {
    name: 'no-api-token',
    what: 'automountServiceAccountToken: false',
    fields: { automountServiceAccountToken: false },
  },
  {
    name: 'host-network',
    what: 'the network of the node',
    // Aliases of hosts are in the file of a pod with the node's network too.
    fields: { hostNetwork: true },
  },
  {
    name: 'own-role',
    what: 'a ServiceAccount with a role of its own',
    fields: { serviceAccountName: 'reader' },
    expected: { roleArn: ownRoleArn },
  },
  {
    name: 'own-audience',
    what: 'a ServiceAccount with an audience of its own, which STS trusts',
    fields: { serviceAccountName: 'audience' },
    expected: { audience: trustedAudience },
  },
  {
    name: 'session-name',
    what: 'a session name that the pod gives',
    fields: { containers: clients({ env: [{ name: 'AWS_ROLE_SESSION_NAME', value: 'named-by-the-pod' }] }) },
    expected: { sessionName: 'named-by-the-pod' },
  },
  {
    name: 'own-region',
    what: 'a region that the pod gives: its endpoint is asked',
    fields: {
      containers: clients({
        env: [
          { name: 'AWS_REGION', value: 'us-west-2' },
          { name: 'AWS_DEFAULT_REGION', value: 'us-west-2' },
        ],
      }),
    },
    expected: { region: 'us-west-2' },
  },
  {
    name: 'global-endpoint',
    what: 'a ServiceAccount that turns the regional endpoint off: an SDK with a choice asks the global one',
    fields: { serviceAccountName: 'global' },
    hosts: { boto3: 'sts.amazonaws.com' },
  },
  {
    name: 'role-alone',
    what: 'a role of the account without a token file, which it gains',
    fields: { containers: clients({ env: [{ name: 'AWS_ROLE_ARN', value: ownRoleArn }] }) },
    expected: { roleArn: ownRoleArn },
  },
];

/** Pods that get no credentials, in whole or in part. */
const withoutRole = [
  {
    name: 'skipped',
    what: 'a container that is skipped has none; the one beside it has',
    // A region is needed before credentials are looked for.
    fields: {
      annotations: { 'eks.amazonaws.com/skip-containers': 'skipped-boto3, skipped-js' },
      containers: [
        ...clients(),
        ...clients({
          env: [
            { name: 'AWS_REGION', value: region },
            { name: 'AWS_DEFAULT_REGION', value: region },
          ],
        }).map(each => ({ ...each, name: `skipped-${each.name}` })),
      ],
    },
    errors: {
      'skipped-boto3': /^NoCredentialsError: Unable to locate credentials$/,
      'skipped-js': /^CredentialsProviderError: Could not load credentials from any providers$/,
    },
  },
  {
    name: 'wrong-audience',
    what: 'an audience that STS does not trust: refused, and the pod sees why',
    fields: { serviceAccountName: 'foreign-audience' },
    errors: {
      boto3:
        /^InvalidIdentityTokenException: An error occurred \(InvalidIdentityToken\) when calling the AssumeRoleWithWebIdentity operation: Incorrect token audience$/,
      js: /^InvalidIdentityTokenException: Incorrect token audience$/,
    },
  },
] as const;

describe('containers that really run ask STS with the token of their pod', () => {
  let shared: SharedCluster;

  before(async () => {
    shared = await sharedCluster();
    const annotations = { 'services.k8s.aws/default-region': region };
    await shared.bind({
      namespace,
      accountId,
      roleArn,
      annotations,
      serviceAccounts: {
        reader: { 'eks.amazonaws.com/role-arn': ownRoleArn },
        audience: { 'eks.amazonaws.com/audience': trustedAudience },
        global: { 'eks.amazonaws.com/sts-regional-endpoints': 'false' },
        'foreign-audience': { 'eks.amazonaws.com/audience': 'foreign.example.com' },
      },
    });
    await shared.bind({
      ...restricted,
      annotations,
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    });
    // All at once: they start while the first are looked at.
    await Promise.all(
      [...rows, ...withoutRole.map(({ name, fields }): Row => ({ name, what: '', fields }))].map(row =>
        podsOf(row).create(clientPod(row.namespace ?? namespace, row.name, row.fields)),
      ),
    );
  }, startLimit);

  after(() => shared?.remove(namespace, restricted.namespace));

  function podsOf(row: Pick<Row, 'namespace'>): RunningPods {
    return new RunningPods(shared, row.namespace ?? namespace);
  }

  for (const row of rows) {
    test(row.what, testLimit, async () => {
      const pods = podsOf(row);
      const pod = await pods.get(row.name);
      const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name);
      for (const container of containers) {
        const answer = await pods.answer(row.name, container);
        const host = row.hosts?.[container];
        assertIdentity(shared.sts, pod, answer, { roleArn, region, ...row.expected, ...(host && { host }) });
        assert.partialDeepStrictEqual(answer, row.file?.[container] ?? {}, container);
      }
    });
  }

  for (const row of withoutRole) {
    test(row.what, testLimit, async () => {
      const pods = podsOf({});
      const pod = await pods.get(row.name);
      const errors: Readonly<Record<string, RegExp>> = row.errors;
      for (const container of pod.spec.containers) {
        const answer = await pods.answer(row.name, container.name);
        const error = errors[container.name];
        if (error === undefined) {
          assertIdentity(shared.sts, pod, answer, { roleArn, region });
        } else {
          assert.match(answer.error ?? '', error, container.name);
          assert.equal((await pods.ended(row.name, container.name)).exitCode, 1);
        }
      }
      for (const { name } of pod.spec.containers.filter(({ name }) => name.startsWith('skipped-'))) {
        const container = pod.spec.containers.find(each => each.name === name);
        assert.deepEqual(container && tokenMounts(container), [], name);
      }
    });
  }

  test('what STS has refused is the audience alone', testLimit, () => {
    const refused = shared.sts.refusals.filter(each => each.roleArn === roleArn);
    assert.deepEqual(refused.map(({ code, sdk }) => `${sdk} ${code}`).toSorted(), [
      'boto3 InvalidIdentityToken',
      'js InvalidIdentityToken',
    ]);
  });

  test('hostUsers: false', testLimit, async t => {
    const { status } = await shared.get<NodeObject>(`/api/v1/nodes/${nodeName}`);
    if (!status.runtimeHandlers?.some(({ features }) => features?.userNamespaces === true)) {
      t.skip('the container runtime here has no user namespaces');
      return;
    }
    const pods = podsOf({});
    const { body: pod } = await pods.create(clientPod(namespace, 'user-namespace', { hostUsers: false }));
    for (const sdk of clientSdks) {
      assertIdentity(shared.sts, pod, await pods.answer('user-namespace', sdk), { roleArn, region });
    }
  });
});
