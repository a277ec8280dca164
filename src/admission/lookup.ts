import type { Namespace } from '../objects/namespace.ts';
import { quote } from '../objects/quote.ts';
import type { RoleMapKind } from '../objects/role-map.ts';
import type { Lookup, LookupResult, ResourceSearch, View } from './cluster.ts';

/** What is done for each kind of look-up; a `View` answers them. */
export interface LookupHandlers<T> {
  namespace(name: string): T;
  serviceAccount(namespace: string, name: string): T;
  roleMap(map: RoleMapKind, ackSystem: string): T;
  roleSelectors(): T;
  namespaces(): T;
  findResources(search: ResourceSearch): T;
}

/** The one switch over the kinds of look-up. */
export function dispatchLookup<T>(lookup: Lookup, handlers: LookupHandlers<T>): T {
  switch (lookup.kind) {
    case 'Namespace':
      return handlers.namespace(lookup.name);
    case 'ServiceAccount':
      return handlers.serviceAccount(lookup.namespace, lookup.name);
    case 'RoleMap':
      return handlers.roleMap(lookup.map, lookup.ackSystem);
    case 'RoleSelectors':
      return handlers.roleSelectors();
    case 'Namespaces':
      return handlers.namespaces();
    case 'Resources':
      return handlers.findResources(lookup.search);
  }
}

/** What a view knows of a look-up. */
export function lookUpIn<L extends Lookup>(view: View, lookup: L): LookupResult<L> {
  const found: unknown = dispatchLookup<unknown>(lookup, view);
  // A view may give its namespaces one by one.
  return (lookup.kind === 'Namespaces' ? Array.from(found as Iterable<Namespace>) : found) as LookupResult<L>;
}

const keys: LookupHandlers<string> = {
  namespace: name => `namespace/${name}`,
  serviceAccount: (namespace, name) => `service-account/${namespace}/${name}`,
  roleMap: (map, ackSystem) => `role-map/${ackSystem}/${map}`,
  roleSelectors: () => 'role-selectors',
  namespaces: () => 'namespaces',
  // A decision searches once at most.
  findResources: () => 'resources',
};

/** The same for look-ups of the same thing. */
export function lookupKey(lookup: Lookup): string {
  return dispatchLookup(lookup, keys);
}

const descriptions: LookupHandlers<string> = {
  namespace: name => `Namespace ${quote(name)}`,
  serviceAccount: (namespace, name) => `ServiceAccount ${quote(`${namespace}/${name}`)}`,
  roleMap: map => `the ${map} map`,
  roleSelectors: () => 'the list of IAMRoleSelectors',
  namespaces: () => 'the list of namespaces',
  findResources: () => 'the list of ACK resources',
};

/** How messages name what is looked up. */
export function describeLookup(lookup: Lookup): string {
  return dispatchLookup(lookup, descriptions);
}
