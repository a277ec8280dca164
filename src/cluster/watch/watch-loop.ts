/**
 * Keeps the objects of one resource as the API server has them: list, watch, and again, whatever comes, until stopped.
 * Our own because client-node's informer ends for good at the first error that is not a clean close.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiConnection, ApiPool } from '../api/api-connection.ts';
import { ApiError, ApiProtocolError, ClusterUnreachableError } from '../api/api-errors.ts';
import { isOlderVersion, objectKey } from '../api/api-object.ts';
import { accept } from '../api/api-requests.ts';
import { ListExpiredError, listPages, withQuery } from '../api/list-pages.ts';
import { type Identity, type Projection, type ReadObject, valueRead } from '../projections/projection.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import { ObjectStore, type StoreChange } from './object-store.ts';
import { type RestartCause, restartCauseOf, SilenceError } from './restart-cause.ts';
import { SilenceTimer } from './silence-timer.ts';
import { type WatchEvent, watchEvents } from './watch-stream.ts';
import { type WatchTimings, watchTimings } from './watch-timings.ts';

/** Hooks for metrics and logs. What they throw is ignored. */
export interface WatchObserver {
  /** The first list is complete. Once. */
  synced(resource: string): void;
  /** An event, a bookmark or a complete list has come. */
  lastEvent(resource: string): void;
  /** A list or watch ended other than by its own timeout, and will be started again. */
  restarted(resource: string, cause: RestartCause, error: unknown): void;
  /** An object could not be read, or `onChange` threw. The loop goes on; an object that could not be cached is absent. */
  listenerFailed(resource: string, error: unknown): void;
}

export interface WatchLoopOptions<T extends NonNullable<unknown>> {
  readonly connection: ApiConnection;
  /** Name of the resource in hooks: `namespaces`. */
  readonly resource: string;
  /** Path of the collection, with a query if need be: `/api/v1/namespaces/NS/configmaps?fieldSelector=metadata.name%3DNAME`. */
  readonly path: string;
  /** Ask for metadata only. A server that cannot answers with whole objects. */
  readonly metadataOnly: boolean;
  /** What is cached of an object, which outlives it: of bounded size. */
  readonly projection: Projection<T>;
  readonly onChange?: (change: StoreChange) => void;
  /**
   * The resource may not exist yet, for its CustomResourceDefinition comes later: then there are no objects, which is
   * known, and looked at again every so often.
   */
  readonly mayBeMissing?: boolean;
  readonly observer?: Partial<WatchObserver>;
  /** Age in milliseconds at which others stop trusting the cache; the timings follow from it. */
  readonly maxStalenessMs?: number;
  readonly timings?: WatchTimings;
  readonly backoff?: BackoffOptions;
  /** A watch that lasted so long was a success: the next failure waits the least again. */
  readonly settledAfterMs?: number;
  /** For the head of an answer to a watch. */
  readonly connectTimeoutMs?: number;
  /** For one page of a list. */
  readonly pageTimeoutMs?: number;
  /** For a whole list, all pages. */
  readonly listTimeoutMs?: number;
  /** Objects a page at most. */
  readonly pageSize?: number;
  readonly random?: () => number;
}

/** Objects a page: the API server holds whole pages, and a hundred objects may be 150 MiB. */
const defaultPageSize = 100;
/**
 * Less than the 5 minutes after which kube-apiserver lets etcd forget the version of a list: as long as objects as large as
 * can be may take.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apiserver/pkg/storage/storagebackend/config.go (DefaultCompactInterval)
 */
const defaultListTimeoutMs = 240_000;
const longestWaitMs = 10_000;
/** Between two looks for a resource that the server does not have. */
const missingPauseMs = 2_000;
/** A server's `Retry-After` is heeded for so long at most: an hour would be an outage. */
const longestRetryAfterMs = 30_000;
/** After so many watches in a row that brought nothing but an error, the version itself is suspect. */
const fruitlessLimit = 3;
export class WatchLoop<T extends NonNullable<unknown>> {
  readonly resource: string;
  readonly #options: WatchLoopOptions<T>;
  readonly #timings: WatchTimings;
  readonly #accept: { readonly list: string; readonly object: string };
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #pool: ApiPool;
  readonly #store: ObjectStore<T>;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #synced = false;
  #missing = false;
  #lastEventAt: number | undefined;
  /** Where the next watch starts; none means that a list comes first. */
  #version: string | undefined;
  #pageSize: number;
  #fruitless = 0;
  /** Whether a watch has brought anything since the last list. */
  #newsSinceList = false;

