import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import { BoundNamespace, setAccountMap } from '../e2e/bound-namespace.ts';
import { boundNamespace, type Metadata, roleMap, serviceAccount } from '../e2e/cluster-objects.ts';
import { asList } from '../e2e/manifests.ts';
import type { ControlPlane } from '../testbed/control-plane.ts';
import type { KubectlResult } from '../testbed/kubectl.ts';
import { nodeAddress } from '../testbed/node/node-settings.ts';
import { clientImages } from './images.ts';
import { NodeCluster } from './node-cluster.ts';
import { makeStsCertificate } from './sts-certificate.ts';
import { StsStandIn } from './sts-stand-in.ts';

/** `--service-account-issuer` of the plane. */
const issuer = 'https://kubernetes.default.svc';

/** The one audience that the STS stand-in trusts beside AWS's own. */
export const trustedAudience = 'trusted.example.com';

/** Where hub roles are: the cluster's own account. */
export const clusterAccount = '100000000001';

/** For a file's `before` hook: the first one starts the cluster. */
export const startLimit = { timeout: 180_000 };

type Texts = Readonly<Record<string, string>>;

export interface BoundTeam extends Metadata {
  readonly namespace: string;
  readonly accountId: string;
  /** What the account map has for the account. */
  readonly roleArn: string;
  /** By name, with their annotations. `app` is there without being named. */
  readonly serviceAccounts?: Readonly<Record<string, Texts>>;
}

/**
 * A cluster of one real node and an STS that its pods can ask, for all test files of a process. Files run one after
 * the other. Each takes namespaces of its own, and leaves a webhook that works; runbook.e2e.ts, which breaks it, is the last.
 */
export class SharedCluster {
  readonly cluster: NodeCluster;
  readonly sts: StsStandIn;

  private constructor(cluster: NodeCluster, sts: StsStandIn) {
    this.cluster = cluster;
    this.sts = sts;
  }

  static async start(): Promise<SharedCluster> {
    // Before the images, which trust its CA.
    const certificate = await makeStsCertificate();
    const cluster = await NodeCluster.start({
      images: await clientImages(certificate.caPem),
      webhookFlags: [`--source-accounts=${clusterAccount}`],
    });
    try {
      const sts = await StsStandIn.start({
        address: nodeAddress,
        port: 443,
        issuerPublicKeyPem: readFileSync(cluster.plane.serviceAccountPublicKeyFile, 'utf8'),
        issuer,
        audiences: [trustedAudience],
        certificate,
      });
      return new SharedCluster(cluster, sts);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get plane(): ControlPlane {
    return this.cluster.plane;
  }

  /** `kubectl apply -f` of one file with these objects, in this order. @throws {KubectlFailed} */
  async apply(objects: readonly object[]): Promise<KubectlResult> {
    return this.plane.kubectl(['apply', '-f', '-'], { input: asList(objects) });
  }

  /** An object that must be there. */
  async get<Body>(path: string): Promise<Body> {
    const { status, body } = await this.plane.request<Body>('GET', path);
    assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Adds an account to the map, and a namespace that is bound to it. */
  async bind(team: BoundTeam): Promise<void> {
    const { namespace, accountId, roleArn, serviceAccounts = {}, annotations = {}, labels = {} } = team;
    // Server-side, by a manager for each team: none takes away the entries of another.
    const map = JSON.stringify(roleMap({ [accountId]: roleArn }));
    const flags = ['--server-side', `--field-manager=${namespace}`];
    await this.plane.kubectl(['apply', ...flags, '-f', '-'], { input: map });
    await this.apply([
      boundNamespace(namespace, accountId, { annotations, labels }),
      ...Object.entries({ app: {}, ...serviceAccounts }).map(([name, texts]) => serviceAccount(namespace, name, texts)),
    ]);
  }

  /** A namespace whose pods a test tries one by one; its account is the only one in the map that these namespaces share. */
  async team(name: string, accountId: string, roleArn: string): Promise<BoundNamespace> {
    await setAccountMap(this.plane, { [accountId]: roleArn });
    return BoundNamespace.create(this.plane, name, { accountId });
  }

  /** Ends the pods of a namespace, and does not wait for it: what others measure is not theirs. */
  async remove(...namespaces: readonly string[]): Promise<void> {
    await this.plane.kubectl(['delete', 'namespace', '--wait=false', '--ignore-not-found', ...namespaces]);
  }

  async stop(): Promise<void> {
    await this.sts.stop();
    await this.cluster.stop();
  }
}

let started: Promise<SharedCluster> | undefined;

// A hook of the whole process: it comes after the tests of every file that was loaded into it.
after(async () => {
  const shared = await started?.catch(() => undefined);
  await shared?.stop();
}, startLimit);

/** The cluster of this process, which its first caller starts; with both replicas of the webhook Ready. */
export async function sharedCluster(): Promise<SharedCluster> {
  started ??= SharedCluster.start();
  const shared = await started;
  await shared.cluster.rolledOut();
  return shared;
}
