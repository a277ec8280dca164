import type { Binding } from '../../accounts/binding.ts';
import { isKeyOfAck } from '../../accounts/controller-roles.ts';
import { parseRoleArn, type RoleArn } from '../../accounts/role-arn.ts';
import type { Config } from '../../admission/config.ts';
import { roleMaps } from '../../admission/pods/controller-role.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';

/**
 * The roles that the maps give to ACK's controllers, which assume them from their own role.
 * https://aws-controllers-k8s.github.io/docs/guides/cross-account
 * @param of only under keys of these; undefined for every key.
 */
export function ackRoles(
  state: Snapshot,
  config: Config,
  of: readonly Pick<Binding, 'kind' | 'id'>[] | undefined,
): readonly RoleArn[] {
  const asked = of && new Set(of.map(({ kind, id }) => `${kind} ${id}`));
  const roles = new Map<string, RoleArn>();
  for (const { kind, map } of roleMaps(state, config)) {
    for (const [key, value] of map) {
      const dot = key.indexOf('.');
      if (!isKeyOfAck(kind, key) || (dot >= 0 && !config.featureGates.ServiceLevelCARM)) continue;
      if (asked !== undefined && !asked.has(`${kind} ${key.slice(dot + 1)}`)) continue;
      const role = parseRoleArn(value);
      if (role !== undefined) roles.set(role.text, role);
    }
  }
  return [...roles.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
}
