import type { Container, Volume, VolumeMount } from '../objects/pod.ts';
import { tokenFileVariable } from './environment.ts';
import { pathRelation, segmentsOf } from './path-relation.ts';

/** Names and paths of amazon-eks-pod-identity-webhook: what it injected is ours too. */
export const tokenVolumeName = 'aws-iam-token';
export const tokenMountPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const tokenFileName = 'token';
const tokenMountSegments = segmentsOf(tokenMountPath);
const tokenFileSegments = segmentsOf(`${tokenMountPath}/${tokenFileName}`);

/** The token's path as a container sees it. `mountPath` keeps its slashes on Windows too. */
export function tokenFilePath(windows: boolean): string {
  const path = `${tokenMountPath}/${tokenFileName}`;
  return windows ? `C:${path.replaceAll('/', '\\')}` : path;
}

export interface TokenVolume {
  readonly name: string;
  readonly projected: {
    readonly sources: readonly [
      {
        readonly serviceAccountToken: {
          readonly audience: string;
          readonly expirationSeconds: number;
          readonly path: string;
        };
      },
    ];
  };
}

/** https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken */
export function tokenVolume(audience: string, expirationSeconds: number): TokenVolume {
  const serviceAccountToken = { audience, expirationSeconds, path: tokenFileName };
  return { name: tokenVolumeName, projected: { sources: [{ serviceAccountToken }] } };
}

export const tokenMount = { name: tokenVolumeName, mountPath: tokenMountPath, readOnly: true } as const;

/** Ours: projected, one token of this audience at `token`. Expiration and mode may differ. */
function isOurs(volume: Volume, audience: string): boolean {
  if (volume.projected?.length !== 1) return false;
  const [token] = volume.projected;
  return token !== undefined && token.audience === audience && token.path === tokenFileName;
}

/** Whether the volumes hold our volume, none of its name, or another one under it. */
export function volumeState(volumes: readonly Volume[] | undefined, audience: string): 'ours' | 'absent' | 'foreign' {
  const named = volumes?.filter(volume => volume.name === tokenVolumeName) ?? [];
  if (named.length === 0) return 'absent';
  return named.every(volume => isOurs(volume, audience)) ? 'ours' : 'foreign';
}

/** Whether a container reads its token where ours lies, by what it says itself. */
export function usesTokenFile(container: Container, windows: boolean): boolean {
  const value = container.awsVariables.literal(tokenFileVariable, windows);
  return value !== undefined && pathRelation(value, tokenFileSegments, windows) === 'same';
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
