import type { Container } from '../objects/pod.ts';

/** Names of containers that are to get nothing, separated by commas. */
export const skipContainersAnnotation = 'eks.amazonaws.com/skip-containers';

/** The names in the annotation, trimmed (amazon-eks-pod-identity-webhook does not trim, so there `a, b` skips only `a`). */
export function readSkipList(annotations: ReadonlyMap<string, string>): ReadonlySet<string> {
  const fields = (annotations.get(skipContainersAnnotation) ?? '').split(',').map(field => field.trim());
  // A name holds neither comma nor quote, so a quoted field is its content.
  const names = fields.map(field => /^"(.*)"$/.exec(field)?.[1]?.trim() ?? field);
  return new Set(names.filter(name => name !== ''));
}

/** Names of the skip list that no container has. */
export function unknownSkipNames(skipped: ReadonlySet<string>, containers: readonly Container[]): readonly string[] {
  const known = new Set(containers.map(({ name }) => name));
  return [...skipped].filter(name => !known.has(name));
}
