import { isAccountId } from '../../accounts/account-id.ts';
import { ackCommonGroup, serviceAliasOf, serviceKeys } from '../../accounts/ack-service.ts';
import { ackSystemsOf } from '../../accounts/ack-system.ts';
import { type Binding, isBound } from '../../accounts/binding.ts';
import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import { podsPrefix } from '../../accounts/pod-role.ts';
import { lookUpRole, sameAccount } from '../../accounts/role-map.ts';
import { KeySet } from '../../objects/key-set.ts';
import { mostNames } from '../../objects/quote.ts';
import type { RoleMap } from '../../objects/role-map.ts';
import type { ResourceType } from '../../objects/role-selector.ts';
import type { StoredResource, View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { readMapKey } from './map-entries.ts';

/** What becomes of the account map of an ACK system namespace. */
export interface AccountMapChange {
  readonly before: RoleMap;
  readonly after: RoleMap;
}

/** Resources that ACK finds its role for by an entry, and would not find one any more. */
export interface EntryUse {
  readonly key: string;
  readonly resources: readonly StoredResource[];
}

/** Keys of entries that ACK may go by: it could not be checked. */
export interface EntriesInDoubt {
  readonly inDoubt: readonly string[];
}

const noKeys = new KeySet([]);

/** Services that are searched by name; more of them are a search of all. */
const mostServices = 100;

/** The key that these look-ups found a role by, if after the change they find none in the same account. */
function lostKey(binding: Binding, keys: readonly string[], { before, after }: AccountMapChange): string | undefined {
  const was = lookUpRole(binding, before, keys);
  if (!was.ok) return undefined;
  const is = lookUpRole(binding, after, keys);
  return is.ok && sameAccount(is.value, was.value) ? undefined : was.value.key;
}

function lostByService(
  binding: Binding,
  alias: string,
  change: AccountMapChange,
  { featureGates }: Config,
): string | undefined {
  return lostKey(binding, serviceKeys(binding, alias, featureGates), change);
}

const isServedFrom = (ackSystem: string, alias: string, { ackSystems }: Config): boolean =>
  ackSystemsOf(ackSystems, alias).some(({ namespace }) => namespace === ackSystem);

const typesOf = (aliases: ReadonlySet<string>): readonly ResourceType[] =>
  aliases.size > mostServices
    ? []
    : Array.from(aliases, alias => ({ group: `${alias}.${ackCommonGroup}`, version: '', kind: '' }));

/** New keys too: a new key of a service takes the place of the one that all services share. */
function changedKeys({ before, after }: AccountMapChange): readonly string[] {
  const removed = [...before.keys()].filter(key => !after.has(key));
  return [...removed, ...[...after].filter(([key, value]) => before.get(key) !== value).map(([key]) => key)];
}

/** What a change takes away from services that read the map. */
interface Loss {
  readonly keys: readonly string[];
  /** Types of the resources that may be in those accounts; empty for every type. */
  readonly types: readonly ResourceType[];
}

/** @returns undefined where a change takes no account away from any service. */
function lossOf(ackSystem: string, change: AccountMapChange, config: Config): Loss | undefined {
  const { ackSystems, featureGates } = config;
  const keys: string[] = [];
  const aliases = new Set<string>();
  let isOfEvery = false;
  for (const key of changedKeys(change)) {
    const { prefix, binding } = readMapKey('account', key) ?? {};
    if (binding === undefined || prefix === podsPrefix) continue;
    if (prefix === undefined) {
      // For every service without a key of its own.
      if (lostKey(binding, [binding.id], change) === undefined) continue;
      const { services } = ackSystems.find(({ namespace }) => namespace === ackSystem) ?? {};
      if (services === undefined) isOfEvery = true;
      for (const alias of services ?? []) aliases.add(alias);
    } else {
      if (!featureGates.ServiceLevelCARM || !isServedFrom(ackSystem, prefix, config)) continue;
      if (lostByService(binding, prefix, change, config) === undefined) continue;
      aliases.add(prefix);
    }
    keys.push(key);
  }
  if (keys.length === 0) return undefined;
  return { keys, types: isOfEvery ? [] : typesOf(aliases) };
}

/** Namespaces in which ACK goes by the status: it knows no binding of them. */
function namespacesByStatus(view: View, { featureGates }: Config): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { name, annotations } of view.namespaces()) {
    if (isIgnoredByAck(name) || !isBound(annotations, featureGates)) names.add(name);
  }
  return names;
}

/**
 * An entry of the account map that a change takes away, or moves to another account, while ACK goes by it: in a namespace
 * that is not bound, it looks up the account that it wrote into a resource's status. Without the entry it would stop at
 * the resource, and could not delete it. It never looks a team up that way.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getOwnerAccountID)
 * @returns undefined if no such entry is lost; the keys in doubt if the resources have not been searched, or could not be.
 */
export function entryUsedByStatus(
  ackSystem: string,
  change: AccountMapChange,
  view: View,
  config: Config,
): EntryUse | EntriesInDoubt | undefined {
  // By selectors ACK reads no map.
  if (config.featureGates.IAMRoleSelector) return undefined;
  const loss = lossOf(ackSystem, change, config);
  if (loss === undefined) return undefined;
  const { keys, types } = loss;
  const namespaces = namespacesByStatus(view, config);
  const keyOf = ({ group, namespace, recorded }: StoredResource): string | undefined => {
    const alias = serviceAliasOf(group);
    const id = recorded?.accountId;
    if (id === undefined || !isAccountId(id) || alias === undefined || !namespaces.has(namespace)) return undefined;
    if (!isServedFrom(ackSystem, alias, config)) return undefined;
    return lostByService({ kind: 'account', id }, alias, change, config);
  };
  const found = view.findResources({
    types,
    namespaces: [...namespaces],
    labels: new Map(),
    labelKeys: noKeys,
    readsStatus: true,
    // A failed search must not block an edit of the maps.
    advisory: true,
    wanted: resource => keyOf(resource) !== undefined,
    // One more than are named, to say that there are others.
    atMost: mostNames + 1,
  });
  if (found === undefined) return { inDoubt: keys };
  const [first] = found;
  const key = first && keyOf(first);
  return key === undefined ? undefined : { key, resources: found.filter(resource => keyOf(resource) === key) };
}
