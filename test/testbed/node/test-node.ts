import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeProgram } from '../binaries.ts';
import type { ControlPlane } from '../control-plane.ts';
import { lastLines } from '../log-end.ts';
import { SupervisedProcess } from '../supervised-process.ts';
import {
  cniConfig,
  containerdConfig,
  containerdSocket,
  kubeletConfig,
  kubeletFlags,
  kubeProxyConfig,
  kubeSchedulerFlags,
  type NodeFolders,
} from './node-config.ts';
import { nodeName } from './node-settings.ts';
import { cniFolder, NodeRequirementMissing, nodePath } from './requirements.ts';

/** An error to be thrown when a program of the node does not get ready; the message has the end of its log. */
export class NodeFailed extends Error {
  override readonly name = 'NodeFailed';
  readonly code = 'NodeFailed';
}

type Daemon = 'containerd' | 'kube-proxy' | 'kube-scheduler' | 'kubelet';

const readyLimitMs = 90_000;
const importLimitMs = 120_000;
const pollMs = 100;
const stopGraceMs = 10_000;

interface NodeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/**
 * A real node for a control plane that was started for one: containerd, kubelet, kube-proxy and kube-scheduler, in the namespaces of
 * this process, which must be those that run-isolated.ts makes. Pods run in it, and Services lead to them.
 */
export class TestNode {
  readonly #plane: ControlPlane;
  readonly #folders: NodeFolders;
  readonly #controlGroup: string;
  readonly #running = new Map<Daemon, SupervisedProcess>();

  private constructor(plane: ControlPlane, cniPlugins: string, controlGroup: string) {
    this.#plane = plane;
    this.#controlGroup = controlGroup;
    const data = join(plane.dataFolder, 'node');
    this.#folders = {
      data,
      cniPlugins,
      cniConfig: join(data, 'cni'),
      kubeconfig: plane.kubeconfigFor({ user: `system:node:${nodeName}` }),
      podLogs: join(plane.logFolder, 'pods'),
    };
    for (const folder of [this.#folders.cniConfig, this.#folders.podLogs, dirname(containerdSocket)]) {
      mkdirSync(folder, { recursive: true });
    }
  }

  /**
   * Starts a node and waits until it is Ready.
   * @throws {NodeRequirementMissing} outside namespaces of its own
   * @throws {TestbedMissing} when a program is not there
   * @throws {NodeFailed} when one does not get ready
   */
  static async start(plane: ControlPlane, images: readonly string[] = []): Promise<TestNode> {
    const controlGroup = process.env['NODE_CONTROL_GROUP'];
    const cniPlugins = cniFolder();
    if (controlGroup === undefined || cniPlugins === undefined) {
      throw new NodeRequirementMissing('a node runs in namespaces of its own only: start it by run-isolated.ts');
    }
    const node = new TestNode(plane, cniPlugins, controlGroup);
    try {
      await node.#startContainerd();
      for (const image of images) await node.importImage(image);
      node.#startOthers();
      await node.#untilReady();
      return node;
    } catch (error) {
      await node.stop();
      throw error;
    }
  }

  /** Makes the images of an archive (OCI or Docker) known to the node. */
  async importImage(archive: string): Promise<void> {
    await this.#ctr(['images', 'import', archive], importLimitMs);
  }

  /** Forgets an image, `REGISTRY/REPOSITORY:TAG`, as a new node in this one's place would not have it. Its containers run on. */
  async removeImage(image: string): Promise<void> {
    await this.#ctr(['images', 'rm', '--sync', image], stopGraceMs);
  }

  /** Stops kubelet (SIGKILL, as a crash would) and starts it again; containers run on meanwhile. */
  async restartKubelet(): Promise<void> {
    await this.#running.get('kubelet')?.stop(0);
    this.#spawnKubelet();
    await this.#until('kubelet', () => kubeletAnswers());
  }

  /** Ends every program, with all containers, and waits until they are gone. */
  async stop(): Promise<void> {
    for (const daemon of ['kube-scheduler', 'kube-proxy', 'kubelet'] as const) await this.#stop(daemon);
    if (this.#running.has('containerd')) {
      // Containers outlive containerd: their shims hold them.
      const tasks = await this.#ctr(['tasks', 'ls', '-q'], stopGraceMs).catch(() => '');
      for (const task of tasks.split('\n').filter(id => id !== '')) {
        await this.#ctr(['tasks', 'rm', '--force', task], stopGraceMs).catch(() => undefined);
      }
    }
    await this.#stop('containerd');
    await this.#unmount();
  }

