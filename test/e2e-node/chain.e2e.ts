import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pastTheWebhookHeaders } from '../e2e/bound-namespace.ts';
import {
  type Container,
  type PodFields,
  namespace as plainNamespace,
  pod,
  tokenMountPath,
} from '../e2e/cluster-objects.ts';
import { eventually } from '../e2e/eventually.ts';
import { assertChain, assertIdentity, type ExpectedChain } from './assert-identity.ts';
import { client, clientImageOf, clientPod, clientSdks, clients } from './client-pods.ts';
import { busyboxImage } from './images.ts';
import { RunningPods } from './running-pods.ts';
import { clusterAccount, type SharedCluster, sharedCluster, startLimit } from './shared-cluster.ts';
import { assertRenewedInTime, lifeSeconds, renewedAfterSeconds, renewedLimitMs } from './token-renewal.ts';

/** NODE_TESTS=all adds pods that differ less, and waits for the token to be renewed in its time. */
const all = process.env['NODE_TESTS'] === 'all';

const namespace = 'chained';
const region = 'eu-central-1';
const accountId = '100000000061';
const roleArn = `arn:aws:iam::${accountId}:role/teams/chained`;
const ownRoleArn = `arn:aws:iam::${accountId}:role/readers/s3-reader`;
const hubRoleArn = `arn:aws:iam::${clusterAccount}:role/hubs/${namespace}`;
const ownHubRoleArn = `arn:aws:iam::${clusterAccount}:role/hubs/of-one`;
const configAnnotation = 'carm-webhook.dev/aws-config';
const configPath = `${tokenMountPath}/config`;
const expectedChain: ExpectedChain = { roleArn, region, hubRoleArn, externalId: `${namespace}/${accountId}` };

/** Without a webhook: what kubelet alone does. */
const plain = 'plain-files';

const testLimit = { timeout: 240_000 };
/** kubelet looks after a pod's volumes every 10 s here (every minute by default), and up to half as long again later. */
const refreshedLimitMs = 60_000;

interface Row {
  /** The pod's name, too. */
  readonly name: string;
  readonly what: string;
  readonly fields?: PodFields;
  readonly expected?: Partial<ExpectedChain>;
  /** Mode, owner and group of both files, as `stat` in the pod's first container shows them. */
  readonly files?: { readonly config: string; readonly token: string };
  /** User of each container, and the modes that it sees. */
  readonly users?: Readonly<Record<string, number>>;
}

/** It stays, so that a test can look at its files. */
const held = (fields: Partial<Container> = {}): Partial<Container> & { args: readonly string[] } => ({
  args: ['--hold', '600'],
  ...fields,
});
const as = (uid: number): Partial<Container> => ({ securityContext: { runAsUser: uid } });

/** https://kubernetes.io/docs/concepts/storage/projected-volumes/#file-ownership */
const rows: readonly Row[] = [
  {
    name: 'root',
    what: 'containers of root: anyone may read both files',
    fields: { containers: clients(held()) },
    files: { config: '644 0 0', token: '644 0 0' },
    users: { boto3: 0, js: 0 },
  },
  {
    name: 'one-uid',
    what: 'one user for all: the token is that user’s alone, the config is not',
    fields: { containers: clients(held()), securityContext: { runAsUser: 1003 } },
    files: { config: '644 0 0', token: '600 1003 0' },
    users: { boto3: 1003, js: 1003 },
  },
  {
    name: 'one-uid-fs-group',
    what: 'one user for all and fsGroup: the token is for its group too',
    fields: { containers: clients(held()), securityContext: { runAsUser: 1003, fsGroup: 4321 } },
    files: { config: '644 0 4321', token: '640 1003 4321' },
    users: { boto3: 1003, js: 1003 },
  },
  {
    name: 'two-uids',
    what: 'two users: anyone may read both files',
    fields: { containers: [client('boto3', held(as(1001))), client('js', as(1002))] },
    files: { config: '644 0 0', token: '644 0 0' },
    users: { boto3: 1001, js: 1002 },
  },
  {
    name: 'two-uids-fs-group',
    what: 'two users and fsGroup: its group may read the token',
    fields: {
      containers: [client('boto3', held(as(1001))), client('js', as(1002))],
      securityContext: { fsGroup: 4321 },
    },
    files: { config: '644 0 4321', token: '640 0 4321' },
    users: { boto3: 1001, js: 1002 },
  },
  {
    name: 'init',
    what: 'an init container and a native sidecar',
    fields: {
      initContainers: [
        client('boto3', { name: 'setup' }),
        client('js', { name: 'sidecar', restartPolicy: 'Always', args: ['--hold', '600'] }),
      ],
      containers: [client('boto3')],
    },
  },
  {
    name: 'own-role',
    what: 'a ServiceAccount with a role, a hub and an external id of its own',
    fields: { serviceAccountName: 'reader', containers: clients() },
    expected: { roleArn: ownRoleArn, hubRoleArn: ownHubRoleArn, externalId: 'only-readers' },
  },
];

