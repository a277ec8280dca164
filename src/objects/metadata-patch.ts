/** Additions to metadata of which a part may be missing: a patch must create it first, and keep what is there. */

import { pointerSegment } from './json.ts';
import type { Addition } from './json-patch.ts';
import type { WrittenMetadata } from './metadata.ts';

type Entries = readonly (readonly [key: string, value: string])[];

function add(field: 'labels' | 'annotations', hasMetadata: boolean, hasField: boolean, entries: Entries) {
  if (entries.length === 0) return [];
  const strings = Object.fromEntries(entries);
  if (!hasMetadata) return [{ op: 'add', path: '/metadata', value: { [field]: strings } }] as const;
  if (!hasField) return [{ op: 'add', path: `/metadata/${field}`, value: strings }] as const;
  return entries.map(
    ([key, value]) => ({ op: 'add', path: `/metadata/${field}/${pointerSegment(key)}`, value }) as const,
  );
}

/** Annotates an object, in place of annotations of the same keys. */
export function addAnnotations(
  { hasMetadata, hasAnnotations }: Pick<WrittenMetadata, 'hasMetadata' | 'hasAnnotations'>,
  entries: Entries,
): readonly Addition[] {
  return add('annotations', hasMetadata, hasAnnotations, entries);
}

/** Labels an object, in place of labels of the same keys. */
export function addLabels(
  { hasMetadata, hasLabels }: Pick<WrittenMetadata, 'hasMetadata' | 'hasLabels'>,
  entries: Entries,
): readonly Addition[] {
  return add('labels', hasMetadata, hasLabels, entries);
}
