import { ownerAccountIdAnnotation, teamIdAnnotation } from '../objects/keys.ts';
import type { Namespace } from '../objects/namespace.ts';
import { type AccountId, isAccountId } from './account-id.ts';
import type { FeatureGates } from './feature-gates.ts';
import { err, ok, type Result } from './result.ts';
import { isTeamId, type TeamId } from './team-id.ts';

/** What ties a namespace to an owner. */
export type Binding =
  | { readonly kind: 'account'; readonly id: AccountId }
  | { readonly kind: 'team'; readonly id: TeamId };

export type BindingProblem = { readonly reason: 'InvalidAccountId' | 'InvalidTeamId'; readonly value: string };

type Annotations = Namespace['annotations'];

/**
 * Whether a namespace has a binding by the active gates, a valid one or not. An empty annotation is no annotation, as
 * for ACK; with TeamLevelCARM off a team id alone binds nothing.
 */
export function isBound(annotations: Annotations, gates: FeatureGates): boolean {
  return Boolean(
    annotations.get(ownerAccountIdAnnotation) || (gates.TeamLevelCARM && annotations.get(teamIdAnnotation)),
  );
}

/** A team id that binds nothing, as the gate TeamLevelCARM is off. */
export function ignoredTeamId(annotations: Annotations, gates: FeatureGates): string | undefined {
  return gates.TeamLevelCARM ? undefined : annotations.get(teamIdAnnotation) || undefined;
}

/**
 * The binding of a namespace: with TeamLevelCARM the team id wins over the owner account id.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getAcctID, getTeamID)
 * @returns undefined for a namespace that is not bound.
 */
export function readBinding(
  annotations: Annotations,
  gates: FeatureGates,
): Result<Binding, BindingProblem> | undefined {
  const team = gates.TeamLevelCARM ? annotations.get(teamIdAnnotation) : undefined;
  if (team) return isTeamId(team) ? ok({ kind: 'team', id: team }) : err({ reason: 'InvalidTeamId', value: team });
  const account = annotations.get(ownerAccountIdAnnotation);
  if (!account) return undefined;
  if (!isAccountId(account)) return err({ reason: 'InvalidAccountId', value: account });
  return ok({ kind: 'account', id: account });
}
