import { type Cluster, type Lookup, type LookupResult, UnverifiedError, type View } from '../admission/cluster.ts';
import { describeLookup, dispatchLookup } from '../admission/lookup.ts';
import type { KeySet } from '../objects/key-set.ts';
import type { Namespace } from '../objects/namespace.ts';
import { type RoleMap, type RoleMapKind, roleMapNames } from '../objects/role-map.ts';
import type { RoleSelector } from '../objects/role-selector.ts';
import type { ServiceAccount } from '../objects/service-account.ts';
import type { ApiConnection, ApiPool } from './api/api-connection.ts';
import { objectKey } from './api/api-object.ts';
import { apiPaths } from './api/api-requests.ts';
import { BindReviews } from './live/bind-reviews.ts';
import { ReadBudget } from './live/budget.ts';
import { LiveList } from './live/live-list.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult } from './live/live-read-result.ts';
import { LiveReads } from './live/live-reads.ts';
import { ResourceFinder } from './live/resource-finder.ts';
import {
  type AskedLabels,
  type CachedNamespace,
  cachedNamespaces,
  cachedServiceAccounts,
  knownLabels,
  listNamespacesLive,
  projectRoleMaps,
  projectRoleSelectors,
  readNamespaceLive,
  readServiceAccountLive,
  tooLargeToCache,
} from './projections/object-projections.ts';
import { WatchLoop, type WatchObserver } from './watch/watch-loop.ts';

export interface WatchingClusterOptions {
  readonly connection: ApiConnection;
  /** Namespaces whose maps decisions can ask for. */
  readonly ackSystems: readonly string[];
  /** The maps that decisions can ask for: the team map only where team ids bind. */
  readonly maps: readonly RoleMapKind[];
  /** Whether decisions can ask for IAMRoleSelectors, and so for every label of a namespace. */
  readonly roleSelectors: boolean;
  /** Past this age nothing is decided from the cache. */
  readonly maxStalenessMs: number;
  readonly observer: WatchObserver & {
    liveRead(resource: string, result: LiveReadResult): void;
    /** Something in the cache is another than before. */
    changed(): void;
  };
}

/** What is the same of every watch loop, whatever it caches. */
type Loop = Pick<WatchLoop<RoleMap>, 'resource' | 'synced' | 'lastEventAt' | 'start' | 'stop'>;

const allNamespaces = { resource: 'namespaces', path: apiPaths.namespaces, metadataOnly: true } as const;
const allRoleSelectors = {
  resource: 'iamroleselectors',
  path: apiPaths.roleSelectors,
  metadataOnly: false,
  projection: projectRoleSelectors,
  mayBeMissing: true,
} as const;

/** Name of a map that is watched, as metrics have it. */
function mapResource(kind: RoleMapKind, ackSystem: string, ackSystems: readonly string[]): string {
  return ackSystem === ackSystems[0] ? `${kind}-map` : `${kind}-map/${ackSystem}`;
}

/** Names of what is watched with these options, as metrics have them. */
export function watchedResources({
  ackSystems,
  maps,
  roleSelectors,
}: Pick<WatchingClusterOptions, 'ackSystems' | 'maps' | 'roleSelectors'>): readonly string[] {
  return [
    'namespaces',
    'serviceaccounts',
    ...maps.flatMap(kind => ackSystems.map(ackSystem => mapResource(kind, ackSystem, ackSystems))),
    ...(roleSelectors ? ['iamroleselectors'] : []),
  ];
}

/**
 * A cluster by list and watch, and by live reads where the cache is missing, denies, or is too old.
 * Namespaces and ServiceAccounts are cached as the little metadata that decisions read.
 */
