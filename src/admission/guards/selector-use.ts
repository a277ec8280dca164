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

/** A selector as it is stored, and as it would be. */
export interface SelectorChange {
  /** Undefined for one that is new. */
  readonly before: RoleSelector | undefined;
  /** Undefined for one that is removed. */
  readonly after: RoleSelector | undefined;
}

/** What a change of a selector does to resources; a few of each. */
export interface SelectorEffects {
  /**
   * They lose their role, or get that of another account: ACK would go on with them in its controllers' own account, create
   * them again there, or leave them behind when they are deleted.
   */
  readonly stranded: readonly StoredResource[];
  /** They come to be selected, and ACK has recorded another account for them: it would stop at them. */
  readonly takenOver: readonly StoredResource[];
}

/** The resources have not been searched, or could not be. */
export interface EffectsInDoubt {
  /** Whether resources could be stranded, and not only taken over: then the change must not be allowed unchecked. */
  readonly inDoubt: 'stranded' | 'taken over';
}

const none: SelectorEffects = { stranded: [], takenOver: [] };

/** Whether one selector, and no other, decides on a resource: ACK stops at a resource that two of them match. */
function decides(selector: RoleSelector, others: readonly RoleSelector[], resource: SelectedResource): boolean {
  return selectorMatches(selector, resource) && !others.some(other => selectorMatches(other, resource));
}

/** The types of several selectors; empty for every type. */
function typesOf(selectors: readonly RoleSelector[]): RoleSelector['resourceTypes'] {
  return selectors.some(({ resourceTypes }) => resourceTypes.length === 0)
    ? []
    : selectors.flatMap(({ resourceTypes }) => resourceTypes);
}

/**
 * What a change of a selector does to the resources that it matches, or comes to match.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (Reconcile, getOwnerAccountID)
 */
export function effectsOfSelector({ before, after }: SelectorChange, view: View): SelectorEffects | EffectsInDoubt {
  const was = before !== undefined && selectorIgnoredBecause(before) === undefined ? before : undefined;
  const movesAccount = was !== undefined && after !== undefined && accountOfArn(after.arn) !== accountOfArn(was.arn);
  const mayStrand = was !== undefined && (after === undefined || movesAccount || !selectorCovers(after, was));
  const mayTakeOver = after !== undefined && (was === undefined || !selectorCovers(was, after));
  const looked = [...(mayStrand ? [was] : []), ...(mayTakeOver ? [after] : [])];
  const [first] = looked;
  if (first === undefined) return none;
  const selectors = view.roleSelectors();
  const namespaces = new Map<string, Namespace>();
  for (const namespace of view.namespaces()) {
    const isMatched = looked.some(each => selectorMatchesNamespace(each, namespace.name, namespace.labels));
    if (isMatched) namespaces.set(namespace.name, namespace);
  }
  // The search rests on both. Without the definition there can be none but this one.
  const inDoubt = { inDoubt: mayStrand ? 'stranded' : 'taken over' } as const;
  if (selectors === undefined) return inDoubt;
  const others = otherSelectors(selectors, first.name);
  // Which version of the kind ACK's controller uses is not known: one that is affected is enough.
  const inAVersion =
    (holds: (resource: SelectedResource, stored: StoredResource) => boolean) =>
    (stored: StoredResource): boolean => {
      const { versions, ...resource } = stored;
      const namespaceLabels = namespaces.get(resource.namespace)?.labels;
      if (namespaceLabels === undefined) return false;
      return versions.some(version => holds({ ...resource, namespaceLabels, version }, stored));
    };
  const isStranded = inAVersion(
    resource =>
      mayStrand &&
      decides(was, others, resource) &&
      (after === undefined || movesAccount || !selectorMatches(after, resource)),
  );
  const isTakenOver = inAVersion((resource, { recorded }) => {
    const owner = recorded?.accountId;
    if (!mayTakeOver || owner === undefined || owner === accountOfArn(after.arn)) return false;
    return decides(after, others, resource) && !(was !== undefined && selectorMatches(was, resource));
  });
  const found = view.findResources({
    types: typesOf(looked),
    // Searched even if the cache has no such namespace: there may be one by now.
    namespaces: [...namespaces.keys()],
    labels: looked.length === 1 ? first.resourceLabels : new Map(),
    labelKeys: new KeySet(
      [...looked, ...others]
        .flatMap(each => [...each.resourceLabels.keys()])
        .concat(after === undefined ? [] : [...after.resourceLabels.keys()]),
    ),
    wanted: mayStrand ? isStranded : isTakenOver,
    ...(mayTakeOver && { readsStatus: true }),
    ...(mayStrand && mayTakeOver && { besides: [isTakenOver] }),
    // A failed search must not block a new or wider selector.
    ...(!mayStrand && { advisory: true }),
    // One more than are named, to say that there are others.
    atMost: mostNames + 1,
  });
  if (found === undefined) return inDoubt;
  return { stranded: found.filter(isStranded), takenOver: found.filter(isTakenOver) };
}
