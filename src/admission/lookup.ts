import type { Namespace } from '../objects/namespace.ts';
import { quote } from '../objects/quote.ts';
import type { RoleMap, RoleMapKind } from '../objects/role-map.ts';
import type { RoleSelector } from '../objects/role-selector.ts';
import type { ServiceAccount } from '../objects/service-account.ts';
import type { BindAnswer, BindGrant, Lookup, LookupResult, ResourceSearch, StoredResource, View } from './cluster.ts';
import type { UserInfo } from './review.ts';

/** What is done for each kind of look-up; a `View` answers them. */
export type LookupHandlers<T> = { readonly [K in keyof View]: (...asked: Parameters<View[K]>) => T };

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
    case 'BindGrant':
      return handlers.mayBind(lookup.user, lookup.grant);
  }
}

/** A view whose look-ups all go one way. */
export abstract class LookupView implements View {
  /** @returns undefined where nothing is known. */
  protected abstract lookUp<L extends Lookup>(lookup: L): LookupResult<L> | undefined;

  namespace(name: string): Namespace | undefined {
    return this.lookUp({ kind: 'Namespace', name });
  }

  serviceAccount(namespace: string, name: string): ServiceAccount | undefined {
    return this.lookUp({ kind: 'ServiceAccount', namespace, name });
  }

  roleMap(map: RoleMapKind, ackSystem: string): RoleMap | undefined {
    return this.lookUp({ kind: 'RoleMap', map, ackSystem });
  }

  roleSelectors(): readonly RoleSelector[] | undefined {
    return this.lookUp({ kind: 'RoleSelectors' });
  }

  namespaces(): Iterable<Namespace> {
    return this.lookUp({ kind: 'Namespaces' }) ?? [];
  }

  findResources(search: ResourceSearch): readonly StoredResource[] | undefined {
    return this.lookUp({ kind: 'Resources', search });
  }

  mayBind(user: UserInfo, grant: BindGrant): BindAnswer | undefined {
    return this.lookUp({ kind: 'BindGrant', user, grant });
  }
}

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
  // A decision is about one user.
  mayBind: (_, { resource, id = '' }) => `may-bind/${resource}/${id}`,
};

/** The same for look-ups of the same thing. */
export function lookupKey(lookup: Lookup): string {
  return dispatchLookup(lookup, keys);
}

/** `account "111122223333"`, or `every account`. */
function nameGrant({ resource, id }: BindGrant): string {
  const one = resource === 'accounts' ? 'account' : 'team';
  return id === undefined ? `every ${one}` : `${one} ${quote(id)}`;
}

const descriptions: LookupHandlers<string> = {
  namespace: name => `Namespace ${quote(name)}`,
  serviceAccount: (namespace, name) => `ServiceAccount ${quote(`${namespace}/${name}`)}`,
  roleMap: map => `the ${map} map`,
  roleSelectors: () => 'the list of IAMRoleSelectors',
  namespaces: () => 'the list of namespaces',
  findResources: () => 'the list of ACK resources',
  mayBind: (_, grant) => `the answer on who may bind ${nameGrant(grant)}`,
};

export function describeLookup(lookup: Lookup): string {
  return dispatchLookup(lookup, descriptions);
}
