import type { Addition } from '../objects/json-patch.ts';
import { roleArnAnnotation } from '../objects/keys.ts';
import { addAnnotations } from '../objects/metadata-patch.ts';
import type { Pod } from '../objects/pod.ts';

/**
 * Writes the annotation over whatever is there; an empty text where nobody got a role. A pod without the annotation
 * that got no role stays as it is.
 */
export function roleArnAnnotationPatch(pod: Pod, roleArn: string): readonly Addition[] {
  if ((pod.annotations.get(roleArnAnnotation) ?? '') === roleArn) return [];
  return addAnnotations(pod, [[roleArnAnnotation, roleArn]]);
}
