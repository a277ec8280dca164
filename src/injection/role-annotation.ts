import type { Addition } from '../objects/json-patch.ts';
import { type PodAnnotation, roleArnAnnotation } from '../objects/keys.ts';
import { addAnnotations } from '../objects/metadata-patch.ts';
import type { Pod } from '../objects/pod.ts';

const noOthers: ReadonlyMap<PodAnnotation, string> = new Map();

/**
 * Writes the annotation over whatever is there; an empty text where nobody got a role. A pod without the annotation that
 * got no role stays as it is.
 * @param others what the credentials mode writes beside it.
 */
export function roleArnAnnotationPatch(
  pod: Pod,
  roleArn: string,
  others: ReadonlyMap<PodAnnotation, string> = noOthers,
): readonly Addition[] {
  const changed: [string, string][] = [];
  if ((pod.annotations.get(roleArnAnnotation) ?? '') !== roleArn) changed.push([roleArnAnnotation, roleArn]);
  for (const [key, value] of others) if (pod.annotations.get(key) !== value) changed.push([key, value]);
  return addAnnotations(pod, changed);
}
