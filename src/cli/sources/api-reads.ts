import { type AckKind, discoverAckKinds } from '../../cluster/api/ack-kinds.ts';
import type { ApiPool } from '../../cluster/api/api-connection.ts';
import { ApiError, ApiProtocolError, ClusterUnreachableError } from '../../cluster/api/api-errors.ts';
import { accept, apiPaths } from '../../cluster/api/api-requests.ts';
import { ListExpiredError, listPages } from '../../cluster/api/list-pages.ts';
import { mostObjectBytes } from '../../cluster/api/read-json.ts';
import { type Projection, projectWhole, type ReadObject, valueRead } from '../../cluster/projections/projection.ts';
import type { JsonObject } from '../../objects/json.ts';
import { quote } from '../../objects/quote.ts';
import { UnreadError, type What } from './unread-error.ts';

export const readLimitMs = 10_000;
const listLimitMs = 60_000;
const pageSize = 500;

/** For those who take what they read of an object. */
export const whole = projectWhole(mostObjectBytes);

/** Reads of an API server, whose errors name what could not be read and the right that it takes. */
export class ApiReads {
  readonly #pool: ApiPool;

  constructor(pool: ApiPool) {
    this.#pool = pool;
  }

  /** Undefined: no such object. @throws {UnreadError} */
  async get(path: string, what: What, accepted: string = accept.whole.object): Promise<JsonObject | undefined> {
    const signal = AbortSignal.timeout(readLimitMs);
    try {
      return await this.#pool.getJson(path, { signal, accept: accepted });
    } catch (error) {
      if (error instanceof ApiError && error.notFound) return undefined;
      throw new UnreadError(what, error);
    }
  }

  /** Its metadata. */
  namespace(name: string): Promise<JsonObject | undefined> {
    const what = { named: `Namespace ${quote(name)}`, right: 'get namespaces' };
    return this.get(apiPaths.namespace(name), what, accept.metadata.object);
  }

  async configMap(namespace: string, name: string): Promise<JsonObject | undefined> {
    const what = { named: `ConfigMap ${quote(`${namespace}/${name}`)}`, right: 'get configmaps' };
    return this.get(apiPaths.configMap(namespace, name), what);
  }

  /** All of a resource, whole if need be. @throws {UnreadError} */
  async list<T>(
    resource: string,
    path: string,
    projection: Projection<T>,
    onObject: (object: T) => void,
    accepted: string = accept.metadata.list,
  ): Promise<void> {
    try {
      await this.listOnce(resource, path, projection, onObject, accepted);
    } catch (error) {
      if (!(error instanceof UnreadError && error.cause instanceof ListExpiredError)) throw error;
      // Slower than versions are kept: what came is read again, whole.
      await this.listOnce(resource, path, projection, onObject, accepted, listLimitMs, 0);
    }
  }

  /** By pages, in one go. @throws {UnreadError} */
  async listOnce<T>(
    resource: string,
    path: string,
    projection: Projection<T>,
    onObject: (object: T) => void,
    accepted: string,
    limitMs = listLimitMs,
    size = pageSize,
  ): Promise<void> {
    try {
      await listPages(this.#pool, path, {
        accept: accepted,
        pageSize: size,
        signal: AbortSignal.timeout(limitMs),
        projection,
        onPage: () => {},
        onObject: (object: ReadObject<T>) => onObject(valueRead(object)),
      });
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof ApiProtocolError || error instanceof ClusterUnreachableError))
        throw error;
      throw new UnreadError({ named: `the ${resource}`, right: `list ${resource}` }, error);
    }
  }

  /** The kinds of ACK's services that the cluster has. */
  async ackKinds(): Promise<readonly AckKind[]> {
    const right = 'get /apis';
    try {
      return await discoverAckKinds(path => this.get(path, { named: `the discovery document ${path}`, right }));
    } catch (error) {
      if (!(error instanceof ApiProtocolError)) throw error;
      throw new UnreadError({ named: 'the API groups', right }, error);
    }
  }

  /** @returns false where the cluster has no such resource. */
  async listSelectors<T>(projection: Projection<T>, onObject: (object: T) => void): Promise<boolean> {
    try {
      await this.list('iamroleselectors', apiPaths.roleSelectors, projection, onObject, accept.whole.list);
      return true;
    } catch (error) {
      if (error instanceof UnreadError && error.cause instanceof ApiError && error.cause.status === 404) return false;
      throw error;
    }
  }
}
