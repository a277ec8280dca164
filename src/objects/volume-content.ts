import { isJsonObject, type JsonObject } from './json.ts';

/**
 * What a mount in a volume meets: one that kubelet fills, in which it makes the folders for the mounts of containers itself;
 * an `emptyDir`; or one whose content comes from elsewhere.
 */
export interface VolumeContent {
  readonly from: 'kubelet' | 'emptyDir' | 'elsewhere';
  /** Whether its source shows it read-only, however it is mounted. */
  readonly readOnly: boolean;
}

/** In these kubelet makes folders: https://github.com/kubernetes/kubernetes/blob/master/pkg/volume/util/nested_volumes.go */
function isFilledByKubelet({ projected, configMap, secret, downwardAPI }: JsonObject): boolean {
  return isJsonObject(projected) || isJsonObject(configMap) || isJsonObject(secret) || isJsonObject(downwardAPI);
}

const fromKubelet: VolumeContent = { from: 'kubelet', readOnly: false };
const emptyDir: VolumeContent = { from: 'emptyDir', readOnly: false };
const writable: VolumeContent = { from: 'elsewhere', readOnly: false };
const readOnly: VolumeContent = { from: 'elsewhere', readOnly: true };

/**
 * Reads the source of a volume. Kinds that we do not know come from elsewhere; a volume without a source is an `emptyDir`.
 * https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume/
 */
export function readVolumeContent(volume: JsonObject): VolumeContent {
  if (isFilledByKubelet(volume)) return fromKubelet;
  if (isJsonObject(volume['emptyDir'])) return emptyDir;
  const [kind, source] = Object.entries(volume).find(([, value]) => isJsonObject(value)) ?? [];
  if (!isJsonObject(source)) return emptyDir;
  return kind === 'image' || source['readOnly'] === true ? readOnly : writable;
}
