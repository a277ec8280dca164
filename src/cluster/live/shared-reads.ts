import { withDeadline } from '../../deadline.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult, liveReadErrorOf } from './live-read-result.ts';

export interface SharedReadsOptions {
  /** Name of the resource in hooks and messages: `serviceaccounts`. */
  readonly resource: string;
  /** Must not throw. */
  readonly onResult?: (resource: string, result: LiveReadResult) => void;
}

/** What a caller asks for; of several that share an answer, the first. */
interface Asked<A> {
  /** How messages name what is read. */
  readonly what: string;
  /** Whose budget pays. */
  readonly budgetNamespace: string;
  readonly run: (read: SharedRead<A>) => Promise<A | undefined>;
}

/** Callers that get the same answer. */
export interface SharedRead<A> extends Asked<A> {
  readonly answer: PromiseWithResolvers<A | undefined>;
  /** Aborted when no caller waits any more. */
  readonly abandoned: AbortController;
  /** The latest of its callers' deadlines. */
  deadlineAt: number;
  waiters: number;
}

/**
 * One read at a time of each thing. A caller that comes during a read does not take its answer, which may be older than
 * their question, but waits for the next one: it starts when the current one has ended, and serves all who came meanwhile.
 * So the load of any number of callers is one read after the other, and no answer is older than its question.
 */
export class SharedReads<A> {
  readonly #options: SharedReadsOptions;
  /** By key, what is asked for and has not begun; undefined while all that was asked for is being read. */
  readonly #next = new Map<string, SharedRead<A> | undefined>();

  constructor(options: SharedReadsOptions) {
    this.#options = options;
  }

  /** Things that are being read. */
  get inFlight(): number {
    return this.#next.size;
  }

  /**
   * @param key the same for the same thing.
   * @param deadlineAt monotonic milliseconds at which the caller must have an answer.
   * @throws {BudgetSpentError | LiveReadError}
   */
  async read(key: string, asked: Asked<A>, deadlineAt: number): Promise<A | undefined> {
    const read = this.#join(key, asked);
    read.deadlineAt = Math.max(read.deadlineAt, deadlineAt);
    read.waiters += 1;
    try {
      const late = () => new LiveReadError(read.what, 'no answer came in time');
      return await withDeadline(read.answer.promise, deadlineAt - performance.now(), late);
    } finally {
      read.waiters -= 1;
      if (read.waiters === 0) read.abandoned.abort();
    }
  }

  #join(key: string, asked: Asked<A>): SharedRead<A> {
    const next = this.#next.get(key);
    if (next !== undefined) {
      this.#tell('shared');
      return next;
    }
    const answer = Promise.withResolvers<A | undefined>();
    // Every caller may have left when the answer comes.
    answer.promise.catch(() => {});
    const read = { ...asked, answer, abandoned: new AbortController(), deadlineAt: 0, waiters: 0 };
    // In a later microtask, when the caller has put their deadline in.
    if (!this.#next.has(key)) queueMicrotask(() => void this.#drive(key));
    this.#next.set(key, read);
    return read;
  }

  /** Reads one thing, again and again, until nobody waits. */
  async #drive(key: string): Promise<void> {
    for (let read = this.#next.get(key); read !== undefined; read = this.#next.get(key)) {
      // From now on nobody joins it.
      this.#next.set(key, undefined);
      try {
        const found = await read.run(read);
        this.#tell(found === undefined ? 'absent' : 'found');
        read.answer.resolve(found);
      } catch (error) {
        this.#tell(error instanceof BudgetSpentError ? 'throttled' : 'error');
        read.answer.reject(liveReadErrorOf(read.what, error));
      }
    }
    this.#next.delete(key);
  }

  #tell(result: LiveReadResult): void {
    this.#options.onResult?.(this.#options.resource, result);
  }
}
