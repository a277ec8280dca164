/** Reads of single objects while a review waits: shared, bounded by the reviews' deadlines and by a budget. */

import { JsonStream } from '../../objects/json-stream.ts';
import { quote } from '../../objects/quote.ts';
import type { ApiPool } from '../api/api-connection.ts';
import { ApiError, ApiProtocolError } from '../api/api-errors.ts';
import { isPossibleName, objectKey } from '../api/api-object.ts';
import { accept } from '../api/api-requests.ts';
import { mostObjectBytes, readAnswer } from '../api/read-json.ts';
import { type Identity, type Projection, type ReadObject, valueRead } from '../projections/projection.ts';
import type { ReadBudget } from './budget.ts';
import { LiveReadError } from './live-read-result.ts';
import { repeatInTime } from './repeat-in-time.ts';
import { type SharedRead, SharedReads, type SharedReadsOptions } from './shared-reads.ts';

export interface ObjectKey {
  /** Undefined for an object without a namespace. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** The namespace whose budget pays; that of the object without it. */
  readonly budgetNamespace?: string;
}

export interface LiveReadsOptions<T extends NonNullable<unknown>> extends SharedReadsOptions {
  /** Not the one of a watch. */
  readonly pool: ApiPool;
  /** Path of one object. Name and namespace are such that they need no encoding. */
  readonly path: (target: ObjectKey) => string;
  readonly metadataOnly: boolean;
  readonly projection: Projection<T>;
  readonly budget: ReadBudget;
}

export class LiveReads<T extends NonNullable<unknown>> {
  readonly #options: LiveReadsOptions<T>;
  readonly #reads: SharedReads<T>;

  constructor(options: LiveReadsOptions<T>) {
    this.#options = options;
    this.#reads = new SharedReads(options);
  }

  /** Objects that are being read. */
  get inFlight(): number {
    return this.#reads.inFlight;
  }

  /**
   * What the API server has now, or undefined when it says that there is no such object. Of a name that no object can
   * have it is not asked: a review may carry any, for it comes before the API server's own validation.
   * @param deadlineAt monotonic milliseconds at which the caller must have an answer
   * @throws {BudgetSpentError | LiveReadError}
   */
  async read(target: ObjectKey, deadlineAt: number): Promise<T | undefined> {
    const { namespace, name, budgetNamespace = namespace ?? name } = target;
    if (!isPossibleName(name) || (namespace !== undefined && !isPossibleName(namespace))) return undefined;
    const key = objectKey(namespace, name);
    const what = `${this.#options.resource} ${quote(key)}`;
    if (!(deadlineAt > performance.now())) throw new LiveReadError(what, 'there was no time left');
    const run = (read: SharedRead<T>) => repeatInTime(read, this.#options.budget, signal => this.#get(target, signal));
    return this.#reads.read(key, { what, budgetNamespace, run }, deadlineAt);
  }

  async #get(target: ObjectKey, signal: AbortSignal): Promise<T | undefined> {
    const { pool, path, metadataOnly, projection } = this.#options;
    try {
      const body = await pool.get(path(target), {
        accept: (metadataOnly ? accept.metadata : accept.whole).object,
        signal,
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
    }
  }
}

function isNamed(found: Identity, { namespace, name }: ObjectKey): boolean {
  return found.name === name && found.namespace === namespace;
}
