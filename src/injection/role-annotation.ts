import { pointerSegment } from '../objects/json.ts';
import type { Addition } from '../objects/json-patch.ts';
import type { Pod } from '../objects/pod.ts';

/** On a pod: the role that was injected. Written for people; never read as evidence, for anyone may write it. */
export const roleArnAnnotation = 'carm-webhook.dev/role-arn';

/**
 * Writes the annotation over whatever is there; an empty text where nobody got a role. A pod without the annotation
 * that got no role stays as it is.
 */
export function roleArnAnnotationPatch(pod: Pod, roleArn: string): readonly Addition[] {
  if ((pod.annotations.get(roleArnAnnotation) ?? '') === roleArn) return [];
  const annotations = { [roleArnAnnotation]: roleArn };
  if (!pod.hasMetadata) return [{ op: 'add', path: '/metadata', value: { annotations } }];
  if (!pod.hasAnnotations) return [{ op: 'add', path: '/metadata/annotations', value: annotations }];
  return [{ op: 'add', path: `/metadata/annotations/${pointerSegment(roleArnAnnotation)}`, value: roleArn }];
}
