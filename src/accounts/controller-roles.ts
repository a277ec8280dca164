import type { RoleMap, RoleMapKind } from '../objects/role-map.ts';
import { isAccountId } from './account-id.ts';
import { podsPrefix } from './pod-role.ts';
import { bareRoleName, parseRoleArn, type RoleArn, roleIdentity } from './role-arn.ts';
import { isTeamId } from './team-id.ts';

/** A map of an ACK system namespace, and where it is. */
export interface PlacedRoleMap {
  readonly kind: RoleMapKind;
  readonly ackSystem: string;
  readonly map: RoleMap;
}

/** A role that a user named, and where. */
export interface NamedRole<At> {
  readonly role: RoleArn;
  readonly at: At;
}

/** A named role that is one of ACK's, and the map that gives it to ACK. */
export interface FoundControllerRole<At> {
  readonly named: NamedRole<At>;
  readonly kind: RoleMapKind;
  readonly ackSystem: string;
}

/** Whether ACK's controllers look a key up for a valid binding: `<id>`, or `<alias>.<id>`. */
export function isKeyOfAck(kind: RoleMapKind, key: string): boolean {
  const dot = key.indexOf('.');
  if (dot >= 0 && (key.startsWith(`${podsPrefix}.`) || !/^[a-z0-9]+$/.test(key.slice(0, dot)))) return false;
  const id = key.slice(dot + 1);
  return kind === 'account' ? isAccountId(id) : isTeamId(id);
}

/**
 * Finds a named role that a map gives to ACK's controllers: under `<id>` or `<alias>.<id>`, whatever the id, for roles of
 * one account may stand under the account, under its services and under several teams. Keys of services count with
 * ServiceLevelCARM off too: they are written for ACK.
 * In time linear in the named roles and the maps: both may be long.
 * @param ofPods the role under the `pods.<id>` of the namespace's own binding: it may be ACK's too, if the platform team
 * says so.
 */
export function findControllerRole<At>(
  named: Iterable<NamedRole<At>>,
  maps: Iterable<PlacedRoleMap>,
  ofPods: RoleArn | undefined,
): FoundControllerRole<At> | undefined {
  const spared = ofPods === undefined ? undefined : roleIdentity(ofPods);
  const wanted = new Map<string, NamedRole<At>>();
  const segments = new Set<string>();
  for (const each of named) {
    const identity = roleIdentity(each.role);
    if (identity === spared || wanted.has(identity)) continue;
    wanted.set(identity, each);
    segments.add(bareRoleName(each.role.name));
  }
  if (wanted.size === 0) return undefined;
  for (const { kind, ackSystem, map } of maps) {
    for (const [key, value] of map) {
      // Parsing an ARN costs more than a glance at its end.
      if (!segments.has(bareRoleName(value)) || !isKeyOfAck(kind, key)) continue;
      const role = parseRoleArn(value);
      const found = role === undefined ? undefined : wanted.get(roleIdentity(role));
      if (found !== undefined) return { named: found, kind, ackSystem };
    }
  }
  return undefined;
}
