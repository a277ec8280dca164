import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BoundNamespace } from '../e2e/bound-namespace.ts';
import { clientNames } from './aws-client.ts';
import { AwsScene, hubAccount, type PodClients } from './aws-scene.ts';
import { callsOf, type Hop, hopOf } from './client-calls.ts';
import { assumePolicy, roleTrust } from './iam-account.ts';
import type { MountedPod } from './kubelet-volumes.ts';
import { podIdentityMount, podIdentityVariables, podIdentityVolume } from './pod-identity-agent.ts';

/*
 * Pods as the API server stores them, and in them the real SDKs: whose identity do they end with, and by which calls? The files are where the
 * pod mounts them, in a mount namespace of each client's own.
 */

const webAccount = '222222222222';
const chainAccount = '333333333333';
const idAccount = '444444444444';
const eksAccount = '555555555555';
const region = 'eu-central-1';
const testLimit = { timeout: 120_000 };

const roleArn = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`;
const sessionArn = (account: string, name: string, session: string): string =>
  `arn:aws:sts::${account}:assumed-role/${name}/${session}`;

/** A path, so that nothing depends on names alone. */
const hub = roleArn(hubAccount, 'pods/hub');
const podIdentityHub = roleArn(hubAccount, 'pod-identity');

/** A pod that EKS Pod Identity serves: what EKS adds is there before us. */
const servedByEks = {
  containers: [{ name: 'app', image: 'app', env: podIdentityVariables, volumeMounts: [podIdentityMount] }],
  volumes: [podIdentityVolume],
};

function byToken(role: string, session: string): Hop {
  const subject = `system:serviceaccount:${session.replace('.', ':')}`;
  return { action: 'AssumeRoleWithWebIdentity', roleArn: role, sessionName: session, subject };
}

function byRole(role: string, session: string, caller: string, externalId?: string): Hop {
  const hop = { action: 'AssumeRole', roleArn: role, sessionName: session, caller };
  return externalId === undefined ? hop : { ...hop, externalId };
}

const asks = (caller: string): Hop => ({ action: 'GetCallerIdentity', caller });

describe('SDKs in pods', () => {
  let scene: AwsScene;
  const namespaces = new Map<string, BoundNamespace>();

  before(
    async () => {
      scene = await AwsScene.start({
        map: {
          [webAccount]: roleArn(webAccount, 'web'),
          [chainAccount]: roleArn(chainAccount, 'ack/chained'),
          [idAccount]: roleArn(idAccount, 'with-id'),
          [eksAccount]: roleArn(eksAccount, 'target'),
        },
      });
      const hubIam = await scene.account(hubAccount);
      const webIam = await scene.account(webAccount);
      // These three know no OIDC provider.
      const chainIam = scene.aws.iam(chainAccount);
      const idIam = scene.aws.iam(idAccount);
      const eksIam = scene.aws.iam(eksAccount);
      await hubIam.createRole({
        name: 'hub',
        path: '/pods/',
        trust: scene.trusting(hubIam, 'chained:app', 'chained:requests', 'with-id:app'),
        policy: assumePolicy([
          roleArn(chainAccount, 'ack/chained'),
          roleArn(chainAccount, 'readers/s3'),
          roleArn(idAccount, 'with-id'),
        ]),
      });
      await hubIam.putRolePolicy('pod-identity', assumePolicy([roleArn(eksAccount, 'target')]));
      await webIam.createRole({ name: 'web', trust: scene.trusting(webIam, 'web:app') });
      await webIam.createRole({
        name: 's3',
        path: '/readers/',
        trust: scene.trusting(webIam, 'web:requests', 'chained:web'),
      });
      await chainIam.createRole({ name: 'chained', path: '/ack/', trust: roleTrust(hub) });
      await chainIam.createRole({ name: 's3', path: '/readers/', trust: roleTrust(hub) });
      await idIam.createRole({ name: 'with-id', trust: roleTrust(hub, `carm/${idAccount}:with-id`) });
      await eksIam.createRole({ name: 'target', trust: roleTrust(podIdentityHub) });

      const chain = { 'carm-webhook.dev/credentials': 'chain', 'carm-webhook.dev/hub-role-arn': hub };
      const rows = [
        ['web', webAccount, {}],
        ['chained', chainAccount, chain],
        ['with-id', idAccount, { ...chain, 'carm-webhook.dev/external-id': 'carm/{account}:{namespace}' }],
        ['eks', eksAccount, { 'carm-webhook.dev/credentials': 'chain' }],
      ] as const;
      for (const [name, accountId, annotations] of rows) {
        const all = { 'services.k8s.aws/default-region': region, ...annotations };
        namespaces.set(name, await scene.namespace(name, { accountId, annotations: all }));
      }
      const requests = { 'carm-webhook.dev/role': 'readers/s3' };
      await namespaceOf('web').addServiceAccount('requests', requests);
      await namespaceOf('chained').addServiceAccount('requests', requests);
    },
    { timeout: 120_000 },
  );
  after(() => scene?.stop(), { timeout: 60_000 });

  function namespaceOf(name: string): BoundNamespace {
    const namespace = namespaces.get(name);
    assert.ok(namespace !== undefined);
    return namespace;
  }

  /** Runs clients in a pod; nothing of what they did before is in the lists. */
  async function within<Result>(
    pod: MountedPod,
    options: Parameters<AwsScene['clientsIn']>[1],
    use: (clients: PodClients) => Promise<Result>,
  ): Promise<Result> {
    const clients = await scene.clientsIn(pod, options);
    scene.aws.takeStsCalls();
    scene.metadata.take();
    scene.agent.take();
    try {
      return await use(clients);
    } finally {
      await clients.stop();
    }
  }

  /** Each client has this identity, by exactly these calls. */
  async function assertIdentity(pod: MountedPod, arn: string, hops: readonly Hop[], container = 'app'): Promise<void> {
    await within(pod, { container }, async clients => {
      const answers = await clients.ask();
      assert.deepEqual(answers, new Map(clientNames.map(name => [name, { arn }])));
      const calls = scene.aws.takeStsCalls();
      for (const name of clientNames) assert.deepEqual(callsOf(calls, name).map(hopOf), hops, name);
      assert.deepEqual(scene.metadata.take(), []);
    });
  }

  const rows = [
    {
      what: 'web identity',
      namespace: 'web',
      arn: sessionArn(webAccount, 'web', 'web.app'),
      hops: [byToken(roleArn(webAccount, 'web'), 'web.app')],
    },
    {
      what: 'web identity, a requested role',
      namespace: 'web',
      spec: { serviceAccountName: 'requests' },
      arn: sessionArn(webAccount, 's3', 'web.requests'),
      hops: [byToken(roleArn(webAccount, 'readers/s3'), 'web.requests')],
    },
    {
      what: 'a chain without an external id',
      namespace: 'chained',
      arn: sessionArn(chainAccount, 'chained', 'chained.app'),
      hops: [
        byToken(hub, 'chained.app'),
        byRole(roleArn(chainAccount, 'ack/chained'), 'chained.app', sessionArn(hubAccount, 'hub', 'chained.app')),
      ],
    },
    {
      what: 'a chain to a requested role',
      namespace: 'chained',
      spec: { serviceAccountName: 'requests' },
      arn: sessionArn(chainAccount, 's3', 'chained.requests'),
      hops: [
        byToken(hub, 'chained.requests'),
        byRole(
          roleArn(chainAccount, 'readers/s3'),
          'chained.requests',
          sessionArn(hubAccount, 'hub', 'chained.requests'),
        ),
      ],
    },
    {
      what: 'a chain with an external id',
      namespace: 'with-id',
      arn: sessionArn(idAccount, 'with-id', 'with-id.app'),
      hops: [
        byToken(hub, 'with-id.app'),
        byRole(
          roleArn(idAccount, 'with-id'),
          'with-id.app',
          sessionArn(hubAccount, 'hub', 'with-id.app'),
          `carm/${idAccount}:with-id`,
        ),
      ],
    },
    {
      what: 'a chain over EKS Pod Identity',
      namespace: 'eks',
      spec: servedByEks,
      arn: sessionArn(eksAccount, 'target', 'eks.app'),
      hops: [
        byRole(
          roleArn(eksAccount, 'target'),
          'eks.app',
          sessionArn(hubAccount, 'pod-identity', 'eks-cluster-app-0123'),
        ),
      ],
    },
  ] as const;
  for (const { what, namespace, arn, hops, ...rest } of rows) {
    test(`${what}: every SDK ends with the mapped role`, testLimit, async () => {
      const pod = await scene.pod(namespaceOf(namespace), 'spec' in rest ? rest.spec : {});
      await assertIdentity(pod, arn, [...hops, asks(arn)]);
    });
  }

  for (const { what, namespace, arn, ...rest } of rows.filter(({ what }) => !what.includes('requested'))) {
    test(`${what}: a session has ended and the token was replaced: every SDK goes on`, testLimit, async () => {
      const pod = await scene.pod(namespaceOf(namespace), 'spec' in rest ? rest.spec : {});
      const lifetimeMs = 2_000;
      scene.aws.setSessionLifetime(lifetimeMs);
      scene.agent.lifetimeMs = lifetimeMs;
      try {
        await within(pod, {}, async clients => {
          const all = new Map(clientNames.map(name => [name, { arn }]));
          assert.deepEqual(await clients.ask(), all);
          const before = scene.aws.takeStsCalls();
          const shownBefore = new Set(scene.agent.take());
          await clients.volumes.fill();
          await sleep(lifetimeMs + 100);
          assert.deepEqual(await clients.ask(), all);
          const after = scene.aws.takeStsCalls();
          const tokensBefore = new Set(before.map(({ token }) => token?.id));
          const shownAfter = scene.agent.take();
          for (const name of clientNames) {
            const calls = callsOf(after, name);
            const given = new Set(calls.map(({ sessionKeyId }) => sessionKeyId));
            // None of the sessions of before.
            assert.ok(given.has(calls.at(-1)?.accessKeyId), `${name}: ${JSON.stringify(calls)}`);
            const tokens = calls.flatMap(({ token }) => (token === undefined ? [] : [token.id]));
            if (namespace === 'eks') continue;
            assert.ok(tokens.length > 0 && tokens.every(id => id !== undefined && !tokensBefore.has(id)), name);
          }
          if (namespace === 'eks') {
            assert.ok(shownAfter.length >= clientNames.length);
            for (const id of shownAfter) assert.ok(id !== undefined && !shownBefore.has(id));
          }
        });
      } finally {
        scene.aws.setSessionLifetime(undefined);
        scene.agent.lifetimeMs = 3_600_000;
      }
    });
  }
});
