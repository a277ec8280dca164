/** In which account ACK works on a resource that it took up, by what the resource's namespace says. */

import type { RoleMap, RoleMapKind } from '../objects/role-map.ts';
import type { RoleSelector } from '../objects/role-selector.ts';
import { type AccountId, isAccountId } from './account-id.ts';
import { serviceKeys } from './ack-service.ts';
import type { Binding, BindingProblem } from './binding.ts';
import type { FeatureGates } from './feature-gates.ts';
import type { Result } from './result.ts';
import { lookUpRole } from './role-map.ts';
import { accountOfArn, type SelectedResource, selectorMatches } from './role-selector.ts';

export type ResourcePlace =
  | { readonly kind: 'account'; readonly accountId: AccountId }
  /** The map has no role that ACK could take: it stops. `byStatus`: it looks for the account in the status, as nothing is bound. */
  | { readonly kind: 'unmapped'; readonly binding: Binding; readonly alias: string; readonly byStatus: boolean }
  /** What is written leads to no account: a binding that is no id, a role that has none. */
  | { readonly kind: 'invalid' }
  /** No selector matches: ACK goes on in its controllers' own account, where the resource is not. */
  | { readonly kind: 'unselected' }
  /** Several selectors match: ACK stops. */
  | { readonly kind: 'conflict'; readonly selectors: readonly string[] };

/** A resource that ACK took up. */
export interface TakenUpResource {
  /** Of its service. */
  readonly alias: string;
  /** The account in its status. */
  readonly owner: string;
}

/** The map of a kind that the controller of a service reads. */
export type MapOfService = (kind: RoleMapKind, alias: string) => RoleMap | undefined;

/**
 * By a binding; where there is none, by the status. An account's binding leads to that account, whether or not the map has it yet.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getOwnerAccountID, getRoleARN)
 */
export function placeByBinding(
  binding: Result<Binding, BindingProblem> | undefined,
  { alias, owner }: TakenUpResource,
  mapOf: MapOfService,
  gates: FeatureGates,
): ResourcePlace {
  if (binding !== undefined && !binding.ok) return { kind: 'invalid' };
  const byStatus = binding === undefined;
  if (byStatus && !isAccountId(owner)) return { kind: 'invalid' };
  const looksFor: Binding = binding?.value ?? { kind: 'account', id: owner as AccountId };
  if (looksFor.kind === 'account' && looksFor.id !== owner) return { kind: 'account', accountId: looksFor.id };
  const mapped = lookUpRole(looksFor, mapOf(looksFor.kind, alias), serviceKeys(looksFor, alias, gates));
  if (mapped.ok) return { kind: 'account', accountId: mapped.value.accountId };
  return { kind: 'unmapped', binding: looksFor, alias, byStatus };
}

/**
 * By IAMRoleSelectors. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/iamroleselector/matcher.go
 * @param selectors none that ACK ignores.
 */
export function placeBySelectors(selectors: readonly RoleSelector[], resource: SelectedResource): ResourcePlace {
  const matching = selectors.filter(selector => selectorMatches(selector, resource));
  const [selector] = matching;
  if (selector === undefined) return { kind: 'unselected' };
  if (matching.length > 1) return { kind: 'conflict', selectors: matching.map(({ name }) => name) };
  const accountId = accountOfArn(selector.arn);
  return accountId === undefined ? { kind: 'invalid' } : { kind: 'account', accountId };
}

/**
 * Whether a change from one place to another takes a resource from ACK. One that ACK had lost to another account already has
 * nothing to lose; where it was not known which account ACK works in, it may have been that of the resource.
 */
export function isStranded(owner: string, before: ResourcePlace, after: ResourcePlace): boolean {
  const belongs = (place: ResourcePlace) => place.kind === 'account' && place.accountId === owner;
  if (belongs(after)) return false;
  if (before.kind === 'account') return belongs(before);
  const bySelectors = before.kind === 'unselected' || before.kind === 'conflict';
  return !(bySelectors && before.kind === after.kind);
}
