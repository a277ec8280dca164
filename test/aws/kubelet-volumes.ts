import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readWebIdentityClaims } from '../e2e-node/web-identity-token.ts';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { type ClientMount, clientFolder } from './aws-client.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/#projections */
interface ProjectedSource {
  readonly serviceAccountToken?: {
    readonly audience?: string;
    readonly expirationSeconds?: number;
    readonly path: string;
  };
  readonly downwardAPI?: {
    readonly items: readonly { readonly path: string; readonly fieldRef: { readonly fieldPath: string } }[];
  };
}

/** What is read of a stored pod. */
export interface MountedPod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly MountedContainer[];
    readonly initContainers?: readonly MountedContainer[];
    readonly ephemeralContainers?: readonly MountedContainer[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly projected?: { readonly sources: readonly ProjectedSource[] };
    }[];
  };
}

interface MountedContainer {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

/** The projected volumes of a pod's container, filled as kubelet fills them, and its environment. */
export class KubeletVolumes {
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly ClientMount[];
  /** Of the tokens that are there now. */
  tokenIds: readonly (string | undefined)[] = [];
  readonly #plane: ControlPlane;
  readonly #pod: MountedPod;
  readonly #volumes: readonly { readonly folder: string; readonly sources: readonly ProjectedSource[] }[];

  private constructor(plane: ControlPlane, pod: MountedPod, containerName: string) {
    this.#plane = plane;
    this.#pod = pod;
    const { containers, initContainers = [], ephemeralContainers = [], volumes = [] } = pod.spec;
    const container = [...containers, ...initContainers, ...ephemeralContainers].find(
      ({ name }) => name === containerName,
    );
    assert.ok(container !== undefined, `the pod has no container ${containerName}`);
    const filled = (container.volumeMounts ?? []).flatMap(({ name, mountPath }) => {
      const sources = volumes.find(volume => volume.name === name)?.projected?.sources;
      return sources === undefined ? [] : [{ path: mountPath, folder: clientFolder(), sources }];
    });
    this.mounts = filled;
    this.#volumes = filled;
    this.env = Object.fromEntries(
      (container.env ?? []).map(({ name, value = '', valueFrom }) => {
        assert.equal(valueFrom, undefined, `${name} is not literal`);
        return [name, value];
      }),
    );
  }

  static async of(plane: ControlPlane, pod: MountedPod, container = 'app'): Promise<KubeletVolumes> {
    const volumes = new KubeletVolumes(plane, pod, container);
    try {
      await volumes.fill();
      return volumes;
    } catch (error) {
      volumes.remove();
      throw error;
    }
  }

  /** Writes every file anew, with new tokens: as kubelet does from time to time. */
  async fill(): Promise<void> {
    const ids: (string | undefined)[] = [];
    for (const { folder, sources } of this.#volumes) {
      for (const { serviceAccountToken, downwardAPI } of sources) {
        if (serviceAccountToken !== undefined) {
          const token = await this.#token(serviceAccountToken);
          ids.push(readWebIdentityClaims(token).jti);
          write(join(folder, serviceAccountToken.path), token);
        }
        for (const { path, fieldRef } of downwardAPI?.items ?? [])
          write(join(folder, path), this.#field(fieldRef.fieldPath));
      }
    }
    this.tokenIds = ids;
  }

  /** The file on the host, by its path in the container. */
  file(path: string): string {
    const mount = this.mounts.find(({ path: mountPath }) => path.startsWith(`${mountPath}/`));
    assert.ok(mount !== undefined, `${path} is in no volume`);
    return join(mount.folder, path.slice(mount.path.length));
  }

  remove(): void {
    for (const { folder } of this.#volumes) rmSync(folder, { recursive: true, force: true });
  }

  /** Bound to the pod. https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
  async #token({ audience, expirationSeconds }: { readonly audience?: string; readonly expirationSeconds?: number }) {
    const { namespace, name, uid } = this.#pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${this.#pod.spec.serviceAccountName}/token`;
    const answer = await this.#plane.request<{ readonly status?: { readonly token?: string } }>('POST', path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === undefined ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body.status?.token ?? '';
  }

  /** kubelet writes an empty file for an annotation that is not there. */
  #field(fieldPath: string): string {
    // In the volume of every pod that mounts its token for the API server.
    if (fieldPath === 'metadata.namespace') return this.#pod.metadata.namespace;
    const [, key] = /^metadata\.annotations\['([^']+)'\]$/.exec(fieldPath) ?? [];
    assert.ok(key !== undefined, `${fieldPath} is no annotation`);
    return this.#pod.metadata.annotations?.[key] ?? '';
  }
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
