import { type JsonObject, optionalArray, optionalObject, optionalString, requiredObject, stringMap } from './json.ts';

/** One entry of `env`. */
export interface EnvVar {
  readonly name: string;
  /** Absent with `valueFrom`; the API reads an absent value without it as empty. */
  readonly value: string | undefined;
  readonly fromElsewhere: boolean;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  /** `subPath` or `subPathExpr`. */
  readonly partial: boolean;
}

export type ContainerKind = 'container' | 'init container' | 'ephemeral container';

/** What we read of a container. Undefined lists are absent from the object: a patch must create them. */
export interface Container {
  readonly kind: ContainerKind;
  readonly name: string;
  /** JSON Pointer of the container in its pod, such as `/spec/initContainers/0`. */
  readonly path: string;
  readonly env: readonly EnvVar[] | undefined;
  readonly hasEnvFrom: boolean;
  readonly mounts: readonly VolumeMount[] | undefined;
}

export interface ServiceAccountToken {
  readonly audience: string | undefined;
  readonly path: string | undefined;
}

export interface Volume {
  readonly name: string;
  /** Each source of a projected volume: a service account token, or undefined for one of another kind. */
  readonly projected: readonly (ServiceAccountToken | undefined)[] | undefined;
}

/** What we read of a pod; all else in the object is left alone. */
export interface Pod {
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** Whether the object has `metadata` and `metadata.annotations`: a patch must create what is missing. */
  readonly hasMetadata: boolean;
  readonly hasAnnotations: boolean;
  readonly serviceAccountName: string;
  readonly windows: boolean;
  /** In the order of kubelet: init containers (native sidecars among them), containers, ephemeral containers. */
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[] | undefined;
}

function readEnv(list: readonly unknown[] | undefined, path: string): readonly EnvVar[] | undefined {
  return list?.map((item, index) => {
    const at = `${path}/env/${index}`;
    const fields = requiredObject(item, at);
    return {
      name: optionalString(fields, 'name', at) ?? '',
      value: optionalString(fields, 'value', at),
      fromElsewhere: (fields['valueFrom'] ?? undefined) !== undefined,
    };
  });
}

function readMounts(list: readonly unknown[] | undefined, path: string): readonly VolumeMount[] | undefined {
  return list?.map((item, index) => {
    const at = `${path}/volumeMounts/${index}`;
    const fields = requiredObject(item, at);
    return {
      name: optionalString(fields, 'name', at) ?? '',
      mountPath: optionalString(fields, 'mountPath', at) ?? '',
      partial: Boolean(optionalString(fields, 'subPath', at) || optionalString(fields, 'subPathExpr', at)),
    };
  });
}

function readContainers(spec: JsonObject, field: string, kind: ContainerKind): readonly Container[] {
  const list = optionalArray(spec, field, '/spec') ?? [];
  return list.map((item, index) => {
    const path = `/spec/${field}/${index}`;
    const fields = requiredObject(item, path);
    return {
      kind,
      name: optionalString(fields, 'name', path) ?? '',
      path,
      env: readEnv(optionalArray(fields, 'env', path), path),
      hasEnvFrom: (optionalArray(fields, 'envFrom', path) ?? []).length > 0,
      mounts: readMounts(optionalArray(fields, 'volumeMounts', path), path),
    };
  });
}

function readProjected(volume: JsonObject, path: string): Volume['projected'] {
  const projected = optionalObject(volume, 'projected', path);
  if (projected === undefined) return undefined;
  return (optionalArray(projected, 'sources', `${path}/projected`) ?? []).map((item, index) => {
    const at = `${path}/projected/sources/${index}`;
    const token = optionalObject(requiredObject(item, at), 'serviceAccountToken', at);
    if (token === undefined) return undefined;
    return {
      audience: optionalString(token, 'audience', `${at}/serviceAccountToken`),
      path: optionalString(token, 'path', `${at}/serviceAccountToken`),
    };
  });
}

function readVolumes(spec: JsonObject): readonly Volume[] | undefined {
  return optionalArray(spec, 'volumes', '/spec')?.map((item, index) => {
    const path = `/spec/volumes/${index}`;
    const fields = requiredObject(item, path);
    return { name: optionalString(fields, 'name', path) ?? '', projected: readProjected(fields, path) };
  });
}

/** Either label is set by people who wrote for old clusters. https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-os */
const osLabels = ['kubernetes.io/os', 'beta.kubernetes.io/os'];

function isWindows(spec: JsonObject): boolean {
  const os = optionalObject(spec, 'os', '/spec');
  if (os !== undefined && optionalString(os, 'name', '/spec/os') === 'windows') return true;
  const nodeSelector = stringMap(spec, 'nodeSelector', '/spec');
  return osLabels.some(label => nodeSelector.get(label) === 'windows');
}

/**
 * Reads a pod, or a pod template.
 * @throws {MalformedObjectError} when a field that we read has another type than the API gives it.
 */
export function readPod(object: unknown): Pod {
  const fields = requiredObject(object, '');
  const written = optionalObject(fields, 'metadata', '');
  const metadata = written ?? {};
  const spec = optionalObject(fields, 'spec', '') ?? {};
  return {
    labels: stringMap(metadata, 'labels', '/metadata'),
    annotations: stringMap(metadata, 'annotations', '/metadata'),
    hasMetadata: written !== undefined,
    hasAnnotations: optionalObject(metadata, 'annotations', '/metadata') !== undefined,
    serviceAccountName:
      optionalString(spec, 'serviceAccountName', '/spec') ||
      optionalString(spec, 'serviceAccount', '/spec') ||
      'default',
    windows: isWindows(spec),
    containers: [
      ...readContainers(spec, 'initContainers', 'init container'),
      ...readContainers(spec, 'containers', 'container'),
      ...readContainers(spec, 'ephemeralContainers', 'ephemeral container'),
    ],
    volumes: readVolumes(spec),
  };
}
