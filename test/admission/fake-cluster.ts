import type { Cluster, Lookup, LookupResult, StoredResource, View } from '../../src/admission/cluster.ts';
import { lookUpIn } from '../../src/admission/lookup.ts';
import type { RoleMapKind } from '../../src/objects/role-map.ts';
import { readRoleSelector } from '../../src/objects/role-selector.ts';

type Strings = Readonly<Record<string, string>>;

/** What a fake cluster holds. */
export interface FakeState {
  readonly namespaces?: Readonly<Record<string, { readonly labels?: Strings; readonly annotations?: Strings }>>;
  /** Annotations by `NAMESPACE/NAME`. */
  readonly serviceAccounts?: Readonly<Record<string, Strings>>;
  /** Of every ACK system namespace. */
  readonly maps?: Readonly<Partial<Record<RoleMapKind, Strings>>>;
  /** Of single ACK system namespaces, in place of `maps`. */
  readonly mapsOf?: Readonly<Record<string, Readonly<Partial<Record<RoleMapKind, Strings>>>>>;
  /** IAMRoleSelector objects; without them the cluster has no such kind. */
  readonly roleSelectors?: readonly object[];
  readonly resources?: readonly StoredResource[];
  /** What each user may bind, as `accounts/ID`, or `accounts/*` for every one; without it nobody knows. */
  readonly grants?: Readonly<Record<string, readonly string[]>>;
}

const toMap = (strings: Strings = {}): ReadonlyMap<string, string> => new Map(Object.entries(strings));

/** A view of a state, as the watching cluster gives it. */
export function viewOf({ namespaces = {}, serviceAccounts = {}, maps = {}, mapsOf, ...rest }: FakeState): View {
  const namespaceOf = (name: string) => {
    const found = Object.hasOwn(namespaces, name) ? namespaces[name] : undefined;
    return found && { name, labels: toMap(found.labels), annotations: toMap(found.annotations) };
  };
  return {
    namespace: namespaceOf,
    serviceAccount: (namespace, name) => {
      const key = `${namespace}/${name}`;
      const annotations = Object.hasOwn(serviceAccounts, key) ? serviceAccounts[key] : undefined;
      return annotations && { labels: new Map(), annotations: toMap(annotations) };
    },
    roleMap: (kind, ackSystem) => {
      const map = (mapsOf === undefined ? maps : mapsOf[ackSystem])?.[kind];
      return map && toMap(map);
    },
    roleSelectors: () => rest.roleSelectors?.map(readRoleSelector),
    namespaces: () => Object.keys(namespaces).flatMap(name => namespaceOf(name) ?? []),
    mayBind: ({ username }, { resource, id }) => {
      if (rest.grants === undefined) return undefined;
      const granted = rest.grants[username] ?? [];
      return [`${resource}/${id}`, `${resource}/*`].some(each => granted.includes(each)) ? 'granted' : 'denied';
    },
    findResources: ({ wanted, besides = [], atMost }) => {
      const { resources } = rest;
      if (resources === undefined) return undefined;
      return [...new Set([wanted, ...besides].flatMap(asks => resources.filter(asks).slice(0, atMost)))];
    },
  };
}

function describe(reference: Lookup): string {
  switch (reference.kind) {
    case 'Namespace':
      return `Namespace ${reference.name}`;
    case 'ServiceAccount':
      return `ServiceAccount ${reference.namespace}/${reference.name}`;
    case 'RoleMap':
      return `RoleMap ${reference.map}`;
    case 'BindGrant':
      return `BindGrant ${reference.grant.resource}/${reference.grant.id ?? '*'}`;
    default:
      return reference.kind;
  }
}

/** A cluster that remembers one state and reads another live, and notes what it was asked. */
export class FakeCluster implements Cluster {
  readonly cache: View | undefined;
  /** Every live read, in its order. */
  readonly reads: string[] = [];
  /** The namespaces whose budget was charged, and the deadlines. */
  readonly charged: [namespace: string, deadline: number][] = [];
  readonly #live: FakeState | Error;

  /** @param live a state, or what every live read is rejected with. */
  constructor(cache: FakeState | undefined, live: FakeState | Error) {
    this.cache = cache && viewOf(cache);
    this.#live = live;
  }

  async read<R extends Lookup>(reference: R, namespace: string, deadline: number): Promise<LookupResult<R>> {
    this.reads.push(describe(reference));
    this.charged.push([namespace, deadline]);
    if (this.#live instanceof Error) throw this.#live;
    return lookUpIn(viewOf(this.#live), reference);
  }
}

export const account = '111111111111';
export const role = `arn:aws:iam::${account}:role/pods`;

/** A state in which pods of the namespace `shop` are injected. */
export const good = {
  namespaces: {
    shop: {
      labels: { 'carm-webhook.dev/inject': 'enabled' },
      annotations: { 'services.k8s.aws/owner-account-id': account },
    },
  },
  serviceAccounts: { 'shop/default': {} },
  maps: { account: { [`pods.${account}`]: role } },
} as const satisfies FakeState;

/** A state with a mode for the namespace `shop`. */
export function inMode(mode: string, state: FakeState = good): FakeState {
  const shop = state.namespaces?.['shop'];
  return {
    ...state,
    namespaces: { shop: { ...shop, labels: { ...shop?.labels, 'carm-webhook.dev/mode': mode } } },
  };
}
