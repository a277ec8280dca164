/** Reads of single objects while a review waits: shared, bounded by the reviews' deadlines and by a budget. */

import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../../deadline.ts';
import { JsonStream } from '../../objects/json-stream.ts';
import { quote } from '../../objects/quote.ts';
import type { ApiPool } from '../api/api-connection.ts';
import { ApiError, ApiProtocolError, ClusterUnreachableError } from '../api/api-errors.ts';
import { isPossibleName, objectKey } from '../api/api-object.ts';
import { accept } from '../api/api-requests.ts';
import { mostObjectBytes, readAnswer } from '../api/read-json.ts';
import { type Identity, type Projection, type ReadObject, valueRead } from '../projections/projection.ts';
import type { ReadBudget } from './budget.ts';

/** The object may exist, but the budget for asking is spent. */
export class BudgetSpentError extends Error {
  readonly code = 'BudgetSpent';

  constructor(what: string) {
    super(`${what} was not read: too many reads in a short time`);
    this.name = 'BudgetSpentError';
  }
}

/** The object may exist, but nobody could tell in time. */
export class LiveReadError extends Error {
  readonly code = 'LiveRead';

  constructor(what: string, why: string, options?: ErrorOptions) {
    super(`${what} could not be read: ${why}`, options);
    this.name = 'LiveReadError';
  }
}

/** `shared` counts callers that joined a read that was asked for by another; the others count reads. */
export const liveReadResults = ['found', 'absent', 'error', 'throttled', 'shared'] as const;
export type LiveReadResult = (typeof liveReadResults)[number];

export interface ObjectKey {
  /** Undefined for an object without a namespace. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** The namespace whose budget pays; that of the object without it. */
  readonly budgetNamespace?: string;
}

export interface LiveReadsOptions<T extends NonNullable<unknown>> {
  /** Not the one of a watch. */
  readonly pool: ApiPool;
  /** Name of the resource in hooks and messages: `serviceaccounts`. */
  readonly resource: string;
  /** Path of one object. Name and namespace are such that they need no encoding. */
  readonly path: (target: ObjectKey) => string;
  readonly metadataOnly: boolean;
  readonly projection: Projection<T>;
  readonly budget: ReadBudget;
  /** Must not throw. */
  readonly onResult?: (resource: string, result: LiveReadResult) => void;
  /** Monotonic milliseconds: the scale of every deadline. */
  readonly nowMs?: () => number;
}

/** Callers that get the same answer. `started` closes it to newcomers. */
interface Batch<T> {
  readonly target: ObjectKey;
  readonly what: string;
  readonly answer: PromiseWithResolvers<T | undefined>;
  /** The latest of its callers' deadlines. */
  deadlineAt: number;
}

interface Queue<T> {
  current: Batch<T>;
  next: Batch<T> | undefined;
}

/** First pause before a failed read is repeated; it doubles. */
const firstPauseMs = 50;
/** The first attempt may use this part of the time: it may sit on a connection that died in silence, the second will not. */
const firstAttemptPart = 0.4;

/**
 * One object is read once at a time. A caller that comes during a read does not take its answer, which may be older than
 * their question, but waits for the next one: it starts when the current one has ended, and serves all who came meanwhile.
 * So the load of any number of callers is one read after the other, and no answer is older than its question.
 */
export class LiveReads<T extends NonNullable<unknown>> {
  readonly #options: LiveReadsOptions<T>;
  readonly #nowMs: () => number;
  readonly #queues = new Map<string, Queue<T>>();

  constructor(options: LiveReadsOptions<T>) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Objects that are being read. */
  get inFlight(): number {
    return this.#queues.size;
  }

  /**
   * What the API server has now, or undefined when it says that there is no such object. Of a name that no object can
   * have it is not asked: a review may carry any, for it comes before the API server's own validation.
   * @param deadlineAt monotonic milliseconds at which the caller must have an answer
   * @throws {BudgetSpentError | LiveReadError}
   */
  async read(target: ObjectKey, deadlineAt: number): Promise<T | undefined> {
    const { namespace, name } = target;
    if (!isPossibleName(name) || (namespace !== undefined && !isPossibleName(namespace))) return undefined;
    const key = objectKey(namespace, name);
    const what = `${this.#options.resource} ${quote(key)}`;
    const waitMs = deadlineAt - this.#nowMs();
    if (!(waitMs > 0)) throw new LiveReadError(what, 'there was no time left');
    const batch = this.#join(key, what, target);
    batch.deadlineAt = Math.max(batch.deadlineAt, deadlineAt);
    return withDeadline(batch.answer.promise, waitMs, () => new LiveReadError(what, 'no answer came in time'));
  }

