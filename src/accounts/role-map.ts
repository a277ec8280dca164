import type { RoleMap, RoleMapKind } from '../objects/role-map.ts';
import type { AccountId } from './account-id.ts';
import type { Binding } from './binding.ts';
import { err, ok, type Result } from './result.ts';
import { parseRoleArn, type RoleArn } from './role-arn.ts';

type InvalidValue = {
  readonly reason: 'InvalidRoleArn';
  readonly value: string;
  readonly at: { readonly map: RoleMapKind; readonly key: string };
};

export type TeamMappingProblem =
  | { readonly reason: 'TeamMapMissing' }
  | { readonly reason: 'TeamNotMapped'; readonly keys: readonly string[] }
  | InvalidValue;

export type MappingProblem =
  | TeamMappingProblem
  | { readonly reason: 'AccountMapMissing' }
  | { readonly reason: 'AccountNotMapped'; readonly keys: readonly string[] }
  | { readonly reason: 'AccountMismatch'; readonly key: string; readonly role: RoleArn; readonly accountId: AccountId };

export interface MappedRole {
  readonly role: RoleArn;
  /** The namespace's account: of the binding, or for a team its role's. */
  readonly accountId: AccountId;
  readonly map: RoleMapKind;
  readonly key: string;
}

/** Whether two roles are in one account: the same digits in another partition are another one. */
export function sameAccount(a: MappedRole, b: MappedRole): boolean {
  return a.accountId === b.accountId && a.role.partition === b.role.partition;
}

/**
 * Looks a binding up by keys, in order: as ACK does with its service-level keys, a missing and an empty value alike fall
 * back to the next.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getRoleARN)
 */
export function lookUpRole(
  binding: Extract<Binding, { readonly kind: 'team' }>,
  map: RoleMap | undefined,
  keys: readonly string[],
): Result<MappedRole, TeamMappingProblem>;
export function lookUpRole(
  binding: Binding,
  map: RoleMap | undefined,
  keys: readonly string[],
): Result<MappedRole, MappingProblem>;
export function lookUpRole(
  binding: Binding,
  map: RoleMap | undefined,
  keys: readonly string[],
): Result<MappedRole, MappingProblem> {
  const ofTeam = binding.kind === 'team';
  if (map === undefined) return err({ reason: ofTeam ? 'TeamMapMissing' : 'AccountMapMissing' });
  const key = keys.find(candidate => map.get(candidate));
  const value = key === undefined ? undefined : map.get(key);
  if (key === undefined || !value) return err({ reason: ofTeam ? 'TeamNotMapped' : 'AccountNotMapped', keys });
  const role = parseRoleArn(value);
  if (role === undefined) return err({ reason: 'InvalidRoleArn', value, at: { map: binding.kind, key } });
  if (binding.kind === 'account' && role.accountId !== binding.id) {
    return err({ reason: 'AccountMismatch', key, role, accountId: binding.id });
  }
  return ok({ role, accountId: role.accountId, map: binding.kind, key });
}
