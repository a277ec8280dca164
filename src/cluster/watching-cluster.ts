import { type RoleMap, type RoleMapKind, readRoleMap, roleMapNames } from '../accounts/role-map.ts';
import type { Namespace } from '../accounts/served-namespace.ts';
import {
  type Cluster,
  type Reference,
  type Referent,
  type ServiceAccount,
  UnverifiedError,
  type View,
} from '../admission/cluster.ts';
import { probablyMeant } from '../injection/near-miss.ts';
import type { ApiConnection, ApiPool } from './api-connection.ts';
import { type ApiObject, objectKey } from './api-object.ts';
import { ReadBudget } from './budget.ts';
import { keepMetadata } from './kept-metadata.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult, LiveReads } from './live-reads.ts';
import { WatchLoop, type WatchObserver } from './watch-loop.ts';

export interface WatchingClusterOptions {
  readonly connection: ApiConnection;
  readonly ackSystemNamespace: string;
  /** The maps that decisions can ask for: the team map only where team ids bind. */
  readonly maps: readonly RoleMapKind[];
  /** Past this age nothing is decided by memory. */
  readonly maxStalenessMs: number;
  readonly observer: WatchObserver & {
    liveRead(resource: string, result: LiveReadResult): void;
    /** Something in memory is another than before. */
    changed(): void;
  };
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
}

/** What is the same of every watch loop, whatever it keeps. */
type Loop = Pick<WatchLoop<Namespace>, 'resource' | 'synced' | 'lastEventAt' | 'start' | 'stop'>;

/** Names of what is watched, as metrics have them. */
export const watchedResources = ['namespaces', 'serviceaccounts', 'account-map', 'team-map'] as const;

const keepNamespaceMetadata = keepMetadata(
  key => key.startsWith('carm-webhook.dev/'),
  key => key.startsWith('services.k8s.aws/') || key.startsWith('carm-webhook.dev/'),
);

function keepNamespace(object: ApiObject): Namespace {
  return { name: object.metadata.name, ...keepNamespaceMetadata(object) };
}

/** Annotations that are slips are kept too: they are warned of. */
const keepServiceAccount: (object: ApiObject) => ServiceAccount = keepMetadata(
  () => false,
  key =>
    key.startsWith('eks.amazonaws.com/') || key.startsWith('carm-webhook.dev/') || probablyMeant(key) !== undefined,
);

function keepRoleMap(object: ApiObject): RoleMap {
  return readRoleMap(object['data']);
}

const part = encodeURIComponent;

/**
 * A cluster by list and watch, and by live reads where memory is missing, denies, or is too old.
 * Namespaces and ServiceAccounts are kept as the little metadata that decisions read.
 */
export class WatchingCluster implements Cluster {
  readonly #options: WatchingClusterOptions;
  readonly #nowMs: () => number;
  readonly #pool: ApiPool;
  readonly #namespaces: WatchLoop<Namespace>;
  readonly #serviceAccounts: WatchLoop<ServiceAccount>;
  readonly #maps: ReadonlyMap<RoleMapKind, WatchLoop<RoleMap>>;
  readonly #loops: readonly Loop[];
  readonly #view: View;
  readonly #liveNamespaces: LiveReads<Namespace>;
  readonly #liveServiceAccounts: LiveReads<ServiceAccount>;
  readonly #liveMaps: LiveReads<RoleMap>;