const longRows: readonly Row[] = [
  {
    name: 'read-only-root',
    what: 'a read-only root file system, and no token of the API',
    fields: {
      automountServiceAccountToken: false,
      containers: clients({ securityContext: { readOnlyRootFilesystem: true } }),
    },
  },
  {
    name: 'user-and-root',
    what: 'a user beside the image’s own',
    fields: { containers: [client('boto3', held(as(1001))), client('js')] },
    files: { config: '644 0 0', token: '644 0 0' },
    users: { boto3: 1001, js: 0 },
  },
  { name: 'host-network', what: 'the network of the node', fields: { hostNetwork: true } },
];

interface DebugRow {
  readonly container: string;
  readonly what: string;
  readonly pod: string;
  readonly flags?: readonly string[];
  readonly uid: number;
}

/** They have the pod's config as it is. */
const debugRows: readonly DebugRow[] = [
  { container: 'beside', what: 'a debug container', pod: 'root', uid: 0 },
  { container: 'beside-user', what: 'a debug container of the user that all have', pod: 'one-uid', uid: 1003 },
  ...(all
    ? [
        {
          container: 'target',
          what: 'one in the processes of a container',
          pod: 'root',
          flags: ['--target=js'],
          uid: 0,
        },
      ]
    : []),
];

describe('containers that really run get their role by a hub role', () => {
  let shared: SharedCluster;
  let pods: RunningPods;
  const shown = all ? [...rows, ...longRows] : rows;

  before(async () => {
    shared = await sharedCluster();
    await shared.bind({
      namespace,
      accountId,
      roleArn,
      annotations: {
        'services.k8s.aws/default-region': region,
        'carm-webhook.dev/credentials': 'chain',
        'carm-webhook.dev/hub-role-arn': hubRoleArn,
        'carm-webhook.dev/external-id': '{namespace}/{account}',
      },
      serviceAccounts: {
        reader: {
          'eks.amazonaws.com/role-arn': ownRoleArn,
          'carm-webhook.dev/hub-role-arn': ownHubRoleArn,
          'carm-webhook.dev/external-id': 'only-readers',
        },
        direct: { 'carm-webhook.dev/credentials': 'web-identity' },
      },
    });
    await shared.apply([plainNamespace(plain)]);
    pods = new RunningPods(shared, namespace);
    await Promise.all([
      ...shown.map(({ name, fields }) => pods.create(clientPod(namespace, name, fields))),
      pods.create(clientPod(namespace, 'direct', { serviceAccountName: 'direct', containers: [client('boto3')] })),
      ...['changed', 'removed'].map(name =>
        pods.create(clientPod(namespace, name, { containers: clients({ args: ['--every', '2'] }) })),
      ),
      pods.create(
        clientPod(namespace, 'steady', {
          annotations: { 'eks.amazonaws.com/token-expiration': String(lifeSeconds) },
          containers: clients({ args: ['--every', '2'] }),
        }),
      ),
    ]);
  }, startLimit);
  after(() => shared?.remove(namespace, plain));

  async function inPod(name: string, container: string, ...command: readonly string[]): Promise<string> {
    const args = ['exec', name, '-n', namespace, '-c', container, '--', ...command];
    return (await shared.plane.kubectl(args)).stdout;
  }

  for (const { name, what, expected, files, users = {} } of shown) {
    test(what, testLimit, async () => {
      const running = await pods.get(name);
      const containers = [...(running.spec.initContainers ?? []), ...running.spec.containers];
      for (const container of containers) {
        const answer = await pods.answer(name, container.name);
        assertChain(shared.sts, running, answer, { ...expectedChain, ...expected });
        // The role pair beside it would lead some SDKs elsewhere.
        const names = (container.env ?? []).map(each => each.name);
        assert.ok(!names.includes('AWS_ROLE_ARN') && !names.includes('AWS_WEB_IDENTITY_TOKEN_FILE'), names.join());
        if (users[container.name] !== undefined) assert.equal(answer.uid, users[container.name]);
      }
      if (files === undefined) return;
      const [first] = running.spec.containers;
      const stat = ['stat', '-L', '-c', '%a %u %g', configPath, `${tokenMountPath}/token`];
      const [config, token] = (await inPod(name, first?.name ?? '', ...stat)).trim().split('\n');
      assert.deepEqual({ config, token }, files);
    });
  }

  test('a ServiceAccount that says web-identity: no hub', testLimit, async () => {
    const answer = await pods.answer('direct', 'boto3');
    assertIdentity(shared.sts, await pods.get('direct'), answer, { roleArn, region });
  });

  for (const { container, what, pod: name, flags = [], uid } of debugRows) {
    test(what, testLimit, async () => {
      const image = [`--image=${clientImageOf.boto3}`, '--image-pull-policy=Never'];
      const { stderr } = await shared.plane.kubectl([
        ...['debug', name, '-n', namespace, '-c', container],
        ...image,
        ...flags,
      ]);
      assert.doesNotMatch(stderr, /carm-webhook|Injected/);
      const answer = await pods.answer(name, container);
      assertChain(shared.sts, await pods.get(name), answer, expectedChain);
      assert.equal(answer.uid, uid);
    });
  }

  /** What was never injected, or is taken away, is an empty file for kubelet, and no error: so the annotation is guarded. */
  test('an annotation that is not there is an empty file', testLimit, async () => {
    const items = [{ path: 'config', fieldRef: { fieldPath: `metadata.annotations['${configAnnotation}']` } }];
    const fields: PodFields = {
      serviceAccountName: 'default',
      restartPolicy: 'Never',
      volumes: [{ name: 'files', projected: { sources: [{ downwardAPI: { items } }] } }],
      containers: [
        {
          name: 'app',
          image: busyboxImage,
          imagePullPolicy: 'Never',
          command: ['stat', '-L', '-c', '%s %a', '/files/config'],
          volumeMounts: [{ name: 'files', mountPath: '/files' }],
        },
      ],
    };
    const plainPods = new RunningPods(shared, plain);
    await eventually('its ServiceAccount is there', async () => {
      const { status } = await shared.plane.request('GET', `/api/v1/namespaces/${plain}/serviceaccounts/default`);
      return status === 200 ? true : undefined;
    });
    await plainPods.create(pod(plain, 'without', fields));
    assert.equal((await plainPods.ended('without', 'app')).exitCode, 0);
    const log = await shared.plane.kubectl(['logs', 'without', '-n', plain]);
    assert.equal(log.stdout, '0 644\n');
  });

  /** By break-glass, past every guard. */
  async function annotate(name: string, text: string | null): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const body = { metadata: { annotations: { [configAnnotation]: text } } };
    const { status } = await shared.plane.request('PATCH', path, body, { headers: pastTheWebhookHeaders });
    assert.equal(status, 200);
  }

  test(
    'a config that is edited or removed past the webhook comes to running containers: an SDK that reads it again follows',
    testLimit,
    async t => {
      for (const name of ['changed', 'removed']) for (const sdk of clientSdks) await pods.answer(name, sdk);
      const running = await pods.get('changed');
      const text = running.metadata.annotations?.[configAnnotation] ?? '';
      assert.equal(await inPod('changed', 'js', 'cat', configPath), text);
      assert.ok(text.includes(roleArn));

      const editedAt = performance.now();
      await Promise.all([annotate('changed', text.replaceAll(roleArn, ownRoleArn)), annotate('removed', null)]);
      const outcome = async (name: string, sdk: string): Promise<string> => {
        const last = (await pods.answers(name, sdk)).at(-1);
        return last?.error ?? shared.sts.sessionOf(last?.accessKeyId ?? '')?.roleArn ?? '';
      };
      const untilBoto3 = async (name: string, isIt: (seen: string) => boolean): Promise<string> => {
        const look = async () => (isIt(await outcome(name, 'boto3')) ? true : undefined);
        await eventually(`what boto3 in pod ${name} does with the new config`, look, refreshedLimitMs);
        return `${((performance.now() - editedAt) / 1000).toFixed(0)} s`;
      };
      const [changed, removed] = await Promise.all([
        untilBoto3('changed', role => role === ownRoleArn),
        // Nothing else gives credentials in this network; elsewhere it would be the node's role.
        untilBoto3('removed', error => /Unable to locate credentials/.test(error)),
      ]);
      t.diagnostic(`boto3: another role after ${changed}, none after ${removed}`);
      // It reads the file once: readFile.js in shared-ini-file-loader of @smithy/core keeps what it read.
      for (const name of ['changed', 'removed']) assert.equal(await outcome(name, 'js'), roleArn, name);
      assert.equal(await inPod('removed', 'js', 'cat', configPath), '');
    },
  );

  /** Until each client has got to its role with a newer token; every answer must be a good one. */
  async function untilRenewed(limitMs: number, renew: () => Promise<void>): Promise<number> {
    const steady = await pods.get('steady');
    const issueTimes = async (sdk: string): Promise<readonly number[]> => {
      const answers = await pods.answers('steady', sdk);
      for (const answer of answers) assertChain(shared.sts, steady, answer, expectedChain);
      return answers.map(({ tokenIssuedAt = 0 }) => tokenIssuedAt);
    };
    for (const sdk of clientSdks) await pods.answer('steady', sdk);
    const last = Math.max(...(await issueTimes('js')));
    await renew();
    const newer = clientSdks.map(sdk =>
      eventually(
        `a newer token used by ${sdk}`,
        async () => (await issueTimes(sdk)).find(time => time > last),
        limitMs,
      ),
    );
    const [first = 0] = await Promise.all(newer);
    return first - last;
  }

  test('the token is renewed when kubelet has restarted, and no call fails', testLimit, async () => {
    await untilRenewed(refreshedLimitMs, () => shared.cluster.node.restartKubelet());
  });

  test('the token is renewed in its time, and no call fails', {
    timeout: renewedLimitMs + 60_000,
    skip: !all && `takes ${renewedAfterSeconds} s: NODE_TESTS=all`,
  }, async () => {
    assertRenewedInTime(await untilRenewed(renewedLimitMs, async () => {}));
  });
});
