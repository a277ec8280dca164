import assert from 'node:assert/strict';
import { ControlPlane, type ControlPlaneOptions } from '../testbed/control-plane.ts';
import type { KubectlOptions, KubectlResult } from '../testbed/kubectl.ts';
import { roleMap, type StoredPod } from './cluster-objects.ts';
import { asList } from './manifests.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

export interface ServedPlaneOptions extends ControlPlaneOptions {
  /** Flags of `serve`. */
  readonly flags?: readonly string[];
  /** Flags of Node.js. */
  readonly nodeFlags?: readonly string[];
  /** The account map, by account id; without it there is none. */
  readonly map?: Readonly<Record<string, string>>;
}

/** A control plane whose webhook is the built bundle, installed by the shipped manifests. */
export class ServedPlane {
  readonly plane: ControlPlane;
  readonly webhook: WebhookUnderTest;

  private constructor(plane: ControlPlane, webhook: WebhookUnderTest) {
    this.plane = plane;
    this.webhook = webhook;
  }

  static async start({ flags = [], nodeFlags = [], map, ...options }: ServedPlaneOptions = {}): Promise<ServedPlane> {
    const plane = await ControlPlane.start(options);
    try {
      const webhook = await WebhookUnderTest.start(plane, { flags, nodeFlags });
      const served = new ServedPlane(plane, webhook);
      if (map !== undefined) await served.apply([roleMap(map)]);
      await webhook.install();
      return served;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  /** `kubectl apply -f` of one file with these objects, in this order. @throws {KubectlFailed} */
  async apply(
    objects: readonly object[],
    options: Omit<KubectlOptions, 'input'> & { readonly flags?: readonly string[] } = {},
  ): Promise<KubectlResult> {
    const { flags = [], ...rest } = options;
    const input = objects.length === 1 ? JSON.stringify(objects[0]) : asList(objects);
    return this.plane.kubectl(['apply', '-f', '-', ...flags], { ...rest, input });
  }

  /** An object that must be there. */
  async get<Body>(path: string): Promise<Body> {
    const { status, body } = await this.plane.request<Body>('GET', path);
    assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
    return body;
  }

  async pod(namespace: string, name: string): Promise<StoredPod> {
    return this.get<StoredPod>(`/api/v1/namespaces/${namespace}/pods/${name}`);
  }

  async pods(namespace: string): Promise<readonly StoredPod[]> {
    return (await this.get<{ readonly items: readonly StoredPod[] }>(`/api/v1/namespaces/${namespace}/pods`)).items;
  }

  async stop(): Promise<void> {
    await this.webhook.stop();
    await this.plane.stop();
  }
}

/** What kubectl printed as warnings, without the word. */
export function warningsOf({ stderr }: KubectlResult): readonly string[] {
  const lines = stderr.split('\n').filter(line => line !== '');
  return lines.flatMap(line => (line.startsWith('Warning: ') ? [line.slice('Warning: '.length)] : []));
}