  constructor(options: WatchingClusterOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    const { connection, ackSystemNamespace, maps, maxStalenessMs, observer } = options;
    const common = { connection, maxStalenessMs, observer, onChange: () => observer.changed(), nowMs: this.#nowMs };
    this.#namespaces = new WatchLoop({
      ...common,
      resource: 'namespaces',
      path: '/api/v1/namespaces',
      metadataOnly: true,
      keep: keepNamespace,
    });
    this.#serviceAccounts = new WatchLoop({
      ...common,
      resource: 'serviceaccounts',
      path: '/api/v1/serviceaccounts',
      metadataOnly: true,
      keep: keepServiceAccount,
    });
    const configMaps = `/api/v1/namespaces/${part(ackSystemNamespace)}/configmaps`;
    this.#maps = new Map(
      maps.map(kind => [
        kind,
        new WatchLoop({
          ...common,
          resource: `${kind}-map`,
          path: `${configMaps}?fieldSelector=${part(`metadata.name=${roleMapNames[kind]}`)}`,
          metadataOnly: false,
          keep: keepRoleMap,
        }),
      ]),
    );
    this.#loops = [this.#namespaces, this.#serviceAccounts, ...this.#maps.values()];
    this.#view = {
      namespace: name => this.#namespaces.get(name),
      serviceAccount: (namespace, name) => this.#serviceAccounts.get(objectKey(namespace, name)),
      roleMap: kind => this.#maps.get(kind)?.get(objectKey(ackSystemNamespace, roleMapNames[kind])),
    };
    this.#pool = connection.pool(16);
    const live = {
      pool: this.#pool,
      budget: new ReadBudget({ nowMs: this.#nowMs }),
      onResult: (resource: string, result: LiveReadResult) => observer.liveRead(resource, result),
      nowMs: this.#nowMs,
    };
    this.#liveNamespaces = new LiveReads({
      ...live,
      resource: 'namespaces',
      path: ({ name }) => `/api/v1/namespaces/${part(name)}`,
      metadataOnly: true,
      keep: keepNamespace,
    });
    this.#liveServiceAccounts = new LiveReads({
      ...live,
      resource: 'serviceaccounts',
      path: ({ namespace = '', name }) => `/api/v1/namespaces/${part(namespace)}/serviceaccounts/${part(name)}`,
      metadataOnly: true,
      keep: keepServiceAccount,
    });
    this.#liveMaps = new LiveReads({
      ...live,
      resource: 'configmaps',
      path: ({ name }) => `${configMaps}/${part(name)}`,
      metadataOnly: false,
      keep: keepRoleMap,
    });
  }

  start(): void {
    for (const loop of this.#loops) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#loops.map(loop => loop.stop()), this.#pool.close()]);
  }

  get memory(): View | undefined {
    const oldest = this.#nowMs() - this.#options.maxStalenessMs;
    const fresh = this.#loops.every(
      ({ synced, lastEventAt }) => synced && lastEventAt !== undefined && lastEventAt >= oldest,
    );
    return fresh ? this.#view : undefined;
  }

  /** What was not listed yet, a line each. What is only old is asked live, so it does not count. */
  notReady(): readonly string[] {
    return this.#loops.filter(({ synced }) => !synced).map(({ resource }) => `${resource} is not listed yet`);
  }

  /** Every namespace in memory, fresh or not. */
  *namespaces(): Iterable<Namespace> {
    for (const [, namespace] of this.#namespaces.entries()) yield namespace;
  }

  /** A map in memory, fresh or not. */
  roleMap(kind: RoleMapKind): RoleMap | undefined {
    return this.#view.roleMap(kind);
  }

  async read<R extends Reference>(reference: R, namespace: string, deadline: number): Promise<Referent<R>> {
    try {
      return (await this.#read(reference, namespace, deadline)) as Referent<R>;
    } catch (error) {
      if (error instanceof BudgetSpentError) throw new UnverifiedError(429, error.message, { cause: error });
      if (error instanceof LiveReadError) throw new UnverifiedError(503, error.message, { cause: error });
      throw error;
    }
  }

  #read(reference: Reference, payer: string, deadline: number): Promise<Referent<Reference>> {
    switch (reference.kind) {
      case 'Namespace':
        return this.#liveNamespaces.read({ namespace: undefined, name: reference.name, payer }, deadline);
      case 'ServiceAccount':
        return this.#liveServiceAccounts.read({ ...reference, payer }, deadline);
      case 'RoleMap': {
        const { ackSystemNamespace } = this.#options;
        const name = roleMapNames[reference.map];
        return this.#liveMaps.read({ namespace: ackSystemNamespace, name, payer }, deadline);
      }
    }
  }
}
