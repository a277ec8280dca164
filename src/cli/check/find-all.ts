import { findControllerRole } from '../../accounts/controller-roles.ts';
import { managementOf } from '../../accounts/managed-namespace.ts';
import type { Config } from '../../admission/config.ts';
import { roleMaps } from '../../admission/pods/controller-role.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { quoteNames } from '../../objects/quote.ts';
import { roleMapNames } from '../../objects/role-map.ts';
import { findInHubFlag, findInNamespaceAccess } from './access-findings.ts';
import { findInBindGrants } from './bind-findings.ts';
import { controllersIn, defaultsOf, findInControllers } from './controller-findings.ts';
import { type Finding, finding } from './finding.ts';
import { findInMaps, mapObject } from './map-findings.ts';
import { findInNamespace, type NamespaceFindings } from './namespace-findings.ts';
import { findInResources } from './resource-findings.ts';
import { findBrokenRoles } from './role-findings.ts';
import { findInServiceAccounts } from './service-account-findings.ts';

function namesOf(namespaces: readonly NamespaceFindings[]): string {
  return quoteNames(namespaces.map(({ namespace }) => namespace.name));
}

/** A map that is missing, told once for all who are bound by it. */
function missingMaps(namespaces: readonly NamespaceFindings[], config: Config): readonly Finding[] {
  return (['account', 'team'] as const).flatMap(kind => {
    const bound = namespaces.filter(({ binding, mapMissing }) => mapMissing && binding?.kind === kind);
    if (bound.length === 0) return [];
    const reason = kind === 'account' ? 'AccountMapMissing' : 'TeamMapMissing';
    const message = `there is no such ConfigMap, but namespaces need it: ${namesOf(bound)}`;
    const remedy = `Create ${roleMapNames[kind]} in ${config.ackSystems[0].namespace} with a role for each ${kind}.`;
    return [finding(reason, mapObject(kind, config), message, remedy)];
  });
}

/** Ids whose workloads get the role that ACK provisions with, each told once. */
function sharedRoles(namespaces: readonly NamespaceFindings[], state: Snapshot, config: Config): readonly Finding[] {
  const maps = [...roleMaps(state, config)];
  const byEntry = new Map<string, NamespaceFindings[]>();
  for (const each of namespaces) {
    const { binding, mapped, namespace } = each;
    if (binding === undefined || mapped === undefined) continue;
    if (findControllerRole([{ role: mapped.role, at: mapped.key }], maps, undefined) === undefined) continue;
    if (managementOf(namespace, config.ownNamespace, config.featureGates) !== 'managed') continue;
    const entry = `${binding.kind}/${binding.id}`;
    byEntry.set(entry, [...(byEntry.get(entry) ?? []), each]);
  }
  return [...byEntry.values()].flatMap(sharing => {
    const { binding, mapped } = sharing[0] ?? {};
    if (binding === undefined || mapped === undefined) return [];
    const ofPods = `"pods.${binding.id}"`;
    const message =
      mapped.key === binding.id
        ? `no key ${ofPods}: pods get the role that ACK uses under "${binding.id}", in ${namesOf(sharing)}`
        : `ACK uses the role under ${ofPods} too: pods get it in ${namesOf(sharing)}`;
    const remedy =
      mapped.key === binding.id
        ? `Add the key ${ofPods} with a role for workloads.`
        : `Set ${ofPods} to a role for workloads.`;
    return [finding('PodsShareControllerRole', mapObject(binding.kind, config), message, remedy)];
  });
}

/**
 * What `check` finds in a cluster besides its pods.
 * @param tell a line for each cause for which something was not checked.
 */
export function findAll(state: Snapshot, config: Config, tell: (line: string) => void): readonly Finding[] {
  const controllers = controllersIn(state, config);
  const namespaces = [...state.namespaces()].map(namespace => findInNamespace(namespace, state, config));
  const byName = new Map(namespaces.map(each => [each.namespace.name, each]));
  return [
    ...findInMaps(state, config),
    ...missingMaps(namespaces, config),
    ...sharedRoles(namespaces, state, config),
    ...findInBindGrants(state, config, tell),
    ...findInHubFlag(state, config),
    ...namespaces.flatMap(({ findings }) => findings),
    ...namespaces.flatMap(each => findInNamespaceAccess(each, state, config)),
    ...findInServiceAccounts(state, byName, config),
    ...findInControllers(controllers, config, tell),
    ...findInResources(state, config, defaultsOf(controllers, state)),
    ...findBrokenRoles(state, config),
  ];
}
