import { untilCaInjected } from '../e2e/ca-injection.ts';
import { boundNamespace, injectLabel, namespace } from '../e2e/cluster-objects.ts';
import { eventually } from '../e2e/eventually.ts';
import { asList, type Manifest, renderBesideDeploy } from '../e2e/manifests.ts';
import { CertManager } from '../testbed/cert-manager.ts';
import { ControlPlane, type ControlPlaneOptions } from '../testbed/control-plane.ts';
import { TestNode } from '../testbed/node/test-node.ts';
import { builtImage, nodeImages } from './images.ts';

export const webhookNamespace = 'carm-webhook';
const rolloutLimitMs = 120_000;
const serviceLimitMs = 20_000;

export interface NodeClusterOptions {
  /** Archives of images, beside those that every node has. */
  readonly images?: readonly string[];
  readonly apiServerFlags?: ControlPlaneOptions['apiServerFlags'];
  /** Flags of `serve`, added to those of `deploy/`. */
  readonly webhookFlags?: readonly string[];
}

/** A cluster of one real node, with cert-manager, and the webhook as `deploy/` ships it. */
export class NodeCluster {
  readonly plane: ControlPlane;
  readonly node: TestNode;
  #certManager: CertManager | undefined;

  private constructor(plane: ControlPlane, node: TestNode, certManager: CertManager) {
    this.plane = plane;
    this.node = node;
    this.#certManager = certManager;
  }

  /** Starts it and waits until both replicas are Ready and the API server has cert-manager's CA. */
  static async start(options: NodeClusterOptions = {}): Promise<NodeCluster> {
    const { images = [], apiServerFlags = [], webhookFlags = [] } = options;
    const webhook = builtImage();
    const archives = [...(await nodeImages()), webhook.archive, ...images];
    const plane = await ControlPlane.start({ node: true, apiServerFlags });
    const ending: (() => Promise<void>)[] = [() => plane.stop()];
    try {
      const node = await TestNode.start(plane, archives);
      ending.unshift(() => node.stop());
      const certManager = await CertManager.start(plane);
      ending.unshift(() => certManager.stop());
      const cluster = new NodeCluster(plane, node, certManager);
      await cluster.#install(webhook.name, webhookFlags);
      return cluster;
    } catch (error) {
      for (const end of ending) await end();
      throw error;
    }
  }

  async #install(webhookImage: string, flags: readonly string[]): Promise<void> {
    const [newName, newTag] = webhookImage.split(':');
    const image = { name: 'registry.invalid/carm-webhook', newName, newTag };
    const added = flags.map(value => ({ op: 'add', path: '/spec/template/spec/containers/0/args/-', value }));
    const patches = added.length === 0 ? [] : [{ target: { kind: 'Deployment' }, patch: JSON.stringify(added) }];
    const manifests: readonly Manifest[] = await renderBesideDeploy({ images: [image], patches });
    await this.plane.kubectl(['apply', '-f', '-'], { input: asList([namespace('ack-system'), ...manifests]) });
    await this.rolledOut();
    await untilCaInjected(this.plane);
    await eventually('the API server reaches the webhook by its Service', () => this.#isCalled(), serviceLimitMs);
  }

  /** kube-proxy learns of Ready replicas a moment after the Deployment's status. */
  async #isCalled(): Promise<true | undefined> {
    const path = '/api/v1/namespaces?dryRun=All';
    const { status, body } = await this.plane.request<Manifest>('POST', path, boundNamespace('probe', '111122223333'));
    return status === 201 && JSON.stringify(body.metadata).includes(`"${injectLabel}":"enabled"`) ? true : undefined;
  }

  /** Waits until all replicas of the newest template are there and no others. */
  async rolledOut(limitMs = rolloutLimitMs): Promise<void> {
    const seconds = Math.ceil(limitMs / 1000);
    const args = ['rollout', 'status', 'deployment/carm-webhook', '-n', webhookNamespace, `--timeout=${seconds}s`];
    await this.plane.kubectl(args, { timeoutMs: limitMs + 5000 });
  }

  async stopCertManager(): Promise<void> {
    await this.#certManager?.stop();
    this.#certManager = undefined;
  }

  async startCertManager(): Promise<void> {
    this.#certManager ??= await CertManager.start(this.plane);
  }

  async stop(): Promise<void> {
    await this.stopCertManager();
    await this.node.stop();
    await this.plane.stop();
  }
}
