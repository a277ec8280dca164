import { findControllerRole } from '../../accounts/controller-roles.ts';
import { servingOf } from '../../accounts/served-namespace.ts';
import { quoteNames } from '../../admission/catalogue/quote.ts';
import { roleMaps } from '../../admission/pods/controller-role.ts';
import type { Rules } from '../../admission/rules.ts';
import type { Snapshot } from '../../cluster/snapshot.ts';
import { roleMapNames } from '../../objects/role-map.ts';
import { type Finding, finding, sortFindings } from './finding.ts';
import { findInMaps, mapObject } from './map-findings.ts';
import { findInNamespace, type NamespaceFindings } from './namespace-findings.ts';
import { findInResources } from './resource-findings.ts';
import { findInServiceAccounts } from './service-account-findings.ts';

function namesOf(namespaces: readonly NamespaceFindings[]): string {
  return quoteNames(namespaces.map(({ namespace }) => namespace.name));
}

/** A map that is missing, told once for all who are bound by it. */
function missingMaps(namespaces: readonly NamespaceFindings[], rules: Rules): readonly Finding[] {
  return (['account', 'team'] as const).flatMap(kind => {
    const bound = namespaces.filter(({ binding, mapMissing }) => mapMissing && binding?.kind === kind);
    if (bound.length === 0) return [];
    const reason = kind === 'account' ? 'AccountMapMissing' : 'TeamMapMissing';
    const message = `there is no such ConfigMap, and namespaces are bound by it: ${namesOf(bound)}`;
    const remedy = `Create ${roleMapNames[kind]} in ${rules.ackSystems[0].namespace} with a role for each ${kind}.`;
    return [finding(reason, mapObject(kind, rules), message, remedy)];
  });
}

/** Ids whose workloads get the role that ACK provisions with, each told once. */
function sharedRoles(namespaces: readonly NamespaceFindings[], state: Snapshot, rules: Rules): readonly Finding[] {
  const maps = [...roleMaps(state, rules)];
  const byEntry = new Map<string, NamespaceFindings[]>();
  for (const each of namespaces) {
    const { binding, mapped, namespace } = each;
    if (binding === undefined || mapped === undefined) continue;
    if (findControllerRole([{ role: mapped.role, at: mapped.key }], maps, undefined) === undefined) continue;
    if (servingOf(namespace, rules.ownNamespace, rules.featureGates) !== 'served') continue;
    const entry = `${binding.kind}/${binding.id}`;
    byEntry.set(entry, [...(byEntry.get(entry) ?? []), each]);
  }
  return [...byEntry.values()].flatMap(sharing => {
    const { binding, mapped } = sharing[0] ?? {};
    if (binding === undefined || mapped === undefined) return [];
    const ofPods = `"pods.${binding.id}"`;
    const message =
      mapped.key === binding.id
        ? `no key ${ofPods}: pods get the role that ACK works with under "${binding.id}", in ${namesOf(sharing)}`
        : `the role under ${ofPods} is one that ACK works with too: pods get it in ${namesOf(sharing)}`;
    const remedy =
      mapped.key === binding.id
        ? `Add the key ${ofPods} with a role for workloads.`
        : `Put a role for workloads under ${ofPods}.`;
    return [finding('PodsShareControllerRole', mapObject(binding.kind, rules), message, remedy)];
  });
}

/** Everything that `check` finds in a cluster, errors first. */
export function findAll(state: Snapshot, rules: Rules): readonly Finding[] {
  const namespaces = [...state.namespaces()].map(namespace => findInNamespace(namespace, state, rules));
  const byName = new Map(namespaces.map(each => [each.namespace.name, each]));
  return sortFindings([
    ...findInMaps(state, rules),
    ...missingMaps(namespaces, rules),
    ...sharedRoles(namespaces, state, rules),
    ...namespaces.flatMap(({ findings }) => findings),
    ...findInServiceAccounts(state, byName, rules),
    ...findInResources(state, rules),
  ]);
}