  constructor(options: WatchLoopOptions<T>) {
    this.resource = options.resource;
    this.#options = options;
    this.#timings = options.timings ?? watchTimings(options.maxStalenessMs ?? 90_000);
    this.#accept = options.metadataOnly ? accept.metadata : accept.whole;
    this.#random = options.random ?? Math.random;
    // Several attempts must fit into the time until what is known is stale.
    const capMs = Math.min(longestWaitMs, (options.maxStalenessMs ?? 90_000) / 5);
    this.#backoff = new Backoff({ capMs, random: this.#random, ...options.backoff });
    this.#pageSize = options.pageSize ?? defaultPageSize;
    // Two: the next connection must not wait for the last one to be closed.
    this.#pool = options.connection.pool(2);
    this.#store = new ObjectStore(change => this.#guarded(() => options.onChange?.(change)));
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when every socket and timer is gone. The cache stays readable, and ages. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#pool.close();
    await this.#running;
  }

  /** @param key `namespace/name`, or the name of an object without a namespace */
  get(key: string): T | undefined {
    return this.#store.objects.get(key);
  }

  entries(): IterableIterator<[string, T]> {
    return this.#store.objects.entries();
  }

  get size(): number {
    return this.#store.objects.size;
  }

  /** True once a first list was complete; it stays true. Also for a resource that may be missing, and is. */
  get synced(): boolean {
    return this.#synced || this.#missing;
  }

  /** True while the server does not have the resource. */
  get missing(): boolean {
    return this.#missing;
  }

  /**
   * Monotonic milliseconds at which the cache was surely true: when the last event or bookmark came, or when the last
   * complete list was asked for. Undefined before the first.
   */
  get lastEventAt(): number | undefined {
    return this.#lastEventAt;
  }

