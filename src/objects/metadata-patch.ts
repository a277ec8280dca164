import { isJsonObject, type JsonObject, pointerSegment } from './json.ts';
import type { Addition } from './json-patch.ts';

/**
 * Adds labels or annotations to an object: `metadata` and the map itself may be missing, and a patch must create what is
 * missing. What stands under a key is replaced.
 */
export function addToMetadata(
  object: JsonObject,
  map: 'labels' | 'annotations',
  values: readonly (readonly [key: string, value: string])[],
): readonly Addition[] {
  if (values.length === 0) return [];
  const { metadata } = object;
  if (!isJsonObject(metadata)) return [{ op: 'add', path: '/metadata', value: { [map]: Object.fromEntries(values) } }];
  if (!isJsonObject(metadata[map])) {
    return [{ op: 'add', path: `/metadata/${map}`, value: Object.fromEntries(values) }];
  }
  return values.map(([key, value]) => ({ op: 'add', path: `/metadata/${map}/${pointerSegment(key)}`, value }));
}
