import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { BoundNamespace, type BoundNamespaceOptions, setAccountMap } from '../e2e/bound-namespace.ts';
import { WebhookUnderTest } from '../e2e/webhook-under-test.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { AwsClient, type ClientAnswer, type ClientName, clientFolder, clientNames } from './aws-client.ts';
import { type IamAccount, serviceTrust, webIdentityTrust } from './iam-account.ts';
import { KubeletVolumes, type MountedPod } from './kubelet-volumes.ts';
import { MetadataService } from './metadata-service.ts';
import { issuerOf } from './plane-issuer.ts';
import { PodIdentityAgent } from './pod-identity-agent.ts';
import { type Aws, startAws } from './start-aws.ts';

/** The cluster's account: hub roles, the node's role. */
export const hubAccount = '111111111111';

export interface AwsSceneOptions {
  /** Flags of `serve`. */
  readonly flags?: readonly string[];
  /** The account map, by account id. */
  readonly map: Readonly<Record<string, string>>;
}

/**
 * A control plane with the shipped webhook, AWS, the metadata service of a node that hands out the node's role, and the agent of EKS
 * Pod Identity that hands out the role `pod-identity` of the hub account.
 */
export class AwsScene {
  readonly plane: ControlPlane;
  readonly aws: Aws;
  /** Of the tokens of ServiceAccounts. */
  readonly issuer: string;
  readonly metadata: MetadataService;
  readonly agent: PodIdentityAgent;
  readonly #webhook: WebhookUnderTest;

  private constructor(
    plane: ControlPlane,
    webhook: WebhookUnderTest,
    aws: Aws,
    issuer: string,
    metadata: MetadataService,
    agent: PodIdentityAgent,
  ) {
    this.plane = plane;
    this.#webhook = webhook;
    this.aws = aws;
    this.issuer = issuer;
    this.metadata = metadata;
    this.agent = agent;
  }

  static async start({ flags = [], map }: AwsSceneOptions): Promise<AwsScene> {
    const [plane, aws] = await Promise.all([ControlPlane.start(), startAws()]);
    const webhook = await WebhookUnderTest.start(plane, { flags: [`--source-accounts=${hubAccount}`, ...flags] });
    await webhook.install();
    await setAccountMap(plane, map);
    const { issuer, keys } = await issuerOf(plane);
    aws.setIssuerKeys(issuer, keys);
    const hub = aws.iam(hubAccount);
    const node = await hub.createRole({ name: 'node', trust: serviceTrust('ec2.amazonaws.com') });
    await hub.createRole({ name: 'pod-identity', trust: serviceTrust('pods.eks.amazonaws.com') });
    const metadata = await MetadataService.start(aws, node);
    const agent = await PodIdentityAgent.start(aws, hub.roleArn('pod-identity'));
    return new AwsScene(plane, webhook, aws, issuer, metadata, agent);
  }

  async stop(): Promise<void> {
    await this.agent.stop();
    await this.metadata.stop();
    await this.#webhook.stop();
    await this.aws.stop();
    await this.plane.stop();
  }

  /** Registers the cluster's issuer in an account. */
  async account(id: string): Promise<IamAccount> {
    const account = this.aws.iam(id);
    await account.createOidcProvider(this.issuer);
    return account;
  }

  /** Trusts ServiceAccounts of the cluster, each as NAMESPACE:NAME. */
  trusting(account: IamAccount, ...serviceAccounts: readonly string[]): object {
    return webIdentityTrust(
      account,
      this.issuer,
      serviceAccounts.map(each => `system:serviceaccount:${each}`),
    );
  }

  async namespace(name: string, options: BoundNamespaceOptions): Promise<BoundNamespace> {
    return BoundNamespace.create(this.plane, name, options);
  }

  /** A pod as it is stored: what kubelet gets. */
  async pod(namespace: BoundNamespace, spec: object = {}, metadata: object = {}): Promise<MountedPod> {
    const { status, body } = await namespace.createPod(spec, metadata);
    assert.equal(status, 201, body.message);
    const path = `/api/v1/namespaces/${namespace.name}/pods/${body.metadata.name}`;
    return (await this.plane.request<MountedPod>('GET', path)).body;
  }

  /** Starts the clients in one container of a pod: with its environment and its volumes, and nothing else but the endpoint. */
  async clientsIn(
    pod: MountedPod,
    options: {
      readonly names?: readonly ClientName[];
      readonly container?: string;
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<PodClients> {
    const { names = clientNames, container, env = {} } = options;
    const volumes = await KubeletVolumes.of(this.plane, pod, container);
    return new PodClients(names, volumes, { ...volumes.env, AWS_ENDPOINT_URL_STS: this.aws.endpoint, ...env });
  }
}

/** Several SDKs in the same container. */
export class PodClients {
  readonly volumes: KubeletVolumes;
  readonly #clients: readonly AwsClient[];
  readonly #homes: readonly string[];

  constructor(names: readonly ClientName[], volumes: KubeletVolumes, env: Readonly<Record<string, string>>) {
    this.volumes = volumes;
    this.#homes = names.map(clientFolder);
    this.#clients = names.map(
      (name, index) => new AwsClient(name, { env, mounts: volumes.mounts, home: this.#homes[index] ?? '' }),
    );
  }

  /** All at the same time. */
  async ask(): Promise<ReadonlyMap<ClientName, ClientAnswer>> {
    return new Map(await Promise.all(this.#clients.map(async client => [client.name, await client.ask()] as const)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map(client => client.stop()));
    for (const home of this.#homes) rmSync(home, { recursive: true, force: true });
    this.volumes.remove();
  }
}
