import { type AccountId, isAccountId } from './account-id.ts';
import { parseRoleArn } from './role-arn.ts';

type Labels = ReadonlyMap<string, string>;

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name */
const namespaceNameLabel = 'kubernetes.io/metadata.name';

/** One entry of `resourceTypeSelector`; an empty field matches everything. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/**
 * An IAMRoleSelector.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/apis/core/v1alpha1/iam_role_selector.go
 */
export interface RoleSelector {
  readonly name: string;
  readonly arn: string;
  readonly namespaceNames: readonly string[];
  readonly namespaceLabels: Labels;
  readonly resourceTypes: readonly ResourceType[];
  readonly resourceLabels: Labels;
}

/** A resource as selectors see it. */
export interface SelectedResource extends ResourceType {
  readonly namespace: string;
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
}

function allEqual(wanted: Labels, labels: Labels): boolean {
  for (const [key, value] of wanted) if (labels.get(key) !== value) return false;
  return true;
}

/**
 * Whether a selector matches a resource, exactly as ACK matches: case-sensitive, all of names, labels, type.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/iamroleselector/matcher.go
 */
export function selectorMatches(selector: RoleSelector, resource: SelectedResource): boolean {
  const { namespaceNames, namespaceLabels, resourceTypes, resourceLabels } = selector;
  if (namespaceNames.length > 0 && !namespaceNames.includes(resource.namespace)) return false;
  if (!allEqual(namespaceLabels, resource.namespaceLabels)) return false;
  const typeMatches = resourceTypes.some(
    ({ group, version, kind }) =>
      (group === '' || group === resource.group) &&
      (version === '' || version === resource.version) &&
      (kind === '' || kind === resource.kind),
  );
  if (resourceTypes.length > 0 && !typeMatches) return false;
  return allEqual(resourceLabels, resource.labels);
}

/** Go's `arn.Parse`: `arn:` and six sections. https://github.com/aws/aws-sdk-go-v2/blob/main/aws/arn/arn.go */
function isArn(text: string): boolean {
  return text.startsWith('arn:') && text.split(':').length >= 6;
}

/** The account in the fifth section of an ARN, as ACK takes it; undefined where that is no account id. */
export function accountOfArn(arn: string): AccountId | undefined {
  const account = arn.split(':')[4] ?? '';
  return isAccountId(account) ? account : undefined;
}

function hasDuplicates(items: readonly string[]): boolean {
  return new Set(items).size !== items.length;
}

/**
 * Why ACK leaves a selector out, with no more than a line in its log; undefined for one that it uses.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/iamroleselector/matcher.go (validateSelector)
 */
export function whySelectorIsLeftOut(selector: RoleSelector): string | undefined {
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
export function whySelectorIsInvalid(selector: RoleSelector): string | undefined {
  const leftOut = whySelectorIsLeftOut(selector);
  if (leftOut !== undefined) return leftOut;
  return parseRoleArn(selector.arn) === undefined ? 'spec.arn is not the ARN of a role' : undefined;
}

/** The selectors that match a resource, of those that ACK uses. */
export function matchingSelectors(
  selectors: Iterable<RoleSelector>,
  resource: SelectedResource,
): readonly RoleSelector[] {
  const matching: RoleSelector[] = [];
  for (const selector of selectors) {
    if (selectorMatches(selector, resource) && whySelectorIsLeftOut(selector) === undefined) matching.push(selector);
  }
  return matching;
}

function compatible(a: Labels, b: Labels): boolean {
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other !== undefined && other !== value) return false;
  }
  return true;
}

function typesMeet(a: readonly ResourceType[], b: readonly ResourceType[]): boolean {
  const fits = (left: string, right: string) => left === '' || right === '' || left === right;
  if (a.length === 0 || b.length === 0) return true;
  return a.some(x => b.some(y => fits(x.group, y.group) && fits(x.version, y.version) && fits(x.kind, y.kind)));
}

/**
 * Whether some resource could be matched by both: then ACK stops at it, even if both name the same role. Two selectors
 * are apart when no namespace name, no type or no value of a common label can fit both.
 * @param labelsOf the labels of a namespace that is known, for selectors that name namespaces.
 */
export function selectorsOverlap(
  a: RoleSelector,
  b: RoleSelector,
  labelsOf: (namespace: string) => Labels | undefined,
): boolean {
  if (!typesMeet(a.resourceTypes, b.resourceTypes) || !compatible(a.resourceLabels, b.resourceLabels)) return false;
  const names = a.namespaceNames.length > 0 ? a.namespaceNames : b.namespaceNames;
  if (names.length === 0) return compatible(a.namespaceLabels, b.namespaceLabels);
  return names.some(name => {
    if (b.namespaceNames.length > 0 && !b.namespaceNames.includes(name)) return false;
    const labels = labelsOf(name);
    if (labels === undefined) {
      // A namespace that is not there yet may get any labels but one, which is its name.
      const own = new Map([[namespaceNameLabel, name]]);
      const fits = [a, b].every(({ namespaceLabels }) => compatible(own, namespaceLabels));
      return fits && compatible(a.namespaceLabels, b.namespaceLabels);
    }
    return allEqual(a.namespaceLabels, labels) && allEqual(b.namespaceLabels, labels);
  });
}