  async #run(): Promise<void> {
    const stopping = this.#stopping.signal;
    while (!stopping.aborted) {
      try {
        this.#version ??= await this.#listIfThere();
        if (stopping.aborted) return;
        if (this.#version === undefined) await sleep(missingPauseMs, undefined, { signal: stopping }).catch(() => {});
        else await this.#watch(this.#version);
      } catch (error) {
        if (stopping.aborted) return;
        this.#afterFailure(error);
        this.#guarded(() => this.#options.observer?.restarted?.(this.resource, restartCauseOf(error), error));
        const retryAfterMs = error instanceof ApiError ? Math.min(error.retryAfterMs ?? 0, longestRetryAfterMs) : 0;
        // Rejects only when stopped.
        await sleep(this.#backoff.next(retryAfterMs), undefined, { signal: stopping }).catch(() => {});
      }
    }
  }

  #afterFailure(error: unknown): void {
    // A connection that died, or a server that has nothing to say to our version, for which it may have been restored from
    // an older backup: the next bookmark is up to a minute away, a list tells at once.
    if (error instanceof SilenceError) this.#version = undefined;
    if (error instanceof ListExpiredError) {
      // The list takes longer than versions are kept: one answer is consistent without pages.
      this.#pageSize = 0;
      this.#version = undefined;
    } else if (error instanceof ApiProtocolError || (error instanceof ApiError && ![401, 429].includes(error.status))) {
      this.#fruitless += 1;
      const gone = error instanceof ApiError && error.gone;
      if (this.#fruitless >= fruitlessLimit || gone) this.#version = undefined;
      // After an outage the server is back, and the list must not wait as long as the last attempt had to. Not for one that
      // answers 410 to the version that it has just given.
      if (gone && this.#newsSinceList) this.#backoff.reset();
    }
  }

  /** @returns undefined for a resource that the server does not have. */
  async #listIfThere(): Promise<string | undefined> {
    const askedAt = performance.now();
    try {
      const version = await this.#list();
      this.#missing = false;
      return version;
    } catch (error) {
      if (!this.#options.mayBeMissing || !(error instanceof ApiError) || error.status !== 404) throw error;
      this.#missing = true;
      await this.#store.replace(new Map());
      this.#backoff.reset();
      this.#heard(askedAt);
      return undefined;
    }
  }

  async #list(): Promise<string> {
    const askedAt = performance.now();
    const { pageTimeoutMs = 10_000, listTimeoutMs = defaultListTimeoutMs } = this.#options;
    const limitMs = this.#pageSize > 0 ? pageTimeoutMs : listTimeoutMs;
    const objects = new Map<string, T>();
    const version = await this.#attempt('the list', limitMs, (signal, timer) =>
      listPages(this.#pool, this.#options.path, {
        accept: this.#accept.list,
        pageSize: this.#pageSize,
        signal,
        projection: this.#options.projection,
        onObject: object => {
          const cached = this.#valueOf(object);
          if (cached !== undefined) objects.set(keyOf(object), cached);
        },
        onPage: () => {
          timer.limit(limitMs);
          if (performance.now() - askedAt > listTimeoutMs) {
            throw new SilenceError(`the end of the list of ${this.resource}`, listTimeoutMs);
          }
        },
      }),
    );
    this.#pageSize = this.#options.pageSize ?? defaultPageSize;
    this.#fruitless = 0;
    this.#newsSinceList = false;
    await this.#store.replace(objects);
    this.#heard(askedAt);
    if (!this.#synced) {
      this.#synced = true;
      this.#guarded(() => this.#options.observer?.synced?.(this.resource));
    }
    return version;
  }

  /** Returns when the watch ended by the timeout that it was given, which is no failure. */
  async #watch(from: string): Promise<void> {
    const { inactivityMs, watchSeconds } = this.#timings;
    const startedAt = performance.now();
    // What was known before a break goes on ageing: the wait for the first event is so much shorter.
    const firstLimitMs = inactivityMs - (startedAt - (this.#lastEventAt ?? startedAt));
    if (firstLimitMs < inactivityMs / 5) {
      this.#version = undefined;
      return;
    }
    const seconds = watchSeconds.min + Math.floor(this.#random() * (watchSeconds.max - watchSeconds.min + 1));
    const path = withQuery(this.#options.path, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(seconds),
    });
    let events = 0;
    try {
      const connectMs = Math.min(this.#options.connectTimeoutMs ?? 8000, inactivityMs);
      await this.#attempt('the watch', connectMs, async (signal, timer) => {
        const body = await this.#pool.get(path, { accept: this.#accept.object, signal });
        timer.limit(firstLimitMs);
        for await (const event of watchEvents(body, this.#options.projection)) {
          if (this.#stopping.signal.aborted) return;
          timer.limit(inactivityMs);
          this.#apply(event);
          events += 1;
        }
      });
    } finally {
      if (performance.now() - startedAt >= (this.#options.settledAfterMs ?? Math.min(10_000, inactivityMs / 3)))
        this.#backoff.reset();
    }
    const lastedMs = performance.now() - startedAt;
    if (lastedMs < seconds * 1000 - 1000) throw new ClusterUnreachableError('the server ended the watch early');
    // A server whose version moves sends a bookmark before it ends a watch: one without has told nothing.
    if (events === 0) throw new SilenceError(`the watch of ${this.resource}`, lastedMs);
    this.#backoff.reset();
  }

  #apply(event: WatchEvent<T>): void {
    if (this.#version !== undefined && isOlderVersion(event.resourceVersion, this.#version)) {
      this.#version = undefined;
      throw new ApiProtocolError('the watch went back in time');
    }
    if (event.type === 'set') {
      const key = keyOf(event.object);
      const cached = this.#valueOf(event.object);
      if (cached === undefined) this.#store.delete(key);
      else this.#store.set(key, cached);
    } else if (event.type === 'deleted') {
      this.#store.delete(keyOf(event.object));
    }
    this.#version = event.resourceVersion;
    this.#newsSinceList = true;
    this.#fruitless = 0;
    this.#heard(performance.now());
  }

  /** What is cached of an object; undefined for one that cannot be read, which is told. */
  #valueOf(object: ReadObject<T>): T | undefined {
    return this.#guarded(() => valueRead(object), `${keyOf(object)} is not kept`);
  }

  #heard(atMs: number): void {
    this.#lastEventAt = Math.max(atMs, this.#lastEventAt ?? atMs);
    this.#guarded(() => this.#options.observer?.lastEvent?.(this.resource));
  }

  /** Runs one request under a silence timer; what the timer ended fails as silence, not as a broken connection. */
  async #attempt<R>(
    what: string,
    limitMs: number,
    run: (signal: AbortSignal, timer: SilenceTimer) => Promise<R>,
  ): Promise<R> {
    const timer = new SilenceTimer(`${what} of ${this.resource}`);
    timer.limit(limitMs);
    try {
      return await run(AbortSignal.any([timer.signal, this.#stopping.signal]), timer);
    } catch (error) {
      throw timer.signal.aborted ? timer.signal.reason : error;
    } finally {
      timer.stop();
    }
  }

  /** Runs foreign code; an exception becomes a hook, and `undefined`. */
  #guarded<R>(run: () => R, what?: string): R | undefined {
    try {
      return run();
    } catch (cause) {
      const error = what === undefined ? cause : new Error(what, { cause });
      try {
        this.#options.observer?.listenerFailed?.(this.resource, error);
      } catch {
        // A hook for failures that fails itself has nobody left to tell.
      }
      return undefined;
    }
  }
}

function keyOf({ namespace, name }: Identity): string {
  return objectKey(namespace, name);
}
