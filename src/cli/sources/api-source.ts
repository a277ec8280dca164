import type { Lookup, LookupResult } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { dispatchLookup } from '../../admission/lookup.ts';
import { accept } from '../../cluster/api/accept.ts';
import { type AckKind, discoverAckKinds } from '../../cluster/api/ack-kinds.ts';
import { ApiConnection, type ApiPool } from '../../cluster/api/api-connection.ts';
import { ApiError, ApiProtocolError, ClusterUnreachableError } from '../../cluster/api/api-errors.ts';
import { ClusterCredentials } from '../../cluster/api/cluster-access.ts';
import { type KubeConfigSource, loadKubeConfig } from '../../cluster/api/kube-config.ts';
import { ListExpiredError, listPages } from '../../cluster/api/list-pages.ts';
import { mostObjectBytes } from '../../cluster/api/read-json.ts';
import { roleSelectorsPath } from '../../cluster/api/role-selectors-path.ts';
import { projectWhole, type ReadObject, valueRead } from '../../cluster/projections/projection.ts';
import { Snapshot } from '../../cluster/state/snapshot.ts';
import { type JsonObject, requiredObject } from '../../objects/json.ts';
import { readAnnotations } from '../../objects/metadata.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { readNamespace } from '../../objects/namespace.ts';
import { quote } from '../../objects/quote.ts';
import { type RoleMap, readRoleMap, roleMapNames } from '../../objects/role-map.ts';
import type { RoleSelector } from '../../objects/role-selector.ts';
import { readRoleSelector } from '../../objects/role-selector.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import type { ObjectSource } from './object-source.ts';

const readLimitMs = 10_000;
const listLimitMs = 60_000;
const pageSize = 500;

/** What is read, as errors name it and as RBAC grants it. */
interface What {
  readonly named: string;
  readonly right: string;
}

/** An error to be thrown when an object could not be read: exit 3. */
export class UnreadError extends ClusterUnreachableError {
  /** Without the object. */
  readonly why: string;

  constructor({ named, right }: What, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // RBAC's own words name the verb that is missing.
    const forbidden = cause instanceof ApiError && cause.status === 403;
    const why = forbidden ? `${message} (you need the right to ${right})` : message;
    super(`cannot read ${named}: ${why}`, { cause });
    this.name = 'UnreadError';
    this.why = why;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.notFound;
}

/** The objects of a cluster by reads of its API server: only what is asked for, each object as it is now. */
export class ApiSource implements ObjectSource {
  readonly #pool: ApiPool;
  readonly #rules: Config;

  /** The kubeconfig is read with the first request. */
  constructor(source: KubeConfigSource, config: Config) {
    this.#rules = config;
    const credentials = new ClusterCredentials(() => loadKubeConfig(source));
    this.#pool = new ApiConnection(credentials).pool(4);
  }

  async #get(path: string, what: What, accepted: string = accept.whole.object): Promise<JsonObject | undefined> {
    const signal = AbortSignal.timeout(readLimitMs);
    try {
      return await this.#pool.getJson(path, { signal, accept: accepted });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw new UnreadError(what, error);
    }
  }

