import { type JsonObject, optionalArray, optionalObject, optionalString, requiredObject } from './json.ts';
import type { SizeMeter } from './object-size.ts';

/**
 * The annotations of a pod that a downward API source writes into files, each to a file of its own.
 * https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#available-fields
 * @throws {MalformedObjectError | ObjectTooLargeError}
 */
function* deliveredBy(parent: JsonObject, path: string, meter: SizeMeter): Generator<string> {
  const source = optionalObject(parent, 'downwardAPI', path);
  if (source === undefined) return;
  const items = optionalArray(source, 'items', `${path}/downwardAPI`) ?? [];
  meter.add('volume sources', items.length);
  for (const [index, item] of items.entries()) {
    const at = `${path}/downwardAPI/items/${index}`;
    const field = optionalObject(requiredObject(item, at), 'fieldRef', at) ?? {};
    const [, key] =
      /^metadata\.annotations\['(.+)'\]$/.exec(optionalString(field, 'fieldPath', `${at}/fieldRef`) ?? '') ?? [];
    if (key !== undefined) yield key;
  }
}

/**
 * Annotations that the volumes of a pod write into files, which follow them while the pod runs.
 * @throws {MalformedObjectError | ObjectTooLargeError}
 */
export function readDeliveredAnnotations(pod: JsonObject, meter: SizeMeter): ReadonlySet<string> {
  const delivered = new Set<string>();
  const add = (keys: Iterable<string>) => {
    for (const key of keys) delivered.add(key);
  };
  const spec = optionalObject(pod, 'spec', '') ?? {};
  const volumes = optionalArray(spec, 'volumes', '/spec') ?? [];
  meter.add('volumes', volumes.length);
  for (const [index, each] of volumes.entries()) {
    const path = `/spec/volumes/${index}`;
    const volume = requiredObject(each, path);
    add(deliveredBy(volume, path, meter));
    const projected = optionalObject(volume, 'projected', path) ?? {};
    const sources = optionalArray(projected, 'sources', `${path}/projected`) ?? [];
    meter.add('volume sources', sources.length);
    for (const [at, source] of sources.entries()) {
      const sourcePath = `${path}/projected/sources/${at}`;
      add(deliveredBy(requiredObject(source, sourcePath), sourcePath, meter));
    }
  }
  return delivered;
}