  #join(key: string, what: string, target: ObjectKey): Batch<T> {
    const queue = this.#queues.get(key);
    if (queue?.next !== undefined) {
      this.#options.onResult?.(this.#options.resource, 'shared');
      return queue.next;
    }
    const batch: Batch<T> = {
      target,
      what,
      answer: Promise.withResolvers<T | undefined>(),
      deadlineAt: 0,
    };
    // Every caller may have left when the answer comes.
    batch.answer.promise.catch(() => {});
    if (queue !== undefined) {
      queue.next = batch;
    } else {
      this.#queues.set(key, { current: batch, next: undefined });
      // In a later microtask, when the caller has put their deadline in. Others may join as `next` only.
      queueMicrotask(() => void this.#drive(key));
    }
    return batch;
  }

  /** Serves the batches of one object, one after the other, until nobody waits. */
  async #drive(key: string): Promise<void> {
    for (let queue = this.#queues.get(key); queue !== undefined; queue = this.#queues.get(key)) {
      const { current } = queue;
      try {
        const object = await this.#serve(current);
        this.#options.onResult?.(this.#options.resource, object === undefined ? 'absent' : 'found');
        current.answer.resolve(object);
      } catch (error) {
        this.#options.onResult?.(this.#options.resource, error instanceof BudgetSpentError ? 'throttled' : 'error');
        current.answer.reject(error);
      }
      if (queue.next === undefined) this.#queues.delete(key);
      else this.#queues.set(key, { current: queue.next, next: undefined });
    }
  }

  async #serve(batch: Batch<T>): Promise<T | undefined> {
    const { target, what } = batch;
    const { budget } = this.#options;
    let failure: unknown;
    for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
      const leftMs = batch.deadlineAt - this.#nowMs();
      if (leftMs <= 0) throw liveReadErrorOf(what, failure);
      if (!budget.take(target.budgetNamespace ?? target.namespace ?? target.name)) {
        throw failure === undefined ? new BudgetSpentError(what) : liveReadErrorOf(what, failure);
      }
      try {
        return await this.#get(target, failure === undefined ? leftMs * firstAttemptPart : leftMs);
      } catch (error) {
        failure = error;
        const waitMs = error instanceof ApiError ? Math.max(pauseMs, error.retryAfterMs ?? 0) : pauseMs;
        if (!isPassing(error) || this.#nowMs() + waitMs >= batch.deadlineAt) throw liveReadErrorOf(what, error);
        await sleep(waitMs);
      }
    }
  }

  async #get(target: ObjectKey, limitMs: number): Promise<T | undefined> {
    const { pool, path, metadataOnly, projection } = this.#options;
    const attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort(), limitMs);
    try {
      const body = await pool.get(path(target), {
        accept: (metadataOnly ? accept.metadata : accept.whole).object,
        signal: attempt.signal,
      });
      const read: ReadObject<T>[] = [];
      const stream = new JsonStream(() => projection(object => object !== undefined && read.push(object)));
      await readAnswer(body, stream, mostObjectBytes);
      const [object] = read;
      if (object === undefined || !isNamed(object, target)) {
        throw new ApiProtocolError('the answer is not the object that was asked for');
      }
      return valueRead(object);
    } catch (error) {
      if (error instanceof ApiError && error.notFound) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function isNamed(found: Identity, { namespace, name }: ObjectKey): boolean {
  return found.name === name && found.namespace === namespace;
}

/** Worth another try while there is time: a connection that broke, a server that is restarting or busy. */
function isPassing(error: unknown): boolean {
  if (error instanceof ClusterUnreachableError) return true;
  return error instanceof ApiError && (error.status >= 500 || error.status === 429);
}

function liveReadErrorOf(what: string, cause: unknown): LiveReadError {
  if (cause === undefined) return new LiveReadError(what, 'no answer came in time');
  return new LiveReadError(what, cause instanceof Error ? cause.message : String(cause), { cause });
}