  async #namespace(name: string): Promise<Namespace | undefined> {
    const what = { named: `Namespace ${quote(name)}`, right: 'get namespaces' };
    const path = `/api/v1/namespaces/${encodeURIComponent(name)}`;
    const object = await this.#get(path, what, accept.metadata.object);
    return object === undefined ? undefined : readNamespace(object, name);
  }

  async #serviceAccount(namespace: string, name: string): Promise<ServiceAccount | undefined> {
    const what = { named: `ServiceAccount ${quote(`${namespace}/${name}`)}`, right: 'get serviceaccounts' };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}`;
    const object = await this.#get(path, what, accept.metadata.object);
    if (object === undefined) return undefined;
    return { annotations: readAnnotations(requiredObject(object['metadata'], '/metadata')) };
  }

  async #configMap(namespace: string, name: string): Promise<JsonObject | undefined> {
    const what = { named: `ConfigMap ${quote(`${namespace}/${name}`)}`, right: 'get configmaps' };
    return this.#get(`/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${name}`, what);
  }

  async #roleMap(namespace: string, name: string): Promise<RoleMap | undefined> {
    const object = await this.#configMap(namespace, name);
    return object === undefined ? undefined : readRoleMap(object);
  }

  async read<R extends Lookup>(lookup: R): Promise<LookupResult<R>> {
    return (await this.#read(lookup)) as LookupResult<R>;
  }

  #read(lookup: Lookup): Promise<LookupResult<Lookup>> {
    return dispatchLookup<Promise<LookupResult<Lookup>>>(lookup, {
      namespace: name => this.#namespace(name),
      serviceAccount: (namespace, name) => this.#serviceAccount(namespace, name),
      roleMap: (map, ackSystem) => this.#roleMap(ackSystem, roleMapNames[map]),
      roleSelectors: () => this.#roleSelectors(),
      namespaces: () => this.#namespaces(),
      // Only a change of what is there is searched for, and commands predict none.
      findResources: () => Promise.resolve(undefined),
    });
  }

  async pod(namespace: string, name: string): Promise<JsonObject | undefined> {
    const what = { named: `Pod ${quote(`${namespace}/${name}`)}`, right: 'get pods' };
    return this.#get(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`, what);
  }

  async #namespaces(): Promise<readonly Namespace[]> {
    const namespaces: Namespace[] = [];
    await this.#list('namespaces', object => namespaces.push(readNamespace(object, '')));
    return namespaces;
  }

  /** Undefined where the cluster has no such kind. */
  async #roleSelectors(): Promise<readonly RoleSelector[] | undefined> {
    const selectors: RoleSelector[] = [];
    const take = (object: JsonObject) => selectors.push(readRoleSelector(object));
    return (await this.#listIfThere('iamroleselectors', take, roleSelectorsPath)) ? selectors : undefined;
  }

  /** @returns false where the cluster has no such resource. */
  async #listIfThere(resource: string, onObject: (object: JsonObject) => void, path: string): Promise<boolean> {
    try {
      await this.#list(resource, onObject, path, false);
      return true;
    } catch (error) {
      if (error instanceof UnreadError && error.cause instanceof ApiError && error.cause.status === 404) return false;
      throw error;
    }
  }

  async #list(
    resource: string,
    onObject: (object: JsonObject) => void,
    path = `/api/v1/${resource}`,
    metadataOnly = true,
  ): Promise<void> {
    const list = (size: number) =>
      listPages(this.#pool, path, {
        accept: (metadataOnly ? accept.metadata : accept.whole).list,
        pageSize: size,
        signal: AbortSignal.timeout(listLimitMs),
        projection: projectWhole(mostObjectBytes),
        onPage: () => {},
        onObject: (object: ReadObject<JsonObject>) => onObject(valueRead(object)),
      });
    try {
      await list(pageSize).catch((error: unknown) => {
        // Slower than versions are kept: what came is read again, whole.
        if (error instanceof ListExpiredError) return list(0);
        throw error;
      });
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof ApiProtocolError || error instanceof ClusterUnreachableError))
        throw error;
      throw new UnreadError({ named: `the ${resource}`, right: `list ${resource}` }, error);
    }
  }

  /** The kinds of ACK's services that the cluster has. */
  async #ackKinds(): Promise<readonly AckKind[]> {
    const right = 'get /apis';
    try {
      return await discoverAckKinds(path => this.#get(path, { named: `the discovery document ${path}`, right }));
    } catch (error) {
      if (!(error instanceof ApiProtocolError)) throw error;
      throw new UnreadError({ named: 'the API groups', right }, error);
    }
  }

  /** What may not be listed is told, and passed over: the rest is worth as much without it. */
  async #takeResources(snapshot: Snapshot, onUnread: (why: string) => void): Promise<void> {
    for (const { group, versions, kind, resource } of await this.#ackKinds()) {
      const apiVersion = `${group}/${versions[0]}`;
      const take = (object: JsonObject) =>
        snapshot.add({ object, apiVersion, kind, place: 'the API server', document: 0, path: [] });
      try {
        await this.#list(resource, take, `/apis/${apiVersion}/${resource}`, false);
      } catch (error) {
        const forbidden = error instanceof UnreadError && error.cause instanceof ApiError && error.cause.status === 403;
        if (!forbidden) throw error;
        onUnread(error.message);
      }
    }
  }

  async #takeSelectors(snapshot: Snapshot): Promise<void> {
    const apiVersion = 'services.k8s.aws/v1alpha1';
    const take = (object: JsonObject) =>
      snapshot.add({ object, apiVersion, kind: 'IAMRoleSelector', place: 'the API server', document: 0, path: [] });
    await this.#listIfThere('iamroleselectors', take, roleSelectorsPath);
  }

  async snapshot(onUnread: (why: string) => void): Promise<Snapshot> {
    const snapshot = new Snapshot();
    const take = (kind: string) => (object: JsonObject) =>
      snapshot.add({ object, apiVersion: 'v1', kind, place: 'the API server', document: 0, path: [] });
    const takeMap = async (namespace: string, name: string): Promise<void> => {
      const object = await this.#configMap(namespace, name);
      if (object !== undefined) take('ConfigMap')(object);
    };
    const maps = this.#rules.ackSystems.flatMap(({ namespace }) =>
      Object.values(roleMapNames).map(name => takeMap(namespace, name)),
    );
    await Promise.all([
      this.#list('namespaces', take('Namespace')),
      this.#list('serviceaccounts', take('ServiceAccount')),
      ...maps,
      this.#rules.featureGates.IAMRoleSelector ? this.#takeSelectors(snapshot) : undefined,
      this.#takeResources(snapshot, onUnread),
    ]);
    return snapshot;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