  /** What is still mounted under the node's folder, which could not be removed else. Other namespaces do not see it. */
  async #unmount(): Promise<void> {
    const points = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .flatMap(line => line.split(' ')[1] ?? [])
      .filter(point => point.startsWith(`${this.#folders.data}/`));
    if (points.length > 0) {
      await new SupervisedProcess('umount', ['--lazy', ...points.reverse()]).wait(stopGraceMs);
    }
  }

  async #startContainerd(): Promise<void> {
    const configFile = this.#write('containerd.toml', containerdConfig(this.#folders));
    this.#write('cni/10-pods.conflist', cniConfig());
    this.#spawn('containerd', [`--config=${configFile}`]);
    await this.#until('containerd', async () => {
      await this.#ctr(['version'], stopGraceMs);
      return true;
    });
  }

  #startOthers(): void {
    const proxyKubeconfig = this.#plane.kubeconfigFor({ user: 'system:kube-proxy' });
    const schedulerKubeconfig = this.#plane.kubeconfigFor({ user: 'system:kube-scheduler' });
    this.#spawn('kube-proxy', [`--config=${this.#write('kube-proxy.json', kubeProxyConfig(proxyKubeconfig))}`]);
    this.#spawn('kube-scheduler', kubeSchedulerFlags(schedulerKubeconfig));
    this.#write('kubelet.json', kubeletConfig(this.#folders, this.#controlGroup));
    this.#spawnKubelet();
  }

  #spawnKubelet(): void {
    this.#spawn('kubelet', kubeletFlags(this.#folders, join(this.#folders.data, 'kubelet.json')));
  }

  async #untilReady(): Promise<void> {
    await this.#until('kubelet', async () => {
      const { body } = await this.#plane.request<NodeObject>('GET', `/api/v1/nodes/${nodeName}`);
      return body.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
    });
  }

  #write(name: string, content: string): string {
    const file = join(this.#folders.data, name);
    writeFileSync(file, content);
    return file;
  }

  #spawn(daemon: Daemon, flags: readonly string[]): void {
    const program = nodeProgram(daemon);
    const env = { PATH: `${dirname(program)}:${nodePath()}` };
    this.#running.set(daemon, new SupervisedProcess(program, flags, { env, logFile: this.#logOf(daemon) }));
  }

  async #stop(daemon: Daemon): Promise<void> {
    await this.#running.get(daemon)?.stop(stopGraceMs);
    this.#running.delete(daemon);
  }

  #logOf(daemon: Daemon): string {
    return join(this.#plane.logFolder, `${daemon}.log`);
  }

  async #until(daemon: Daemon, isReady: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + readyLimitMs;
    while (!(await isReady().catch(() => false))) {
      const end = this.#running.get(daemon)?.end;
      if (end !== undefined || Date.now() > deadline) {
        const why = end === undefined ? `is not ready after ${readyLimitMs} ms` : `ended (${end.code ?? end.signal})`;
        const log = this.#logOf(daemon);
        throw new NodeFailed(`${daemon} ${why}; the end of ${log}:\n${lastLines(log)}`);
      }
      await sleep(pollMs);
    }
  }

  async #ctr(args: readonly string[], limitMs: number): Promise<string> {
    const flags = [`--address=${containerdSocket}`, '--namespace=k8s.io'];
    const ctr = new SupervisedProcess(nodeProgram('ctr'), [...flags, ...args]);
    const output = Promise.all([ctr.stdout, ctr.stderr].map(stream => (stream === null ? '' : text(stream))));
    const end = await ctr.wait(limitMs);
    if (end === undefined) ctr.signal('SIGKILL');
    const [stdout = '', stderr = ''] = await output;
    if (end?.code !== 0) throw new NodeFailed(`ctr ${args.join(' ')}: ${stderr.trim() || 'no answer in time'}`);
    return stdout;
  }
}

/** https://kubernetes.io/docs/reference/node/kubelet-endpoints/ */
async function kubeletAnswers(): Promise<boolean> {
  return (await fetch('http://127.0.0.1:10248/healthz', { signal: AbortSignal.timeout(pollMs * 20) })).ok;
}
