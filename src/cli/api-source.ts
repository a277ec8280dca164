import { type RoleMap, readRoleMap, roleMapNames } from '../accounts/role-map.ts';
import type { Namespace } from '../accounts/served-namespace.ts';
import type { Reference, Referent, ServiceAccount } from '../admission/cluster.ts';
import { readNamespace } from '../admission/namespaces.ts';
import { ApiConnection, type ApiPool } from '../cluster/api-connection.ts';
import { ApiError, ApiProtocolError, ClusterUnreachableError } from '../cluster/api-errors.ts';
import type { ApiObject } from '../cluster/api-object.ts';
import { ClusterCredentials } from '../cluster/cluster-access.ts';
import { type KubeConfigSource, loadKubeConfig } from '../cluster/kube-config.ts';
import { ListExpiredError, listPages } from '../cluster/list-pages.ts';
import { Snapshot } from '../cluster/snapshot.ts';
import { type Fields, requiredFields, stringMap } from '../injection/fields.ts';
import type { ObjectSource } from './object-source.ts';

const readLimitMs = 10_000;
const listLimitMs = 60_000;
const pageSize = 500;
const metadataOf = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;

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
  readonly #ackSystemNamespace: string;

  /** The kubeconfig is read with the first request. */
  constructor(source: KubeConfigSource, ackSystemNamespace: string) {
    this.#ackSystemNamespace = ackSystemNamespace;
    const credentials = new ClusterCredentials(() => loadKubeConfig(source));
    this.#pool = new ApiConnection(credentials).pool(4);
  }

  async #get(path: string, what: What, accept?: string): Promise<Fields | undefined> {
    const signal = AbortSignal.timeout(readLimitMs);
    try {
      return await this.#pool.getJson(path, { signal, ...(accept === undefined ? {} : { accept }) });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw new UnreadError(what, error);
    }
  }

  async #namespace(name: string): Promise<Namespace | undefined> {
    const what = { named: `Namespace ${JSON.stringify(name)}`, right: 'get namespaces' };
    const path = `/api/v1/namespaces/${encodeURIComponent(name)}`;
    const object = await this.#get(path, what, metadataOf('PartialObjectMetadata'));
    return object === undefined ? undefined : readNamespace(object, name);
  }

  async #serviceAccount(namespace: string, name: string): Promise<ServiceAccount | undefined> {
    const what = { named: `ServiceAccount ${JSON.stringify(`${namespace}/${name}`)}`, right: 'get serviceaccounts' };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}`;
    const object = await this.#get(path, what, metadataOf('PartialObjectMetadata'));
    if (object === undefined) return undefined;
    return { annotations: stringMap(requiredFields(object['metadata'], '/metadata'), 'annotations', '/metadata') };
  }

  async #configMap(name: string): Promise<Fields | undefined> {
    const namespace = this.#ackSystemNamespace;
    const what = { named: `ConfigMap ${JSON.stringify(`${namespace}/${name}`)}`, right: 'get configmaps' };
    return this.#get(`/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${name}`, what);
  }

  async #roleMap(name: string): Promise<RoleMap | undefined> {
    const object = await this.#configMap(name);
    return object === undefined ? undefined : readRoleMap(object['data']);
  }

  async read<R extends Reference>(reference: R): Promise<Referent<R>> {
    return (await this.#read(reference)) as Referent<R>;
  }

  #read(reference: Reference): Promise<Referent<Reference>> {
    switch (reference.kind) {
      case 'Namespace':
        return this.#namespace(reference.name);
      case 'ServiceAccount':
        return this.#serviceAccount(reference.namespace, reference.name);
      case 'RoleMap':
        return this.#roleMap(roleMapNames[reference.map]);
    }
  }

  async pod(namespace: string, name: string): Promise<Fields | undefined> {
    const what = { named: `Pod ${JSON.stringify(`${namespace}/${name}`)}`, right: 'get pods' };
    return this.#get(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`, what);
  }

  async #list(resource: string, onObject: (object: ApiObject) => void): Promise<void> {
    const list = (size: number) =>
      listPages(this.#pool, `/api/v1/${resource}`, {
        accept: metadataOf('PartialObjectMetadataList'),
        pageSize: size,
        signal: AbortSignal.timeout(listLimitMs),
        onPage: () => {},
        onObject,
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

  async snapshot(): Promise<Snapshot> {
    const snapshot = new Snapshot(this.#ackSystemNamespace);
    const take = (kind: string) => (object: Fields) =>
      snapshot.add({ object, apiVersion: 'v1', kind, place: 'the API server', document: 0, path: [] });
    const takeMap = async (name: string): Promise<void> => {
      const object = await this.#configMap(name);
      if (object !== undefined) take('ConfigMap')(object);
    };
    await Promise.all([
      this.#list('namespaces', take('Namespace')),
      this.#list('serviceaccounts', take('ServiceAccount')),
      ...Object.values(roleMapNames).map(takeMap),
    ]);
    return snapshot;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
