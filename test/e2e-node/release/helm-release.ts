import assert from 'node:assert/strict';
import { chartFolder, type HelmEnd, runHelm } from '../../deploy/helm.ts';
import type { ControlPlane } from '../../testbed/control-plane.ts';
import { webhookNamespace } from '../node-cluster.ts';

const limitMs = 240_000;

/** The release `carm-webhook` of the chart, in the namespace of the same name, as one Helm handles it. */
export class HelmRelease {
  readonly #plane: ControlPlane;
  readonly #helm: string;
  /** Of whatever changes objects. */
  readonly #flags: readonly string[];

  constructor(plane: ControlPlane, helm: string, flags: readonly string[] = []) {
    this.#plane = plane;
    this.#helm = helm;
    this.#flags = flags;
  }

  async install(values: object, ...flags: readonly string[]): Promise<void> {
    await this.#run(['install', 'carm-webhook', chartFolder, '--values=-', ...flags], values);
  }

  /** With the values that it has, but for some. */
  async upgrade(values: object): Promise<void> {
    await this.#run(['upgrade', 'carm-webhook', chartFolder, '--reuse-values', '--values=-'], values);
  }

  async rollBack(): Promise<void> {
    await this.#run(['rollback', 'carm-webhook']);
  }

  async #run(args: readonly string[], values?: object): Promise<HelmEnd> {
    const end = await runHelm(this.#helm, [...args, ...this.#flags, '--namespace', webhookNamespace], {
      input: values === undefined ? '' : JSON.stringify(values),
      env: { KUBECONFIG: this.#plane.adminKubeconfig },
      timeoutMs: limitMs,
    });
    assert.equal(end.code, 0, `helm ${args.join(' ')}: ${end.stdout}${end.stderr}`);
    return end;
  }
}
