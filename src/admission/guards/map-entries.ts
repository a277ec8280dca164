import { isAccountId } from '../../accounts/account-id.ts';
import type { Binding } from '../../accounts/binding.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import { isTeamId } from '../../accounts/team-id.ts';
import type { RoleMapKind } from '../../objects/role-map.ts';
import type { Problem } from '../catalogue/denials.ts';

/** A key of a map, taken apart: `<id>`, `pods.<id>`, `<alias>.<id>`. */
export interface MapKey {
  readonly binding: Binding;
  /** `pods`, or the alias of a service. */
  readonly prefix: string | undefined;
}

const prefixForm = /^[a-z0-9]+$/;

/** Reads a key of a map. @returns undefined for one that neither ACK nor we ever look up. */
export function readMapKey(kind: RoleMapKind, key: string): MapKey | undefined {
  const dot = key.indexOf('.');
  const prefix = dot < 0 ? undefined : key.slice(0, dot);
  const id = key.slice(dot + 1);
  if (prefix !== undefined && !prefixForm.test(prefix)) return undefined;
  if (kind === 'account') return isAccountId(id) ? { binding: { kind, id }, prefix } : undefined;
  return isTeamId(id) ? { binding: { kind, id }, prefix } : undefined;
}

export type EntryProblem = Extract<
  Problem,
  { readonly reason: 'InvalidAccountId' | 'InvalidTeamId' | 'InvalidRoleArn' | 'AccountMismatch' }
>;

/**
 * What is wrong with an entry of a map; undefined for a valid one. An empty value is none: ACK and we read it as a
 * missing entry.
 */
export function entryProblem(kind: RoleMapKind, key: string, value: string): EntryProblem | undefined {
  const parsed = readMapKey(kind, key);
  if (parsed === undefined) {
    return { reason: kind === 'account' ? 'InvalidAccountId' : 'InvalidTeamId', value: key, map: kind };
  }
  if (value === '') return undefined;
  const role = parseRoleArn(value);
  if (role === undefined) return { reason: 'InvalidRoleArn', value, at: { map: kind, key } };
  const { binding } = parsed;
  if (binding.kind === 'account' && role.accountId !== binding.id) {
    return { reason: 'AccountMismatch', key, role, accountId: binding.id };
  }
  return undefined;
}
