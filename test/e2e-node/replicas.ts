import assert from 'node:assert/strict';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { type ControlGroup, containerControlGroup } from './control-group.ts';
import { webhookNamespace } from './node-cluster.ts';

interface PodObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly containerID?: string; readonly restartCount: number }[];
  };
}

/** A pod of the webhook, as it was when it was looked at. */
export class Replica {
  readonly name: string;
  readonly address: string;
  readonly restarts: number;
  readonly #uid: string;
  readonly #containerId: string;

  constructor({ metadata, status }: PodObject) {
    const [container] = status.containerStatuses ?? [];
    this.name = metadata.name;
    this.address = status.podIP ?? '';
    this.restarts = container?.restartCount ?? Number.NaN;
    this.#uid = metadata.uid;
    this.#containerId = container?.containerID?.replace('containerd://', '') ?? '';
  }

  get url(): string {
    return `https://${this.address}:8443`;
  }

  get opsUrl(): string {
    return `http://${this.address}:8080`;
  }

  /** What its container has used until now. @throws {Error} when that container is gone */
  controlGroup(): ControlGroup {
    return containerControlGroup(this.#uid, this.#containerId);
  }
}

function isReady({ metadata, status }: PodObject): boolean {
  const isTrue = status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return metadata.deletionTimestamp === undefined && isTrue === true;
}

/** The Ready replicas that are to stay. */
export async function readyReplicas(plane: ControlPlane): Promise<readonly Replica[]> {
  const path = `/api/v1/namespaces/${webhookNamespace}/pods?labelSelector=app.kubernetes.io%2Fname%3Dcarm-webhook`;
  const { status, body } = await plane.request<{ readonly items: readonly PodObject[] }>('GET', path);
  assert.equal(status, 200);
  return body.items.filter(isReady).map(item => new Replica(item));
}
