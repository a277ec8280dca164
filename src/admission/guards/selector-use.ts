import {
  accountOfArn,
  otherSelectors,
  type SelectedResource,
  selectorIgnoredBecause,
  selectorMatches,
  selectorMatchesNamespace,
} from '../../accounts/role-selector.ts';
import { selectorCovers } from '../../accounts/selector-relations.ts';
import { KeySet } from '../../objects/key-set.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { mostNames } from '../../objects/quote.ts';
import type { RoleSelector } from '../../objects/role-selector.ts';
import type { StoredResource, View } from '../cluster.ts';

/** What becomes of a selector. */
export interface SelectorChange {
  readonly before: RoleSelector;
  /** Undefined for one that is removed. */
  readonly after: RoleSelector | undefined;
}

/** Whether one selector, and no other, decides on a resource: ACK stops at a resource that two of them match. */
function decides(selector: RoleSelector, others: readonly RoleSelector[], resource: SelectedResource): boolean {
  return selectorMatches(selector, resource) && !others.some(other => selectorMatches(other, resource));
}

/**
 * The resources that a change of a selector takes the role from, or gives that of another account: ACK would go on with
 * them in its controllers' own account, make them again there, or leave them behind when they are deleted.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getOwnerAccountID)
 * @returns a few; undefined where nobody knows without asking.
 */
export function strandedResources(
  { before, after }: SelectorChange,
  view: View,
): readonly StoredResource[] | undefined {
  if (selectorIgnoredBecause(before) !== undefined) return [];
  const movesAccount = after !== undefined && accountOfArn(after.arn) !== accountOfArn(before.arn);
  if (after !== undefined && !movesAccount && selectorCovers(after, before)) return [];
  const selectors = view.roleSelectors();
  const namespaces = new Map<string, Namespace>();
  for (const namespace of view.namespaces()) {
    if (selectorMatchesNamespace(before, namespace.name, namespace.labels)) namespaces.set(namespace.name, namespace);
  }
  // The search rests on both.
  if (selectors === undefined) return undefined;
  const others = otherSelectors(selectors, before.name);
  const isStranded = (resource: SelectedResource) =>
    decides(before, others, resource) && (after === undefined || movesAccount || !selectorMatches(after, resource));
  return view.findResources({
    types: before.resourceTypes,
    // In the cache there may be one more by now, so this is asked live too where it is none.
    namespaces: [...namespaces.keys()],
    labels: before.resourceLabels,
    labelKeys: new KeySet(
      [before, ...others, ...(after ? [after] : [])].flatMap(each => [...each.resourceLabels.keys()]),
    ),
    wanted: ({ versions, ...resource }) => {
      const namespaceLabels = namespaces.get(resource.namespace)?.labels;
      if (namespaceLabels === undefined) return false;
      // Which of its versions ACK's controller works with, nobody can see.
      return versions.some(version => isStranded({ ...resource, namespaceLabels, version }));
    },
    // One more than are named, to say that there are others.
    atMost: mostNames + 1,
  });
}
