import type { Addition } from '../objects/json-patch.ts';
import { type PodAnnotation, roleArnAnnotation } from '../objects/keys.ts';
import { addAnnotations } from '../objects/metadata-patch.ts';
import type { Pod } from '../objects/pod.ts';

const noOthers: ReadonlyMap<PodAnnotation, string> = new Map();

/** Which roles the containers of a pod run with: the first of them is told. */
export interface RolesOfPod {
  readonly taken: readonly string[];
  /** Whether any of them was given to a container, or its token file. */
  readonly given: boolean;
}

function isUntrue(said: string, taken: readonly string[]): boolean {
  return said === '' ? taken.length > 0 : !taken.includes(said);
}

/**
 * Writes the annotation that says which role the containers run with: where one was given, and over one that says something
 * else than what is so; an empty text where nobody has a role. A pod that was given nothing does not get it.
 * @param others what the credentials mode writes beside it.
 */
export function roleArnAnnotationPatch(
  pod: Pod,
  { taken, given }: RolesOfPod,
  others: ReadonlyMap<PodAnnotation, string> = noOthers,
): readonly Addition[] {
  const said = pod.annotations.get(roleArnAnnotation);
  const told = taken[0] ?? '';
  const isDue = given ? said !== told : said !== undefined && isUntrue(said, taken);
  const changed: [string, string][] = isDue ? [[roleArnAnnotation, told]] : [];
  for (const [key, value] of others) if (pod.annotations.get(key) !== value) changed.push([key, value]);
  return addAnnotations(pod, changed);
}
