import type { ApiPool } from '../api/api-connection.ts';
import { ApiError } from '../api/api-errors.ts';
import { accept } from '../api/api-requests.ts';
import { listPages } from '../api/list-pages.ts';
import { type Projection, valueRead } from '../projections/projection.ts';
import type { ReadBudget } from './budget.ts';
import { BudgetSpentError } from './live-read-result.ts';
import { type SharedRead, SharedReads, type SharedReadsOptions } from './shared-reads.ts';

export interface LiveListOptions<T> extends SharedReadsOptions {
  readonly pool: ApiPool;
  readonly path: string;
  readonly metadataOnly: boolean;
  readonly projection: Projection<T>;
  /** A 404 means that there is no such resource yet, for its CustomResourceDefinition comes later. */
  readonly mayBeMissing?: boolean;
  readonly budget: ReadBudget;
}

const pageSize = 500;

/** A whole list, read while a review waits: for the few decisions about all objects of a kind. */
export class LiveList<T> {
  readonly #options: LiveListOptions<T>;
  readonly #reads: SharedReads<readonly T[]>;

  constructor(options: LiveListOptions<T>) {
    this.#options = options;
    this.#reads = new SharedReads(options);
  }

  /**
   * What the API server has now; undefined when it has no such resource, which only one that may be missing has not.
   * @param budgetNamespace the namespace whose budget pays, a token a page.
   * @param deadlineAt monotonic milliseconds at which the caller must have an answer.
   * @throws {BudgetSpentError | LiveReadError}
   */
  read(budgetNamespace: string, deadlineAt: number): Promise<readonly T[] | undefined> {
    const what = `the list of ${this.#options.resource}`;
    return this.#reads.read('', { what, budgetNamespace, run: read => this.#list(read) }, deadlineAt);
  }

  async #list({ what, budgetNamespace, abandoned }: SharedRead<readonly T[]>): Promise<readonly T[] | undefined> {
    const { pool, path, metadataOnly, projection, mayBeMissing, budget } = this.#options;
    const pay = () => {
      if (!budget.take(budgetNamespace)) throw new BudgetSpentError(what);
    };
    const objects: T[] = [];
    pay();
    try {
      await listPages(pool, path, {
        accept: (metadataOnly ? accept.metadata : accept.whole).list,
        pageSize,
        signal: abandoned.signal,
        projection,
        onObject: object => objects.push(valueRead(object)),
        onPage: pay,
      });
    } catch (error) {
      if (mayBeMissing && error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
    return objects;
  }
}
