import { skipContainersAnnotation } from '../objects/keys.ts';
import { checkSize, sizeLimits } from '../objects/object-size.ts';
import type { Container, Pod } from '../objects/pod.ts';

const noNames: ReadonlySet<string> = new Set();

/**
 * The names in the annotation, trimmed (amazon-eks-pod-identity-webhook does not trim, so there `a, b` skips only `a`).
 * @throws {ObjectTooLargeError} for more names than any pod can have containers.
 */
export function readSkipList(annotations: Pod['annotations']): ReadonlySet<string> {
  const list = annotations.get(skipContainersAnnotation);
  if (!list) return noNames;
  const fields = list.split(',', sizeLimits['names in skip-containers'] + 1);
  checkSize('names in skip-containers', fields.length);
  // A name holds neither comma nor quote, so a quoted field is its content.
  const names = fields.map(field => field.trim()).map(field => /^"(.*)"$/.exec(field)?.[1]?.trim() ?? field);
  return new Set(names.filter(name => name !== ''));
}

/** Names of the skip list that no container has. */
export function unknownSkipNames(skipped: ReadonlySet<string>, containers: readonly Container[]): readonly string[] {
  if (skipped.size === 0) return [];
  const known = new Set(containers.map(({ name }) => name));
  return [...skipped].filter(name => !known.has(name));
}
