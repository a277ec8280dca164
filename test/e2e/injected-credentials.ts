import { posix } from 'node:path';

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/#projections */
interface TokenSource {
  readonly audience?: string;
  readonly expirationSeconds?: number;
  readonly path: string;
}

/** What is read of a pod. */
export interface PodObject {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly {
      readonly name: string;
      readonly projected?: { readonly sources: readonly { readonly serviceAccountToken?: TokenSource }[] };
    }[];
  };
}

/** All that a container needs for a role, as kubelet and an SDK would find it. */
export interface InjectedCredentials {
  readonly roleArn: string;
  readonly tokenFile: string;
  /** Where kubelet gets the token from that it puts at `tokenFile`. */
  readonly token: TokenSource;
  /** Every variable of the container. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What kubelet and an SDK would make of one container of a pod. Undefined when any part is missing: role, token file, a
 * mount that has the file, the volume behind it.
 */
export function credentialsOf({ spec }: PodObject, containerName = 'app'): InjectedCredentials | undefined {
  const container = [...spec.containers, ...(spec.initContainers ?? [])].find(({ name }) => name === containerName);
  const env = environmentOf(container);
  const { AWS_ROLE_ARN: roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile } = env;
  if (roleArn === undefined || tokenFile === undefined) return undefined;
  const mount = container?.volumeMounts?.find(({ mountPath }) => mountPath === posix.dirname(tokenFile));
  if (mount?.readOnly !== true) return undefined;
  const sources = spec.volumes?.find(({ name }) => name === mount.name)?.projected?.sources ?? [];
  const token = sources
    .map(({ serviceAccountToken }) => serviceAccountToken)
    .find(source => source?.path === posix.basename(tokenFile));
  return token === undefined ? undefined : { roleArn, tokenFile, token, env };
}

/** The variables of a container, all of which must be literal. */
export function environmentOf(container: Container | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((container?.env ?? []).map(({ name, value = '' }) => [name, value]));
}
