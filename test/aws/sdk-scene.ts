import assert from 'node:assert/strict';
import type { BoundNamespace } from '../e2e/bound-namespace.ts';
import type { ClientName } from './aws-client.ts';
import { AwsScene, hubAccount, type PodClients } from './aws-scene.ts';
import type { Hop } from './client-calls.ts';
import { assumePolicy, type IamAccount, roleTrust } from './iam-account.ts';
import type { MountedPod } from './kubelet-volumes.ts';
import { podIdentityMount, podIdentityVariables, podIdentityVolume } from './pod-identity-agent.ts';

const webAccount = '222222222222';
const chainAccount = '333333333333';
const idAccount = '444444444444';
const eksAccount = '555555555555';

const roleArn = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`;
const sessionArn = (account: string, name: string, session: string): string =>
  `arn:aws:sts::${account}:assumed-role/${name}/${session}`;

/** Paths, so that nothing depends on names alone. */
const hub = roleArn(hubAccount, 'pods/hub');
const podIdentityHub = roleArn(hubAccount, 'pod-identity');
const chained = roleArn(chainAccount, 'ack/chained');
const readers = 'readers/s3';
const withId = roleArn(idAccount, 'with-id');
const externalId = `carm/${idAccount}:with-id`;

/** A pod that EKS Pod Identity serves: what EKS adds is there before us. */
const servedByEks = {
  containers: [{ name: 'app', image: 'app', env: podIdentityVariables, volumeMounts: [podIdentityMount] }],
  volumes: [podIdentityVolume],
};

/** A way in which a pod gets its role. */
export interface Way {
  readonly what: string;
  readonly namespace: string;
  readonly spec: object;
  /** One SDK, where all that differs is what the webhook writes. */
  readonly names?: readonly ClientName[];
  /** Whom every SDK ends as. */
  readonly arn: string;
  /** The calls of STS by which it gets there. */
  readonly hops: readonly Hop[];
}

function byToken(role: string, session: string): Hop {
  const subject = `system:serviceaccount:${session.replace('.', ':')}`;
  return { action: 'AssumeRoleWithWebIdentity', roleArn: role, sessionName: session, subject };
}

function byRole(role: string, session: string, caller: string, id?: string): Hop {
  const hop = { action: 'AssumeRole', roleArn: role, sessionName: session, caller };
  return id === undefined ? hop : { ...hop, externalId: id };
}

const hubSession = (session: string): string => sessionArn(hubAccount, 'hub', session);

export const ways = {
  webIdentity: {
    what: 'web identity',
    namespace: 'web',
    spec: {},
    arn: sessionArn(webAccount, 'web', 'web.app'),
    hops: [byToken(roleArn(webAccount, 'web'), 'web.app')],
  },
  webIdentityRequested: {
    what: 'web identity, a requested role',
    names: ['js'],
    namespace: 'web',
    spec: { serviceAccountName: 'requests' },
    arn: sessionArn(webAccount, 's3', 'web.requests'),
    hops: [byToken(roleArn(webAccount, readers), 'web.requests')],
  },
  chain: {
    what: 'a chain without an external id',
    namespace: 'chained',
    spec: {},
    arn: sessionArn(chainAccount, 'chained', 'chained.app'),
    hops: [byToken(hub, 'chained.app'), byRole(chained, 'chained.app', hubSession('chained.app'))],
  },
  chainRequested: {
    what: 'a chain to a requested role',
    names: ['js'],
    namespace: 'chained',
    spec: { serviceAccountName: 'requests' },
    arn: sessionArn(chainAccount, 's3', 'chained.requests'),
    hops: [
      byToken(hub, 'chained.requests'),
      byRole(roleArn(chainAccount, readers), 'chained.requests', hubSession('chained.requests')),
    ],
  },
  webIdentityBesideChain: {
    what: 'web identity for one ServiceAccount of a namespace that chains',
    names: ['js'],
    namespace: 'chained',
    spec: { serviceAccountName: 'web' },
    arn: sessionArn(chainAccount, 'direct', 'chained.web'),
    hops: [byToken(roleArn(chainAccount, 'direct'), 'chained.web')],
  },
  chainWithId: {
    what: 'a chain with an external id',
    namespace: 'with-id',
    spec: {},
    arn: sessionArn(idAccount, 'with-id', 'with-id.app'),
    hops: [byToken(hub, 'with-id.app'), byRole(withId, 'with-id.app', hubSession('with-id.app'), externalId)],
  },
  chainOverEks: {
    what: 'a chain over EKS Pod Identity',
    namespace: 'eks',
    spec: servedByEks,
    arn: sessionArn(eksAccount, 'target', 'eks.app'),
    hops: [
      byRole(roleArn(eksAccount, 'target'), 'eks.app', sessionArn(hubAccount, 'pod-identity', 'eks-cluster-app-0123')),
    ],
  },
} as const satisfies Readonly<Record<string, Way>>;

/** Accounts, roles and namespaces of every way. */
export class SdkScene {
  readonly cluster: AwsScene;
  readonly #namespaces = new Map<string, BoundNamespace>();

  private constructor(cluster: AwsScene) {
    this.cluster = cluster;
  }

  static async start(): Promise<SdkScene> {
    const map = {
      [webAccount]: roleArn(webAccount, 'web'),
      [chainAccount]: chained,
      [idAccount]: withId,
      [eksAccount]: roleArn(eksAccount, 'target'),
    };
    const scene = new SdkScene(await AwsScene.start({ map }));
    await scene.#createRoles();
    await scene.#createNamespaces();
    return scene;
  }

  /** The hub's trust: for tests that change it. */
  async trustHub(isTrusted: boolean): Promise<void> {
    await this.#hubAccount.setTrust(
      'hub',
      this.#hubTrust(isTrusted ? ['chained:app', 'chained:requests', 'with-id:app'] : ['other:app']),
    );
  }

  /** The trust of the role that wants an external id. */
  async demandExternalId(id: string = externalId): Promise<void> {
    await this.cluster.aws.iam(idAccount).setTrust('with-id', roleTrust(hub, id));
  }

  /** The trust of the role that is reached over EKS Pod Identity. */
  async trustPodIdentity(isTrusted: boolean): Promise<void> {
    await this.cluster.aws.iam(eksAccount).setTrust('target', roleTrust(isTrusted ? podIdentityHub : hub));
  }

  namespace(name: string): BoundNamespace {
    const namespace = this.#namespaces.get(name);
    assert.ok(namespace !== undefined, name);
    return namespace;
  }

  /** As it is stored. */
  async podOf({ namespace, spec }: Way): Promise<MountedPod> {
    return this.cluster.pod(this.namespace(namespace), spec);
  }

  /** Runs clients in a pod; nothing of what was before is in any list. */
  async within<Result>(
    pod: MountedPod,
    options: Parameters<AwsScene['clientsIn']>[1],
    use: (clients: PodClients) => Promise<Result>,
  ): Promise<Result> {
    const clients = await this.cluster.clientsIn(pod, options);
    this.cluster.aws.takeStsCalls();
    this.cluster.metadata.take();
    this.cluster.agent.take();
    try {
      return await use(clients);
    } finally {
      await clients.stop();
    }
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
  }

  get #hubAccount(): IamAccount {
    return this.cluster.aws.iam(hubAccount);
  }

  #hubTrust(serviceAccounts: readonly string[]): object {
    return this.cluster.trusting(this.#hubAccount, ...serviceAccounts);
  }

  async #createRoles(): Promise<void> {
    const { cluster } = this;
    const hubIam = await cluster.account(hubAccount);
    const policy = assumePolicy([chained, roleArn(chainAccount, readers), withId]);
    await hubIam.createRole({ name: 'hub', path: '/pods/', trust: this.#hubTrust([]), policy });
    await this.trustHub(true);
    await hubIam.putRolePolicy('pod-identity', assumePolicy([roleArn(eksAccount, 'target')]));

    const webIam = await cluster.account(webAccount);
    await webIam.createRole({ name: 'web', trust: cluster.trusting(webIam, 'web:app') });
    await webIam.createRole({ name: 's3', path: '/readers/', trust: cluster.trusting(webIam, 'web:requests') });

    const chainIam = await cluster.account(chainAccount);
    await chainIam.createRole({ name: 'chained', path: '/ack/', trust: roleTrust(hub) });
    await chainIam.createRole({ name: 's3', path: '/readers/', trust: roleTrust(hub) });
    await chainIam.createRole({ name: 'direct', trust: cluster.trusting(chainIam, 'chained:web') });

    // These two know no OIDC provider.
    await cluster.aws.iam(idAccount).createRole({ name: 'with-id', trust: roleTrust(hub, externalId) });
    await cluster.aws.iam(eksAccount).createRole({ name: 'target', trust: roleTrust(podIdentityHub) });
  }

  async #createNamespaces(): Promise<void> {
    const chain = { 'carm-webhook.dev/credentials': 'chain', 'carm-webhook.dev/hub-role-arn': hub };
    for (const [name, accountId, annotations] of [
      ['web', webAccount, {}],
      ['chained', chainAccount, chain],
      ['with-id', idAccount, { ...chain, 'carm-webhook.dev/external-id': 'carm/{account}:{namespace}' }],
      ['eks', eksAccount, { 'carm-webhook.dev/credentials': 'chain' }],
    ] as const) {
      const all = { 'services.k8s.aws/default-region': 'eu-central-1', ...annotations };
      this.#namespaces.set(name, await this.cluster.namespace(name, { accountId, annotations: all }));
    }
    const requests = { 'carm-webhook.dev/role': readers };
    await this.namespace('web').addServiceAccount('requests', requests);
    await this.namespace('chained').addServiceAccount('requests', requests);
    const direct = { 'carm-webhook.dev/role': 'direct', 'carm-webhook.dev/credentials': 'web-identity' };
    await this.namespace('chained').addServiceAccount('web', direct);
  }
}
