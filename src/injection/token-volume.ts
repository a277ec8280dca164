import type { Container, Volume, VolumeMount } from '../objects/pod.ts';
import { literalValue, tokenFileVariable } from './environment.ts';

/** Names and paths of amazon-eks-pod-identity-webhook: what it injected is ours too. */
export const tokenVolumeName = 'aws-iam-token';
export const tokenMountPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const tokenFileName = 'token';

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

/** What normalising would change: a relative path, `//`, `/.`, `/..`, a slash at the end. */
const needsNormalising = /^[^/]|^$|\/\/|\/\.\.?(?:\/|$)|.\/$/;

/** A path without `.`, `..`, doubled and trailing slashes; for Windows also without drive C:, case and backslashes. */
function normalised(path: string, windows: boolean): string {
  if (!windows && !needsNormalising.test(path)) return path;
  const slashed = windows ? path.replaceAll('\\', '/').replace(/^c:/i, '').toLowerCase() : path;
  // Not node:path, whose time is quadratic in the length: a path may be as long as a pod.
  const segments: string[] = [];
  for (const segment of slashed.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

/** Whether a container reads its token where ours lies, by what it says itself. */
export function usesTokenFile(container: Container, windows: boolean): boolean {
  const value = literalValue(container, tokenFileVariable, windows);
  return value !== undefined && normalised(value, windows) === normalised(tokenFilePath(windows), windows);
}

export type MountState =
  | { readonly kind: 'absent' | 'present' }
  /** Another volume lies at our path or below it, or ours is there in part only. */
  | { readonly kind: 'conflict'; readonly mount: VolumeMount };

export function mountState(container: Container, windows: boolean): MountState {
  const ours = normalised(tokenMountPath, windows);
  let present = false;
  for (const mount of container.mounts ?? []) {
    const path = normalised(mount.mountPath, windows);
    if (path === ours) {
      if (mount.name !== tokenVolumeName || mount.partial) return { kind: 'conflict', mount };
      present = true;
    } else if (path.startsWith(`${ours}/`) && mount.name !== tokenVolumeName) {
      return { kind: 'conflict', mount };
    }
  }
  return { kind: present ? 'present' : 'absent' };
}

/** A mount of another volume above our path: it works, for kubelet mounts ours inside it, but it may hide what the user expects. */
export function mountAbove(container: Container, windows: boolean): VolumeMount | undefined {
  const ours = normalised(tokenMountPath, windows);
  return container.mounts?.find(mount => {
    const path = normalised(mount.mountPath, windows);
    return path === '/' || ours.startsWith(`${path}/`);
  });
}
