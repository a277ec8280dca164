import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { certManagerFolder, isExecutable, TestbedMissing } from './binaries.ts';
import type { ControlPlane } from './control-plane.ts';
import { SupervisedProcess } from './supervised-process.ts';

/** An error to be thrown when cert-manager does not get to work. */
export class CertManagerFailed extends Error {
  override readonly name = 'CertManagerFailed';
  readonly code = 'CertManagerFailed';
}

const readyLimitMs = 30_000;
const pollMs = 100;
const probeIssuer = 'testbed-probe';
const clusterIssuers = '/apis/cert-manager.io/v1/clusterissuers';

interface Conditions {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** The path of its program. @throws {TestbedMissing} */
export function certManagerProgram(): string {
  const program = join(certManagerFolder(), 'cert-manager');
  if (isExecutable(program)) return program;
  throw new TestbedMissing(`${program} is not built: run "make testbed" first (it needs Go)`);
}

/** cert-manager's controllers and cainjector against one control plane, as its administrator. */
export class CertManager {
  readonly pid: number;
  readonly #process: SupervisedProcess;

  private constructor(process: SupervisedProcess) {
    this.#process = process;
    this.pid = process.pid;
  }

  /**
   * Installs cert-manager's CustomResourceDefinitions, starts the controllers and waits until they answer. They also run beside a
   * plane without kube-controller-manager.
   * @throws {TestbedMissing}
   * @throws {CertManagerFailed}
   */
  static async start(plane: ControlPlane): Promise<CertManager> {
    const program = certManagerProgram();
    const definitions = join(certManagerFolder(), 'crds');
    // Server-side: client-side apply would keep a second copy of each schema in an annotation.
    await plane.kubectl(['apply', '--server-side', '-f', definitions]);
    await plane.kubectl(['wait', '--for=condition=Established', '--timeout=20s', '-f', definitions]);
    const manager = new CertManager(
      new SupervisedProcess(program, [], {
        env: { KUBECONFIG: plane.adminKubeconfig },
        logFile: join(plane.logFolder, 'cert-manager.log'),
      }),
    );
    try {
      await manager.#untilReady(plane);
    } catch (error) {
      await manager.stop();
      throw error;
    }
    return manager;
  }

  /** Ends the program and waits until it is gone. What it has made stays. */
  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** A self-signed ClusterIssuer is ready as soon as a controller has seen it. */
  async #untilReady(plane: ControlPlane): Promise<void> {
    const issuer = { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: { name: probeIssuer } };
    const deadline = Date.now() + readyLimitMs;
    for (;;) {
      // Again and again: the API server may take a moment to serve a kind that is established. A second one of the name it refuses.
      await plane.request('POST', clusterIssuers, { ...issuer, spec: { selfSigned: {} } });
      const { body } = await plane.request<Conditions>('GET', `${clusterIssuers}/${probeIssuer}`);
      if (body.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true) {
        break;
      }
      const { end } = this.#process;
      if (end !== undefined || Date.now() > deadline) {
        const why = end === undefined ? `is not ready after ${readyLimitMs} ms` : `ended (${end.code ?? end.signal})`;
        throw new CertManagerFailed(`cert-manager ${why}: see cert-manager.log in ${plane.logFolder}`);
      }
      await sleep(pollMs);
    }
    await plane.request('DELETE', `${clusterIssuers}/${probeIssuer}`);
  }
}
