import { isAccountId } from '../../accounts/account-id.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import { type RoleMapKind, roleMapNames } from '../../accounts/role-map.ts';
import { isTeamId } from '../../accounts/team-id.ts';
import { quote } from '../../admission/quote.ts';
import type { Rules } from '../../admission/rules.ts';
import type { Snapshot } from '../../cluster/snapshot.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';

export function mapObject(kind: RoleMapKind, { ackSystemNamespace }: Rules): FoundObject {
  return { kind: 'ConfigMap', namespace: ackSystemNamespace, name: roleMapNames[kind] };
}

/**
 * The id in a key: `<id>`, `pods.<id>`, or ACK's service-level `<alias>.<id>`. An id has no dot; the alias is the first
 * label of an API group.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
 */
function idOf(key: string): string {
  return /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.(.*)$/.exec(key)?.[1] ?? key;
}

function entryFindings(kind: RoleMapKind, key: string, value: string, object: FoundObject): readonly Finding[] {
  const found: Finding[] = [];
  const id = idOf(key);
  if (kind === 'account' && !isAccountId(id)) {
    found.push(finding('InvalidAccountId', object, `the key ${quote(key)} holds no account id of 12 digits`));
  }
  if (kind === 'team' && !isTeamId(id)) {
    found.push(finding('InvalidTeamId', object, `the key ${quote(key)} holds no team id (letters, digits, _ and -)`));
  }
  // As for ACK: an empty value is no value.
  if (value === '') return found;
  const role = parseRoleArn(value);
  if (role === undefined) {
    const message = `the value ${quote(value)} under ${quote(key)} is not a role ARN (arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME)`;
    found.push(finding('InvalidRoleArn', object, message, 'Correct the value in the map.'));
  } else if (kind === 'account' && isAccountId(id) && role.accountId !== id) {
    const message = `the key ${quote(key)} has a role of account ${role.accountId}`;
    found.push(finding('AccountMismatch', object, message, `Put a role of account ${id} under that key.`));
  }
  return found;
}

/** What is wrong with the maps themselves, whoever is bound to their entries. */
export function findInMaps(state: Snapshot, rules: Rules): readonly Finding[] {
  return (['account', 'team'] as const).flatMap(kind => {
    const object = mapObject(kind, rules);
    return [...(state.roleMap(kind) ?? [])].flatMap(([key, value]) => entryFindings(kind, key, value, object));
  });
}
