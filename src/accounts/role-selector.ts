import type { KeyedStrings } from '../objects/keys.ts';
import type { ResourceType, RoleSelector } from '../objects/role-selector.ts';
import { type AccountId, isAccountId } from './account-id.ts';
import { parseRoleArn } from './role-arn.ts';

type Labels = ReadonlyMap<string, string>;
/** Selectors may ask for any, of namespaces too: where there are selectors, all are cached, or said to be too many. */
type SelectedLabels = KeyedStrings<never>;

/** A resource as selectors see it. */
export interface SelectedResource extends ResourceType {
  readonly namespace: string;
  readonly namespaceLabels: SelectedLabels;
  readonly labels: Labels;
}

export function hasLabels(labels: SelectedLabels, wanted: Labels): boolean {
  for (const [key, value] of wanted) if (labels.get(key as never) !== value) return false;
  return true;
}

/** Whether a selector matches resources of a namespace, as far as that goes. */
export function selectorMatchesNamespace(
  { namespaceNames, namespaceLabels }: RoleSelector,
  name: string,
  labels: SelectedLabels,
): boolean {
  return (namespaceNames.length === 0 || namespaceNames.includes(name)) && hasLabels(labels, namespaceLabels);
}

/**
 * Whether a selector matches a resource, exactly as ACK matches: case-sensitive, all of names, labels, type.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/iamroleselector/matcher.go
 */
export function selectorMatches(selector: RoleSelector, resource: SelectedResource): boolean {
  const { resourceTypes, resourceLabels } = selector;
  if (!selectorMatchesNamespace(selector, resource.namespace, resource.namespaceLabels)) return false;
  const typeMatches = resourceTypes.some(
    ({ group, version, kind }) =>
      (group === '' || group === resource.group) &&
      (version === '' || version === resource.version) &&
      (kind === '' || kind === resource.kind),
  );
  if (resourceTypes.length > 0 && !typeMatches) return false;
  return hasLabels(resource.labels, resourceLabels);
}

/** Go's `arn.Parse`: `arn:` and six sections. https://github.com/aws/aws-sdk-go-v2/blob/main/aws/arn/arn.go */
function isArn(text: string): boolean {
  return text.startsWith('arn:') && text.split(':', 6).length === 6;
}

/** The account in the fifth section of an ARN, as ACK takes it; undefined where that is no account id. */
export function accountOfArn(arn: string): AccountId | undefined {
  const account = arn.split(':', 5)[4] ?? '';
  return isAccountId(account) ? account : undefined;
}

function hasDuplicates(items: readonly string[]): boolean {
  return new Set(items).size !== items.length;
}

/**
 * Why ACK leaves a selector out, with no more than a line in its log; undefined for one that it uses.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/iamroleselector/matcher.go (validateSelector)
 */
export function selectorIgnoredBecause(selector: RoleSelector): string | undefined {
  const { arn, namespaceNames, namespaceLabels, resourceTypes, resourceLabels } = selector;
  if (arn === '') return 'spec.arn is empty';
  if (!isArn(arn)) return 'spec.arn is not an ARN';
  if (namespaceNames.includes('')) return 'spec.namespaceSelector.names has an empty name';
  if (hasDuplicates(namespaceNames)) return 'spec.namespaceSelector.names has a name twice';
  if (namespaceLabels.has('')) return 'spec.namespaceSelector.labelSelector has an empty label key';
  const types = resourceTypes.map(({ group, version, kind }) => JSON.stringify([group, version, kind]));
  if (types.includes('["","",""]')) return 'spec.resourceTypeSelector has an entry without group, version and kind';
  if (hasDuplicates(types)) return 'spec.resourceTypeSelector has an entry twice';
  if (resourceLabels.has('')) return 'spec.resourceLabelSelector has an empty label key';
  return undefined;
}

/** Why a selector should not be written: what ACK leaves out, and an ARN of something else than a role. */
export function selectorInvalidBecause(selector: RoleSelector): string | undefined {
  const leftOut = selectorIgnoredBecause(selector);
  if (leftOut !== undefined) return leftOut;
  return parseRoleArn(selector.arn) === undefined ? 'spec.arn is not the ARN of a role' : undefined;
}

export function matchingSelectors(
  selectors: Iterable<RoleSelector>,
  resource: SelectedResource,
): readonly RoleSelector[] {
  const matching: RoleSelector[] = [];
  for (const selector of selectors) {
    if (selectorMatches(selector, resource) && selectorIgnoredBecause(selector) === undefined) matching.push(selector);
  }
  return matching;
}

/** The selectors that ACK uses, except for the one of this name. */
export function otherSelectors(selectors: readonly RoleSelector[], name: string): readonly RoleSelector[] {
  return selectors.filter(other => other.name !== name && selectorIgnoredBecause(other) === undefined);
}
