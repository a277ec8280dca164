import type { Container, Volume, VolumeMount } from '../objects/pod.ts';
import { pathRelation, segmentsOf } from './path-relation.ts';

/** Names and paths of amazon-eks-pod-identity-webhook, in every mode: what it injected is ours too. */
export const tokenVolumeName = 'aws-iam-token';
export const tokenMountPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const tokenMountSegments = segmentsOf(tokenMountPath);

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

  /** Whether a path leads to it, however it is written. */
  isAt(path: string, windows: boolean): boolean {
    return pathRelation(path, this.#segments, windows) === 'same';
  }
}

/** Whether the volumes hold our volume, none of its name, or another one under it. */
export function volumeState(
  volumes: readonly Volume[] | undefined,
  isOurs: (volume: Volume) => boolean,
): 'ours' | 'absent' | 'foreign' {
  const named = volumes?.filter(volume => volume.name === tokenVolumeName) ?? [];
  if (named.length === 0) return 'absent';
  return named.every(isOurs) ? 'ours' : 'foreign';
}

/** What lies at our path, below it and above it in a container. */
export interface MountsAtToken {
  readonly state: 'absent' | 'present' | 'conflict';
  /** Another volume at our path or below it, or ours there in part only. */
  readonly conflict: VolumeMount | undefined;
  /** Another volume above our path: it works, for kubelet mounts ours inside it, but it may hide what the user expects. */
  readonly above: VolumeMount | undefined;
}

const noMounts: MountsAtToken = { state: 'absent', conflict: undefined, above: undefined };

/** Looks at each mount of a container once. */
export function lookAtMounts({ mounts = [] }: Container, windows: boolean): MountsAtToken {
  let present = false;
  let conflict: VolumeMount | undefined;
  let above: VolumeMount | undefined;
  for (const mount of mounts) {
    const relation = pathRelation(mount.mountPath, tokenMountSegments, windows);
    if (relation === 'apart') continue;
    if (relation === 'above') {
      above ??= mount;
    } else if (relation === 'same') {
      if (mount.name === tokenVolumeName && !mount.hasSubPath) present = true;
      else conflict ??= mount;
    } else if (mount.name !== tokenVolumeName) {
      conflict ??= mount;
    }
  }
  if (conflict === undefined && above === undefined && !present) return noMounts;
  return { state: conflict !== undefined ? 'conflict' : present ? 'present' : 'absent', conflict, above };
}
