import { pointerSegment } from '../objects/json.ts';
import type { Addition } from '../objects/json-patch.ts';
import type { Pod } from '../objects/pod.ts';

/** On a pod: the role that was injected. Written for people; never read as evidence, for anyone may write it. */
export const roleArnAnnotation = 'carm-webhook.dev/role-arn';

const noOthers: ReadonlyMap<string, string> = new Map();

/**
 * Writes the annotation over whatever is there, and others with it; an empty text where nobody got a role. A pod without an
 * annotation that would be empty stays as it is.
 */
export function roleArnAnnotationPatch(
  pod: Pod,
  roleArn: string,
  others: ReadonlyMap<string, string> = noOthers,
): readonly Addition[] {
  const changed = [[roleArnAnnotation, roleArn] as const, ...others].filter(
    ([key, value]) => (pod.annotations.get(key) ?? '') !== value,
  );
  if (changed.length === 0) return [];
  if (pod.hasAnnotations) {
    return changed.map(([key, value]) => ({ op: 'add', path: `/metadata/annotations/${pointerSegment(key)}`, value }));
  }
  const annotations = Object.fromEntries(changed);
  if (pod.hasMetadata) return [{ op: 'add', path: '/metadata/annotations', value: annotations }];
  return [{ op: 'add', path: '/metadata', value: { annotations } }];
}
