import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { MountedSecret } from './mounted-secret.ts';

const lookEveryMs = 200;

interface SecretObject {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** Does for one Secret and a folder what kubelet does for a pod's volume: puts the data there, and again when it changes. */
export class SecretKubelet {
  readonly mounted = new MountedSecret();
  /** kubelet brings a changed Secret to its pods late, up to a minute and more: while this is set, not at all. */
  isLate = false;
  readonly #plane: ControlPlane;
  readonly #path: string;
  readonly #keys: readonly string[];
  readonly #stopping = new AbortController();
  #version = '';
  #running: Promise<void> | undefined;

  private constructor(plane: ControlPlane, namespace: string, name: string, keys: readonly string[]) {
    this.#plane = plane;
    this.#path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
    this.#keys = keys;
  }

  /** The files are there when it has started: the Secret must have the keys. */
  static async start(
    plane: ControlPlane,
    namespace: string,
    name: string,
    keys: readonly string[],
  ): Promise<SecretKubelet> {
    const kubelet = new SecretKubelet(plane, namespace, name, keys);
    await kubelet.#look();
    kubelet.#running = kubelet.#run();
    return kubelet;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.mounted.remove();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await sleep(lookEveryMs);
      if (!this.isLate) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { status, body } = await this.#plane.request<SecretObject>('GET', this.#path);
    if (status !== 200) throw new Error(`${this.#path}: ${status} ${JSON.stringify(body)}`);
    if (body.metadata.resourceVersion === this.#version) return;
    this.#version = body.metadata.resourceVersion;
    this.mounted.write(Object.fromEntries(this.#keys.map(key => [key, decoded(body.data?.[key])])));
  }
}

function decoded(value: string | undefined): string {
  if (value === undefined) throw new Error('the Secret lacks a key');
  return Buffer.from(value, 'base64').toString('utf8');
}
