import { withDeadline } from '../../deadline.ts';
import type { ApiPool } from '../api/api-connection.ts';
import { ApiError } from '../api/api-errors.ts';
import { accept } from '../api/api-requests.ts';
import { listPages } from '../api/list-pages.ts';
import { type Projection, valueRead } from '../projections/projection.ts';
import type { ReadBudget } from './budget.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult } from './live-reads.ts';

export interface LiveListOptions<T> {
  readonly pool: ApiPool;
  /** Name of the resource in hooks and messages. */
  readonly resource: string;
  readonly path: string;
  readonly metadataOnly: boolean;
  readonly projection: Projection<T>;
  /** A 404 means that there is no such resource yet, for its CustomResourceDefinition comes later. */
  readonly mayBeMissing?: boolean;
  readonly budget: ReadBudget;
  /** Must not throw. */
  readonly onResult?: (resource: string, result: LiveReadResult) => void;
  /** Monotonic milliseconds: the scale of every deadline. */
  readonly nowMs?: () => number;
}

const pageSize = 500;

/** Callers that get the same list. The first one's namespace pays for it. */
interface Batch<T> {
  readonly budgetNamespace: string;
  readonly answer: PromiseWithResolvers<readonly T[] | undefined>;
  readonly abandoned: AbortController;
  waiters: number;
}

/**
 * A whole list, read while a review waits: for the few decisions about all objects of a kind. One list at a time: who
 * comes during one waits for the next, with all who came meanwhile, for what is being listed may be older than their
 * question.
 */
export class LiveList<T> {
  readonly #options: LiveListOptions<T>;
  readonly #nowMs: () => number;
  #current: Batch<T> | undefined;
  #next: Batch<T> | undefined;

  constructor(options: LiveListOptions<T>) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /**
   * What the API server has now; undefined when it has no such resource, which only one that may be missing has not.
   * @param budgetNamespace the namespace whose budget pays, a token a page.
   * @param deadlineAt monotonic milliseconds at which the caller must have an answer.
   * @throws {BudgetSpentError | LiveReadError}
   */
  async read(budgetNamespace: string, deadlineAt: number): Promise<readonly T[] | undefined> {
    const late = () => new LiveReadError(this.#what, 'no answer came in time');
    const batch = this.#join(budgetNamespace);
    batch.waiters += 1;
    try {
      return await withDeadline(batch.answer.promise, deadlineAt - this.#nowMs(), late);
    } finally {
      batch.waiters -= 1;
      if (batch.waiters === 0) batch.abandoned.abort();
    }
  }

  get #what(): string {
    return `the list of ${this.#options.resource}`;
  }

  #join(budgetNamespace: string): Batch<T> {
    if (this.#next !== undefined) {
      this.#options.onResult?.(this.#options.resource, 'shared');
      return this.#next;
    }
    const batch: Batch<T> = {
      budgetNamespace,
      answer: Promise.withResolvers<readonly T[] | undefined>(),
      abandoned: new AbortController(),
      waiters: 0,
    };
    // Every caller may have left when the answer comes.
    batch.answer.promise.catch(() => {});
    this.#next = batch;
    if (this.#current === undefined) void this.#drive();
    return batch;
  }

  async #drive(): Promise<void> {
    // One turn later, when the first caller waits; and from then on nobody joins what has begun.
    await null;
    for (let batch = this.#takeNext(); batch !== undefined; batch = this.#takeNext()) {
      try {
        batch.answer.resolve(await this.#serve(batch));
      } catch (error) {
        batch.answer.reject(error);
      }
    }
  }

  #takeNext(): Batch<T> | undefined {
    this.#current = this.#next;
    this.#next = undefined;
    return this.#current;
  }

  async #serve({ budgetNamespace, abandoned }: Batch<T>): Promise<readonly T[] | undefined> {
    const { resource, onResult, mayBeMissing } = this.#options;
    try {
      const objects = await this.#list(budgetNamespace, abandoned.signal);
      onResult?.(resource, 'found');
      return objects;
    } catch (error) {
      if (mayBeMissing && error instanceof ApiError && error.status === 404) {
        onResult?.(resource, 'absent');
        return undefined;
      }
      onResult?.(resource, error instanceof BudgetSpentError ? 'throttled' : 'error');
      if (error instanceof BudgetSpentError) throw error;
      throw new LiveReadError(this.#what, error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  async #list(budgetNamespace: string, signal: AbortSignal): Promise<readonly T[]> {
    const { pool, path, metadataOnly, projection, budget } = this.#options;
    const pay = () => {
      if (!budget.take(budgetNamespace)) throw new BudgetSpentError(this.#what);
    };
    const objects: T[] = [];
    pay();
    await listPages(pool, path, {
      accept: (metadataOnly ? accept.metadata : accept.whole).list,
      pageSize,
      signal,
      projection,
      onObject: object => objects.push(valueRead(object)),
      onPage: pay,
    });
    return objects;
  }
}
