/** The annotation by which a namespace may leave resources behind: it names the accounts, separated by commas. */

import type { FeatureGates } from '../../accounts/feature-gates.ts';
import type { ResourcePlace } from '../../accounts/resource-place.ts';
import { allowRebindAnnotation } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { changesBinding, changesLabels, type NamespaceChange } from './namespace-change.ts';

/** More are not read: a namespace is bound to one, and few services have one of their own. */
const mostAccounts = 16;
/** Characters that are read: no list of so many account ids is longer. */
const longestList = 512;

type Annotations = Namespace['annotations'];

/** The accounts that a namespace names, as they are written. */
export function allowedAccounts(annotations: Annotations): ReadonlySet<string> {
  const written = annotations.get(allowRebindAnnotation)?.slice(0, longestList) ?? '';
  const accounts = written.split(',', mostAccounts).map(account => account.trim());
  return new Set(accounts.filter(account => account !== ''));
}

/**
 * The account that the annotation has to name for a resource that is left behind: the one that the change leads to; where it leads
 * to none, as when a binding goes, the one that the resource is in.
 */
export function accountToName(owner: string, place: ResourcePlace): string {
  return place.kind === 'account' ? place.accountId : owner;
}

/**
 * The accounts of an override that a change makes use of, or that it adds: empty for a change that needs no right to use one.
 * Whether there are resources to leave behind is not asked.
 */
export function overrideUsed(change: NamespaceChange, gates: FeatureGates): ReadonlySet<string> {
  const allowed = allowedAccounts(change.after.annotations);
  const known = allowedAccounts(change.before.annotations);
  const uses = gates.IAMRoleSelector ? changesLabels(change) : changesBinding(change, gates);
  return uses ? allowed : new Set([...allowed].filter(account => !known.has(account)));
}
