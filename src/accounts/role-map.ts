import type { AccountId } from './account-id.ts';
import type { Binding } from './binding.ts';
import { found, type Result, refused } from './result.ts';
import { parseRoleArn, type RoleArn } from './role-arn.ts';

/** Which of the two maps: by account id or by team id. */
export type RoleMapKind = 'account' | 'team';

/** https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/cache/account.go */
export const roleMapNames: Readonly<Record<RoleMapKind, string>> = {
  account: 'ack-role-account-map',
  team: 'ack-role-team-map',
};

/** `.data` of the account map or the team map: key -> role ARN, as it was written. A Map, for a key may be `__proto__`. */
export type RoleMap = ReadonlyMap<string, string>;

/** Reads `.data` of a ConfigMap. Values of another type than string cannot be (the API server refuses them). */
export function readRoleMap(data: unknown): RoleMap {
  if (typeof data !== 'object' || data === null) return new Map();
  return new Map(Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

export type MappingProblem =
  | { readonly reason: 'AccountMapMissing' | 'TeamMapMissing' }
  | { readonly reason: 'AccountNotMapped' | 'TeamNotMapped'; readonly keys: readonly string[] }
  | {
      readonly reason: 'InvalidRoleArn';
      readonly value: string;
      readonly at: { readonly map: RoleMapKind; readonly key: string };
    }
  | { readonly reason: 'AccountMismatch'; readonly key: string; readonly role: RoleArn; readonly accountId: AccountId };

/** A role that a map gives. */
export interface MappedRole {
  readonly role: RoleArn;
  /** The namespace's account: of the binding, or for a team its role's. */
  readonly accountId: AccountId;
  readonly map: RoleMapKind;
  readonly key: string;
}

/**
 * Looks a binding up by keys, in order: as ACK does with its service-level keys, a missing and an empty value alike fall
 * back to the next.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getRoleARN)
 */
export function lookUpRole(
  binding: Binding,
  map: RoleMap | undefined,
  keys: readonly string[],
): Result<MappedRole, MappingProblem> {
  const ofTeam = binding.kind === 'team';
  if (map === undefined) return refused({ reason: ofTeam ? 'TeamMapMissing' : 'AccountMapMissing' });
  const key = keys.find(candidate => map.get(candidate));
  const value = key === undefined ? undefined : map.get(key);
  if (key === undefined || !value) return refused({ reason: ofTeam ? 'TeamNotMapped' : 'AccountNotMapped', keys });
  const role = parseRoleArn(value);
  if (role === undefined) return refused({ reason: 'InvalidRoleArn', value, at: { map: binding.kind, key } });
  if (binding.kind === 'account' && role.accountId !== binding.id) {
    return refused({ reason: 'AccountMismatch', key, role, accountId: binding.id });
  }
  return found({ role, accountId: role.accountId, map: binding.kind, key });
}
