import { isAccountId } from '../../accounts/account-id.ts';
import { type Binding, type BindingProblem, readBinding } from '../../accounts/binding.ts';
import { isIgnoredByAck, managementOf } from '../../accounts/managed-namespace.ts';
import type { Result } from '../../accounts/result.ts';
import { isTeamId } from '../../accounts/team-id.ts';
import { injectLabel, ownerAccountIdAnnotation, teamIdAnnotation } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { GuardProblem } from '../catalogue/guard-denials.ts';
import type { BindGrant, View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { modeOf, modes } from '../mode.ts';
import type { UserInfo } from '../review.ts';
import { overrideUsed } from './rebind-override.ts';

/** What a grant is needed for. */
export type GrantPurpose = 'bind' | 'release' | 'leave resources behind' | 'opt out' | 'weaken the mode';

export interface NeededGrant extends BindGrant {
  readonly to: GrantPurpose;
}

/** Without a valid id no single owner can be named, so the right to bind all of them is needed. */
const ofAccount = (id: string): BindGrant => ({ resource: 'accounts', id: isAccountId(id) ? id : undefined });
const ofTeam = (id: string): BindGrant => ({ resource: 'teams', id: isTeamId(id) ? id : undefined });

function ofBinding(binding: Result<Binding, BindingProblem> | undefined): BindGrant | undefined {
  if (binding === undefined) return undefined;
  if (!binding.ok) return binding.problem.reason === 'InvalidTeamId' ? ofTeam('') : ofAccount('');
  return binding.value.kind === 'team' ? ofTeam(binding.value.id) : ofAccount(binding.value.id);
}

/** The ids that a change writes, whatever the gates are: one that binds nothing today binds once a gate is turned on. */
function written(before: Namespace | undefined, after: Namespace): readonly BindGrant[] {
  const comes = (annotation: typeof ownerAccountIdAnnotation | typeof teamIdAnnotation): readonly string[] => {
    const value = after.annotations.get(annotation);
    return value && value !== before?.annotations.get(annotation) ? [value] : [];
  };
  return [...comes(teamIdAnnotation).map(ofTeam), ...comes(ownerAccountIdAnnotation).map(ofAccount)];
}

function isSame(a: BindGrant | undefined, b: BindGrant | undefined): boolean {
  return a?.resource === b?.resource && a?.id === b?.id;
}

/** Whether pods that were judged no longer are. The API server selects by the label alone. */
function optsOut(before: Namespace, after: Namespace, config: AuthorizationConfig): boolean {
  const label = after.labels.get(injectLabel);
  const wasManaged = managementOf(before, config.ownNamespace, config.featureGates) === 'managed';
  return wasManaged && label !== 'enabled' && label !== before.labels.get(injectLabel);
}

function weakensMode(before: Namespace, after: Namespace, { defaultMode }: AuthorizationConfig): boolean {
  return modes.indexOf(modeOf(after, defaultMode)) > modes.indexOf(modeOf(before, defaultMode));
}

export type AuthorizationConfig = Pick<Config, 'featureGates' | 'defaultMode' | 'ownNamespace'>;

/**
 * What a user must be granted for a change of a namespace, each grant once.
 * A namespace that must be bound (labelled `enabled`) and is not has no account whose owners could decide: only those who may bind
 * every account may opt it out or weaken its mode. A namespace that is neither labelled nor bound needs no grant for that.
 * @param before undefined for one that is created.
 */
export function neededGrants(
  before: Namespace | undefined,
  after: Namespace,
  config: AuthorizationConfig,
): readonly NeededGrant[] {
  if (isIgnoredByAck(after.name)) return [];
  const boundTo = (namespace: Namespace | undefined) =>
    namespace && ofBinding(readBinding(namespace.annotations, config.featureGates));
  const old = boundTo(before);
  const now = boundTo(after);
  const needed = new Map<string, NeededGrant>();
  const need = (to: GrantPurpose, grants: readonly (BindGrant | undefined)[]): void => {
    for (const grant of grants) {
      if (grant === undefined) continue;
      const key = `${grant.resource}/${grant.id ?? ''}`;
      if (!needed.has(key)) needed.set(key, { ...grant, to });
    }
  };
  const isRebound = !isSame(old, now);
  need('bind', [...written(before, after), ...(isRebound ? [now] : [])]);
  if (isRebound) need('release', [old]);
  const nothing = { name: after.name, labels: new Map<string, string>(), annotations: new Map<string, string>() };
  const left = overrideUsed({ before: before ?? nothing, after }, config.featureGates);
  need('leave resources behind', Array.from(left, ofAccount));
  if (before === undefined) return [...needed.values()];
  const mustBeBound = before.labels.get(injectLabel) === 'enabled' ? [ofAccount('')] : [];
  const owners = old === undefined && now === undefined ? mustBeBound : [old, now];
  if (optsOut(before, after, config)) need('opt out', owners);
  if (weakensMode(before, after, config)) need('weaken the mode', owners);
  return [...needed.values()];
}

export type BindingForbidden = Extract<GuardProblem, { readonly reason: 'BindingForbidden' }>;

/**
 * Whether a user may make a change of a namespace.
 * @returns the denial, if they may not; `unasked` where nobody knows without asking.
 */
export function bindingForbidden(
  user: UserInfo,
  needed: readonly NeededGrant[],
  view: View,
): BindingForbidden | 'unasked' | undefined {
  // Look up all of them before judging any: the live reads of one decision go out together.
  const answers = needed.map(grant => ({ grant, answer: view.mayBind(user, grant) }));
  if (answers.some(({ answer }) => answer === undefined)) return 'unasked';
  const missing = answers.filter(({ answer }) => answer !== 'granted');
  if (missing.length === 0) return undefined;
  return {
    reason: 'BindingForbidden',
    user: user.username,
    missing: missing.map(({ grant }) => grant),
    unsure: missing.some(({ answer }) => answer === 'unsure'),
  };
}
