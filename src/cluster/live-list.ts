import type { ApiPool } from './api-connection.ts';
import { ApiError } from './api-errors.ts';
import type { ApiObject } from './api-object.ts';
import type { ReadBudget } from './budget.ts';
import { listPages } from './list-pages.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult } from './live-reads.ts';

export interface LiveListOptions<T> {
  readonly pool: ApiPool;
  /** Name of the resource in hooks and messages. */
  readonly resource: string;
  readonly path: string;
  readonly metadataOnly: boolean;
  readonly keep: (object: ApiObject) => T;
  readonly budget: ReadBudget;
  /** Must not throw. */
  readonly onResult?: (resource: string, result: LiveReadResult) => void;
  /** Monotonic milliseconds: the scale of every deadline. */
  readonly nowMs?: () => number;
}

const pageSize = 500;

/** A whole list, read while a review waits: for the few decisions about all objects of a kind, which administrators make. */
export class LiveList<T> {
  readonly #options: LiveListOptions<T>;

  constructor(options: LiveListOptions<T>) {
    this.#options = options;
  }

  /**
   * What the API server has now; undefined when it has no such resource.
   * @param payer the namespace whose budget pays.
   * @param deadlineAt monotonic milliseconds at which the caller must have an answer.
   * @throws {BudgetSpentError | LiveReadError}
   */
  async read(payer: string, deadlineAt: number): Promise<readonly T[] | undefined> {
    const { budget, resource, onResult, nowMs = () => performance.now() } = this.#options;
    if (!budget.take(payer)) {
      onResult?.(resource, 'throttled');
      throw new BudgetSpentError(`the list of ${resource}`);
    }
    try {
      const objects = await this.#list(AbortSignal.timeout(Math.max(0, Math.floor(deadlineAt - nowMs()))));
      onResult?.(resource, 'found');
      return objects;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        onResult?.(resource, 'absent');
        return undefined;
      }
      onResult?.(resource, 'error');
      const why = error instanceof Error ? error.message : String(error);
      throw new LiveReadError(`the list of ${resource}`, why, { cause: error });
    }
  }

  async #list(signal: AbortSignal): Promise<readonly T[]> {
    const { pool, path, metadataOnly, keep } = this.#options;
    const objects: T[] = [];
    await listPages(pool, path, {
      accept: metadataOnly
        ? 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'
        : 'application/json',
      pageSize,
      signal,
      onObject: object => objects.push(keep(object)),
      onPage: () => {},
    });
    return objects;
  }
}
