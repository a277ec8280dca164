import type { Binding } from '../../accounts/binding.ts';
import {
  type FoundControllerRole,
  findControllerRole,
  type NamedRole,
  type PlacedRoleMap,
} from '../../accounts/controller-roles.ts';
import { podKeys } from '../../accounts/pod-role.ts';
import type { RoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import type { Container } from '../../objects/pod.ts';
import type { RoleMapKind } from '../../objects/role-map.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';

/** Where a pod's role is named: on its ServiceAccount, or in a container. */
export type RolePlace = { readonly annotation: string } | { readonly container: Container };

/** A role that is named for a pod, with `--require-pods-key`, or its hub role, is one that ACK provisions with. */
export interface ControllerRoleProblem {
  readonly reason: 'ControllerRole';
  /** As it was written. */
  readonly value: string;
  readonly map: RoleMapKind;
  readonly ackSystem: string;
  readonly at: RolePlace | { readonly hub: true };
}

/** The maps by which ACK's controllers get their roles. */
export function* roleMaps(view: Pick<View, 'roleMap'>, { ackSystems, featureGates }: Config): Generator<PlacedRoleMap> {
  const kinds: readonly RoleMapKind[] = featureGates.TeamLevelCARM ? ['account', 'team'] : ['account'];
  for (const kind of kinds) {
    for (const { namespace } of ackSystems) {
      const map = view.roleMap(kind, namespace);
      if (map !== undefined) yield { kind, ackSystem: namespace, map };
    }
  }
}

/**
 * Finds a role that is ACK's, by the maps of every ACK system namespace, among those that are named for pods of a
 * namespace.
 * @param binding that of the namespace, if it has one: the role of its `pods.<id>` is left out.
 */
export function findRoleOfAck<At>(
  named: readonly NamedRole<At>[],
  binding: Binding | undefined,
  view: Pick<View, 'roleMap'>,
  config: Config,
): FoundControllerRole<At> | undefined {
  const ofPods =
    binding === undefined
      ? undefined
      : lookUpRole(binding, view.roleMap(binding.kind, config.ackSystems[0].namespace), podKeys(binding, true));
  // All of them are looked up before one is found: a live read asks for what was looked up, once.
  const maps = [...roleMaps(view, config)];
  return findControllerRole(named, maps, ofPods?.ok ? ofPods.value.role : undefined);
}

/** Whether one of the roles that are named for a pod is ACK's. */
export function controllerRoleProblem(
  named: readonly NamedRole<RolePlace & { readonly value: string }>[],
  binding: Binding,
  view: Pick<View, 'roleMap'>,
  config: Config,
): ControllerRoleProblem | undefined {
  if (!config.requirePodsKey || named.length === 0) return undefined;
  const found = findRoleOfAck(named, binding, view, config);
  if (found === undefined) return undefined;
  const { value, ...at } = found.named.at;
  return { reason: 'ControllerRole', value, map: found.kind, ackSystem: found.ackSystem, at };
}

/**
 * Whether the hub role of a pod is ACK's. Whatever the flags: a role that provisions is no way for pods to another role.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege
 */
export function controllerHubProblem(
  hub: RoleArn,
  view: Pick<View, 'roleMap'>,
  config: Config,
): ControllerRoleProblem | undefined {
  const found = findControllerRole([{ role: hub, at: undefined }], [...roleMaps(view, config)], undefined);
  if (found === undefined) return undefined;
  return { reason: 'ControllerRole', value: hub.text, map: found.kind, ackSystem: found.ackSystem, at: { hub: true } };
}