export class WatchingCluster implements Cluster {
  readonly #options: WatchingClusterOptions;
  readonly #pool: ApiPool;
  readonly #namespaces: WatchLoop<CachedNamespace>;
  readonly #serviceAccounts: WatchLoop<ServiceAccount>;
  /** By `namespace/name` of the ConfigMap. */
  readonly #maps: ReadonlyMap<string, WatchLoop<RoleMap>>;
  readonly #roleSelectors: WatchLoop<RoleSelector> | undefined;
  readonly #loops: readonly Loop[];
  readonly #view: View;
  readonly #liveNamespaces: LiveReads<Namespace>;
  readonly #liveServiceAccounts: LiveReads<ServiceAccount>;
  readonly #liveMaps: LiveReads<RoleMap>;
  readonly #liveNamespaceList: LiveList<Namespace>;
  readonly #liveRoleSelectors: LiveList<RoleSelector>;
  readonly #resourceFinder: ResourceFinder;
  readonly #bindReviews: BindReviews;
  /** The labels of namespaces that known selectors ask for; undefined when that may have changed. */
  #asked: KeySet | undefined;

  constructor(options: WatchingClusterOptions) {
    this.#options = options;
    const { connection, ackSystems, maps, maxStalenessMs, observer } = options;
    const asked: AskedLabels = { every: options.roleSelectors, known: () => this.#knownLabels() };
    const common = { connection, maxStalenessMs, observer, onChange: () => observer.changed() };
    this.#namespaces = new WatchLoop({ ...common, ...allNamespaces, projection: cachedNamespaces(asked) });
    this.#serviceAccounts = new WatchLoop({
      ...common,
      resource: 'serviceaccounts',
      path: apiPaths.serviceAccounts,
      metadataOnly: true,
      projection: cachedServiceAccounts,
    });
    const loops = ackSystems.flatMap(ackSystem =>
      maps.map((kind): [string, WatchLoop<RoleMap>] => [
        objectKey(ackSystem, roleMapNames[kind]),
        new WatchLoop({
          ...common,
          resource: mapResource(kind, ackSystem, ackSystems),
          path: apiPaths.configMapList(ackSystem, roleMapNames[kind]),
          metadataOnly: false,
          projection: projectRoleMaps,
        }),
      ]),
    );
    this.#maps = new Map(loops);
    this.#roleSelectors = options.roleSelectors
      ? new WatchLoop({
          ...common,
          ...allRoleSelectors,
          onChange: () => {
            this.#asked = undefined;
            observer.changed();
          },
        })
      : undefined;
    this.#loops = [
      this.#namespaces,
      this.#serviceAccounts,
      ...this.#maps.values(),
      ...(this.#roleSelectors === undefined ? [] : [this.#roleSelectors]),
    ];
    this.#view = {
      namespace: name => this.#cachedNamespace(name),
      serviceAccount: (namespace, name) => this.#cachedServiceAccount(namespace, name),
      roleMap: (kind, ackSystem) => this.roleMap(kind, ackSystem),
      roleSelectors: () => this.#knownRoleSelectors(),
      namespaces: () => this.namespaces(),
      findResources: () => undefined,
      mayBind: () => undefined,
    };
    this.#pool = connection.pool(16);
    const live = {
      pool: this.#pool,
      budget: new ReadBudget(),
      onResult: (resource: string, result: LiveReadResult) => observer.liveRead(resource, result),
    };
    this.#liveNamespaces = new LiveReads({
      ...live,
      resource: 'namespaces',
      path: ({ name }) => apiPaths.namespace(name),
      metadataOnly: true,
      projection: readNamespaceLive(asked),
    });
    this.#liveServiceAccounts = new LiveReads({
      ...live,
      resource: 'serviceaccounts',
      path: ({ namespace = '', name }) => apiPaths.serviceAccount(namespace, name),
      metadataOnly: true,
      projection: readServiceAccountLive,
    });
    this.#liveMaps = new LiveReads({
      ...live,
      resource: 'configmaps',
      path: ({ namespace = '', name }) => apiPaths.configMap(namespace, name),
      metadataOnly: false,
      projection: projectRoleMaps,
    });
    this.#liveNamespaceList = new LiveList({ ...live, ...allNamespaces, projection: listNamespacesLive(asked) });
    this.#liveRoleSelectors = new LiveList({ ...live, ...allRoleSelectors });
    this.#resourceFinder = new ResourceFinder({ connection, onResult: live.onResult });
    this.#bindReviews = new BindReviews({ connection, onResult: live.onResult });
  }

  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all([
      ...this.#loops.map(loop => loop.stop()),
      this.#pool.close(),
      this.#resourceFinder.close(),
      this.#bindReviews.close(),
    ]);
  }

  get cache(): View | undefined {
    const oldest = performance.now() - this.#options.maxStalenessMs;
    const fresh = this.#loops.every(
      ({ synced, lastEventAt }) => synced && lastEventAt !== undefined && lastEventAt >= oldest,
    );
    return fresh ? this.#view : undefined;
  }

  /** What was not listed yet, a line each. What is only old is asked live, so it does not count. */
  notReady(): readonly string[] {
    return this.#loops.filter(({ synced }) => !synced).map(({ resource }) => `${resource} is not listed yet`);
  }

  /** Every namespace in the cache, fresh or not. */
  *namespaces(): Iterable<Namespace> {
    for (const [, namespace] of this.#namespaces.entries()) yield namespace;
  }

  /** Every ServiceAccount in the cache, fresh or not, by `namespace/name`; without those with more in them than is cached. */
  *serviceAccounts(): Iterable<[key: string, serviceAccount: ServiceAccount]> {
    for (const [key, serviceAccount] of this.#serviceAccounts.entries()) {
      if (serviceAccount !== tooLargeToCache) yield [key, serviceAccount];
    }
  }

  /** A map in the cache, fresh or not. */
  roleMap(kind: RoleMapKind, ackSystem: string): RoleMap | undefined {
    const key = objectKey(ackSystem, roleMapNames[kind]);
    return this.#maps.get(key)?.get(key);
  }

  /** Undefined too for one whose labels are not all cached: what rests on a miss is asked live. */
  #cachedNamespace(name: string): Namespace | undefined {
    const namespace = this.#namespaces.get(name);
    return namespace?.isCut ? undefined : namespace;
  }

  #cachedServiceAccount(namespace: string, name: string): ServiceAccount | undefined {
    const serviceAccount = this.#serviceAccounts.get(objectKey(namespace, name));
    return serviceAccount === tooLargeToCache ? undefined : serviceAccount;
  }

  #knownLabels(): KeySet {
    this.#asked ??= knownLabels(this.#knownRoleSelectors() ?? []);
    return this.#asked;
  }

  #knownRoleSelectors(): readonly RoleSelector[] | undefined {
    if (this.#roleSelectors === undefined || this.#roleSelectors.missing) return undefined;
    return Array.from(this.#roleSelectors.entries(), ([, selector]) => selector);
  }

  async read<R extends Lookup>(lookup: R, namespace: string, deadline: number): Promise<LookupResult<R>> {
    try {
      return (await this.#read(lookup, namespace, deadline)) as LookupResult<R>;
    } catch (error) {
      if (error instanceof BudgetSpentError) throw new UnverifiedError(429, error.message, { cause: error });
      if (error instanceof LiveReadError) throw new UnverifiedError(503, error.message, { cause: error });
      throw error;
    }
  }

  async #allNamespaces(budgetNamespace: string, deadline: number): Promise<readonly Namespace[]> {
    return (await this.#liveNamespaceList.read(budgetNamespace, deadline)) ?? [];
  }

  #read(lookup: Lookup, budgetNamespace: string, deadline: number): Promise<LookupResult<Lookup>> {
    return dispatchLookup<Promise<LookupResult<Lookup>>>(lookup, {
      namespace: name => this.#liveNamespaces.read({ namespace: undefined, name, budgetNamespace }, deadline),
      serviceAccount: (namespace, name) =>
        this.#liveServiceAccounts.read({ namespace, name, budgetNamespace }, deadline),
      roleMap: (map, ackSystem) =>
        this.#liveMaps.read({ namespace: ackSystem, name: roleMapNames[map], budgetNamespace }, deadline),
      roleSelectors: () => this.#liveRoleSelectors.read(budgetNamespace, deadline),
      namespaces: () => this.#allNamespaces(budgetNamespace, deadline),
      findResources: search => this.#resourceFinder.find(search, budgetNamespace, deadline),
      mayBind: (user, grant) =>
        this.#bindReviews.ask(user, grant, { what: describeLookup(lookup), deadlineAt: deadline }),
    });
  }
}
