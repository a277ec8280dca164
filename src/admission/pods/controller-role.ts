import type { Binding } from '../../accounts/binding.ts';
import { findControllerRole, type NamedRole, type PlacedRoleMap } from '../../accounts/controller-roles.ts';
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

/** Whether one of the roles that are named for a pod is ACK's, by the maps of every ACK system namespace. */
export function controllerRoleProblem(
  named: readonly NamedRole<RolePlace & { readonly value: string }>[],
  binding: Binding,
  view: Pick<View, 'roleMap'>,
  config: Config,
): ControllerRoleProblem | undefined {
  if (!config.requirePodsKey || named.length === 0) return undefined;
  const ofPods = lookUpRole(
    binding,
    view.roleMap(binding.kind, config.ackSystems[0].namespace),
    podKeys(binding, true),
  );
  // All of them are looked up before one is found: a live read asks for what was looked up, once.
  const maps = [...roleMaps(view, config)];
  const found = findControllerRole(named, maps, ofPods.ok ? ofPods.value.role : undefined);
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
