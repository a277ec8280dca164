import { AwsVariables } from './aws-variables.ts';
import { type JsonObject, optionalArray, optionalObject, optionalString, requiredObject } from './json.ts';
import type { KeyedStrings, PodAnnotation, PodLabel } from './keys.ts';
import { readWrittenMetadata, type WrittenMetadata } from './metadata.ts';
import { SizeMeter } from './object-size.ts';
import { readWindowsUse, type WindowsUse } from './operating-system.ts';
import { readVolumeContent, type VolumeContent } from './volume-content.ts';

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  /** `subPath` or `subPathExpr`. */
  readonly hasSubPath: boolean;
  readonly readOnly: boolean;
}

export type ContainerKind = 'container' | 'init container' | 'ephemeral container';

export interface Container {
  readonly kind: ContainerKind;
  readonly name: string;
  /** JSON Pointer of the container in its pod, such as `/spec/initContainers/0`. */
  readonly path: string;
  /** Whether the object has a list `env`: a patch must create a missing one. */
  readonly hasEnv: boolean;
  readonly awsVariables: AwsVariables;
  readonly hasEnvFrom: boolean;
  /** Undefined where the object has no such list. */
  readonly mounts: readonly VolumeMount[] | undefined;
}

export interface ServiceAccountToken {
  readonly audience: string | undefined;
  readonly path: string | undefined;
}

/** A file that holds one field of the pod. */
export interface FieldFile {
  readonly path: string | undefined;
  /** Such as `metadata.labels`. */
  readonly fieldPath: string | undefined;
}

/** A source of a projected volume: a token, the downward API with a single file, or undefined for anything else. */
export type ProjectedSource =
  | { readonly kind: 'token'; readonly token: ServiceAccountToken }
  | { readonly kind: 'field'; readonly file: FieldFile }
  | undefined;

export interface Volume {
  readonly name: string;
  /** Each source of a projected volume. */
  readonly projected: readonly ProjectedSource[] | undefined;
  readonly content: VolumeContent;
}

/** What we read of a pod; all else in the object is left alone. */
export interface Pod extends Omit<WrittenMetadata, 'labels' | 'annotations'> {
  readonly labels: KeyedStrings<PodLabel>;
  readonly annotations: KeyedStrings<PodAnnotation>;
  readonly serviceAccountName: string;
  /** Whether it runs on Windows for certain. */
  readonly windows: boolean;
  readonly windowsUse: WindowsUse;
  /** In the order of kubelet: init containers (native sidecars among them), containers, ephemeral containers. */
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[] | undefined;
}

function readMounts(
  list: readonly unknown[] | undefined,
  path: string,
  meter: SizeMeter,
): readonly VolumeMount[] | undefined {
  if (list === undefined) return undefined;
  meter.add('volume mounts', list.length);
  return list.map((item, index) => {
    const at = `${path}/volumeMounts/${index}`;
    const fields = requiredObject(item, at);
    return {
      name: optionalString(fields, 'name', at) ?? '',
      mountPath: optionalString(fields, 'mountPath', at) ?? '',
      hasSubPath: Boolean(optionalString(fields, 'subPath', at) || optionalString(fields, 'subPathExpr', at)),
      readOnly: fields['readOnly'] === true,
    };
  });
}

function readContainers(spec: JsonObject, field: string, kind: ContainerKind, meter: SizeMeter): readonly Container[] {
  const list = optionalArray(spec, field, '/spec') ?? [];
  meter.add('containers', list.length);
  return list.map((item, index) => {
    const path = `/spec/${field}/${index}`;
    const fields = requiredObject(item, path);
    const env = optionalArray(fields, 'env', path);
    if (env !== undefined) meter.add('environment variables', env.length);
    return {
      kind,
      name: optionalString(fields, 'name', path) ?? '',
      path,
      hasEnv: env !== undefined,
      awsVariables: env === undefined ? AwsVariables.none : AwsVariables.read(env, path),
      hasEnvFrom: (optionalArray(fields, 'envFrom', path) ?? []).length > 0,
      mounts: readMounts(optionalArray(fields, 'volumeMounts', path), path, meter),
    };
  });
}

function readProjected(volume: JsonObject, path: string, meter: SizeMeter): Volume['projected'] {
  const projected = optionalObject(volume, 'projected', path);
  if (projected === undefined) return undefined;
  const sources = optionalArray(projected, 'sources', `${path}/projected`) ?? [];
  meter.add('volume sources', sources.length);
  return sources.map((item, index) => readSource(item, `${path}/projected/sources/${index}`));
}

function readSource(item: unknown, at: string): ProjectedSource {
  const source = requiredObject(item, at);
  const token = optionalObject(source, 'serviceAccountToken', at);
  if (token !== undefined) {
    return {
      kind: 'token',
      token: {
        audience: optionalString(token, 'audience', `${at}/serviceAccountToken`),
        path: optionalString(token, 'path', `${at}/serviceAccountToken`),
      },
    };
  }
  const downwardApi = optionalObject(source, 'downwardAPI', at);
  if (downwardApi === undefined) return undefined;
  const items = optionalArray(downwardApi, 'items', `${at}/downwardAPI`) ?? [];
  if (items.length !== 1) return undefined;
  const path = `${at}/downwardAPI/items/0`;
  const fields = requiredObject(items[0], path);
  const field = optionalObject(fields, 'fieldRef', path);
  const fieldPath = field === undefined ? undefined : optionalString(field, 'fieldPath', `${path}/fieldRef`);
  return { kind: 'field', file: { path: optionalString(fields, 'path', path), fieldPath } };
}

function readVolumes(spec: JsonObject, meter: SizeMeter): readonly Volume[] | undefined {
  const list = optionalArray(spec, 'volumes', '/spec');
  if (list === undefined) return undefined;
  meter.add('volumes', list.length);
  return list.map((item, index) => {
    const path = `/spec/volumes/${index}`;
    const fields = requiredObject(item, path);
    return {
      name: optionalString(fields, 'name', path) ?? '',
      projected: readProjected(fields, path, meter),
      content: readVolumeContent(fields),
    };
  });
}

/**
 * Reads a pod, or a pod template.
 * @throws {MalformedObjectError} when a field that we read has another type than the API gives it.
 * @throws {ObjectTooLargeError} when it holds more than a pod may.
 */
export function readPod(object: unknown): Pod {
  const meter = new SizeMeter();
  const fields = requiredObject(object, '');
  const metadata = readWrittenMetadata(fields);
  const spec = optionalObject(fields, 'spec', '') ?? {};
  const windowsUse = readWindowsUse(spec, meter);
  return {
    ...metadata,
    serviceAccountName:
      optionalString(spec, 'serviceAccountName', '/spec') ||
      optionalString(spec, 'serviceAccount', '/spec') ||
      'default',
    windows: windowsUse === 'certain',
    windowsUse,
    containers: [
      ...readContainers(spec, 'initContainers', 'init container', meter),
      ...readContainers(spec, 'containers', 'container', meter),
      ...readContainers(spec, 'ephemeralContainers', 'ephemeral container', meter),
    ],
    volumes: readVolumes(spec, meter),
  };
}
