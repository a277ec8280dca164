import { type Container, type EnvVar, type StoredPod, tokenMountPath, type Volume } from './cluster-objects.ts';
import type { PatchOperation, PatchPod } from './patching-webhook.ts';

/**
 * What amazon-eks-pod-identity-webhook does to a pod, in its two ways.
 * https://github.com/aws/amazon-eks-pod-identity-webhook/blob/master/pkg/handler/handler.go (addEnvToContainer, updatePodSpec)
 */
export type PodIdentityWay =
  | { readonly roleArn: string; readonly region?: string; readonly regionalSts?: boolean }
  | { readonly containerCredentials: true; readonly region?: string; readonly regionalSts?: boolean };

const credentialsMountPath = '/var/run/secrets/pods.eks.amazonaws.com/serviceaccount';

/** The last two variables that it appends, and the volume that they need. */
function credentialsOf(way: PodIdentityWay): {
  readonly env: readonly EnvVar[];
  readonly volume: Volume;
  readonly mountPath: string;
} {
  if ('roleArn' in way) {
    return {
      env: [
        { name: 'AWS_ROLE_ARN', value: way.roleArn },
        { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${tokenMountPath}/token` },
      ],
      volume: projectedToken('aws-iam-token', 'sts.amazonaws.com', 'token'),
      mountPath: tokenMountPath,
    };
  }
  const file = 'eks-pod-identity-token';
  return {
    env: [
      { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' },
      { name: 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', value: `${credentialsMountPath}/${file}` },
    ],
    volume: projectedToken(file, 'pods.eks.amazonaws.com', file),
    mountPath: credentialsMountPath,
  };
}

function projectedToken(name: string, audience: string, path: string): Volume {
  return { name, projected: { sources: [{ serviceAccountToken: { audience, expirationSeconds: 86_400, path } }] } };
}

function withCredentials(container: Container, way: PodIdentityWay): Container {
  const has = (name: string): boolean => container.env?.some(variable => variable.name === name) ?? false;
  const { env: pair, volume, mountPath } = credentialsOf(way);
  const regions = ['AWS_DEFAULT_REGION', 'AWS_REGION'];
  const added = [
    ...(way.regionalSts === true && !has('AWS_STS_REGIONAL_ENDPOINTS')
      ? [{ name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' }]
      : []),
    ...(way.region !== undefined && !regions.some(has) ? regions.map(name => ({ name, value: way.region ?? '' })) : []),
    // One of a pair suppresses both.
    ...(pair.some(({ name }) => has(name)) ? [] : pair),
  ];
  const mounts = container.volumeMounts ?? [];
  const mounted = mounts.some(({ name }) => name === volume.name);
  return {
    ...container,
    env: [...(container.env ?? []), ...added],
    volumeMounts: mounted ? mounts : [...mounts, { name: volume.name, readOnly: true, mountPath }],
  };
}

/** The patch that it makes: whole lists of containers, and its volume before all others. */
export function podIdentityPatch(way: PodIdentityWay): PatchPod {
  return ({ spec, metadata }: StoredPod) => {
    const { volume } = credentialsOf(way);
    const patch: PatchOperation[] = [];
    if (spec.volumes === undefined) patch.push({ op: 'add', path: '/spec/volumes', value: [volume] });
    else if (!spec.volumes.some(({ name }) => name === volume.name)) {
      patch.push({ op: 'add', path: '/spec/volumes/0', value: volume });
    }
    for (const list of ['containers', 'initContainers'] as const) {
      const containers = spec[list];
      if (containers === undefined) continue;
      const value = containers.map(container => withCredentials(container, way));
      patch.push({ op: 'add', path: `/spec/${list}`, value });
    }
    if ('containerCredentials' in way) {
      const labels = { ...metadata.labels, 'eks.amazonaws.com/pod-identity': 'enabled' };
      patch.push({ op: 'add', path: '/metadata/labels', value: labels });
    }
    return patch;
  };
}
