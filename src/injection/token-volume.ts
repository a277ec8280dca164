import type { Container, Pod, Volume, VolumeMount } from '../objects/pod.ts';
import { placeOf, segmentsOf } from './path-relation.ts';
import type { PodVolumes } from './pod-volumes.ts';

/** Names and paths of amazon-eks-pod-identity-webhook, in every mode: what it injected is ours too. */
export const tokenVolumeName = 'aws-iam-token';
export const tokenMountPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const tokenMountSegments = segmentsOf(tokenMountPath);
/** The same folder in most images of Linux, where `/var/run` is a link: https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ch05s13.html */
const linkedSegments = segmentsOf(tokenMountPath.slice('/var'.length));

export const tokenMount = { name: tokenVolumeName, mountPath: tokenMountPath, readOnly: true } as const;

/** A file of our volume, where our mount shows it. */
export class MountedFile {
  /** Its path in the volume. */
  readonly name: string;
  readonly #path: string;
  readonly #segments: readonly string[];

  constructor(name: string) {
    this.name = name;
    this.#path = `${tokenMountPath}/${name}`;
    this.#segments = segmentsOf(this.#path);
  }

  /** As a container sees it. `mountPath` keeps its slashes on Windows too. */
  path(windows: boolean): string {
    return windows ? `C:${this.#path.replaceAll('/', '\\')}` : this.#path;
  }

  /**
   * Whether a path of a variable leads to it, however it is written. Where one with a reference leads is not known: kubelet expands it.
   * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
   */
  isAt(path: string, windows: boolean): boolean {
    return !path.includes('$(') && placeOf(path, this.#segments, windows).relation === 'same';
  }
}

/** What SDKs show to STS. */
export const tokenFile = new MountedFile('token');
/** The AWS config file of chain mode. */
export const configFile = new MountedFile('config');

export type VolumeState = 'ours' | 'absent' | 'foreign';

/** Whether the volumes hold our volume, none of its name, or another one under it. */
export function volumeState(volumes: readonly Volume[] | undefined, isOurs: (volume: Volume) => boolean): VolumeState {
  const named = volumes?.filter(volume => volume.name === tokenVolumeName) ?? [];
  if (named.length === 0) return 'absent';
  return named.every(isOurs) ? 'ours' : 'foreign';
}

/** A mount that keeps ours from its place. */
export interface MountConflict {
  readonly mount: VolumeMount;
  /** `at` is at our path or below it. Above is an `emptyDir` that is read-only, so that nobody can make our mount point in it. */
  readonly where: 'at' | 'above';
}

/** What lies at our path, below it and above it in a container. */
export interface MountsAtToken {
  readonly present: boolean;
  readonly conflict: MountConflict | undefined;
  readonly nestedIn: NestedIn | undefined;
}

/** A read-only mount above ours: the container starts only if what it shows has the folder for our mount. */
export interface NestedIn {
  readonly mount: VolumeMount;
  /** Seen from there. */
  readonly folder: string;
}

const noMounts: MountsAtToken = { present: false, conflict: undefined, nestedIn: undefined };

/**
 * Whether a container starts with our mount below another one. The runtime makes the mount point where the volume can be
 * written, and kubelet does in volumes that it fills. test/e2e-node/credentials-mounts.e2e.ts runs each of these.
 */
function startsBelow(
  mount: VolumeMount,
  container: Container,
  volumes: PodVolumes,
  { windows }: Pod,
): 'always' | 'with the folder' | 'never' {
  const content = volumes.contentOf(mount.name);
  // The API server takes no mount of a volume that is not there.
  if (content === undefined) return 'always';
  // kubelet makes the folder at the top of the volume, so not in a part of it.
  if (content.from === 'kubelet') return mount.hasSubPath ? 'with the folder' : 'always';
  if (!mount.readOnly && !content.readOnly) return 'always';
  const staysEmpty = content.from === 'emptyDir' && !volumes.isWrittenBeside(mount.name, container);
  return staysEmpty && !windows ? 'never' : 'with the folder';
}

/** The same for a mount at `/run` or in it. kubelet goes by paths as they are written, so there it makes no folder. */
function startsBehindLink(mount: VolumeMount, volumes: PodVolumes): boolean {
  const content = volumes.contentOf(mount.name);
  return content === undefined || !(content.from === 'kubelet' || mount.readOnly || content.readOnly);
}

/** Looks at each mount of a container once. Of those above our path the nearest decides. */
export function lookAtMounts(container: Container, pod: Pod, volumes: PodVolumes): MountsAtToken {
  const { windows } = pod;
  let present = false;
  let conflict: MountConflict | undefined;
  let nearest: VolumeMount | undefined;
  let depth = -1;
  let nearestBehindLink: VolumeMount | undefined;
  let depthBehindLink = 0;
  for (const mount of container.mounts ?? []) {
    const { relation, shared } = placeOf(mount.mountPath, tokenMountSegments, windows);
    if (relation === 'above') {
      if (shared > depth) [nearest, depth] = [mount, shared];
    } else if (relation === 'same') {
      if (mount.name === tokenVolumeName && !mount.hasSubPath) present = true;
      else conflict ??= { mount, where: 'at' };
    } else if (relation === 'below') {
      if (mount.name !== tokenVolumeName) conflict ??= { mount, where: 'at' };
    } else if (shared === 0 && !windows) {
      const linked = placeOf(mount.mountPath, linkedSegments, windows);
      if (linked.relation === 'above' && linked.shared > depthBehindLink) {
        [nearestBehindLink, depthBehindLink] = [mount, linked.shared];
      }
    }
  }
  let nestedIn: NestedIn | undefined;
  if (nearest !== undefined) {
    const starts = startsBelow(nearest, container, volumes, pod);
    if (starts === 'never') conflict ??= { mount: nearest, where: 'above' };
    if (starts === 'with the folder') nestedIn = { mount: nearest, folder: tokenMountSegments.slice(depth).join('/') };
  } else if (nearestBehindLink !== undefined && !startsBehindLink(nearestBehindLink, volumes)) {
    nestedIn = { mount: nearestBehindLink, folder: linkedSegments.slice(depthBehindLink).join('/') };
  }
  if (!present && conflict === undefined && nestedIn === undefined) return noMounts;
  return { present, conflict, nestedIn };
}
