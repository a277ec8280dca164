import { pointerSegment } from '../objects/json.ts';
import type { Addition } from '../objects/json-patch.ts';
import type { Pod } from '../objects/pod.ts';

/** On a pod: the role that was injected. Written for people; never read as evidence, for anyone may write it. */
export const roleArnAnnotation = 'carm-webhook.dev/role-arn';

const noOthers: ReadonlyMap<string, string> = new Map();

/**
 * Writes the annotation over whatever is there; an empty text where nobody got a role. A pod without the annotation that
 * got no role stays as it is.
 * @param others what the credentials mode writes beside it.
 */
export function roleArnAnnotationPatch(
  pod: Pod,
  roleArn: string,
  others: ReadonlyMap<string, string> = noOthers,
): readonly Addition[] {
  const changed: Record<string, string> = {};
  if ((pod.annotations.get(roleArnAnnotation) ?? '') !== roleArn) changed[roleArnAnnotation] = roleArn;
  for (const [key, value] of others) if (pod.annotations.get(key) !== value) changed[key] = value;
  const keys = Object.keys(changed);
  if (keys.length === 0) return [];
  if (!pod.hasMetadata) return [{ op: 'add', path: '/metadata', value: { annotations: changed } }];
  if (!pod.hasAnnotations) return [{ op: 'add', path: '/metadata/annotations', value: changed }];
  return keys.map(key => ({ op: 'add', path: `/metadata/annotations/${pointerSegment(key)}`, value: changed[key] }));
}
