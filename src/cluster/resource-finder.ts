import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceSearch, StoredResource } from '../admission/cluster.ts';
import { accept } from './accept.ts';
import { type AckKind, discoverAckKinds } from './ack-kinds.ts';
import type { ApiPool } from './api-connection.ts';
import { ApiError, ApiProtocolError } from './api-errors.ts';
import type { ApiObject } from './api-object.ts';
import type { ReadBudget } from './budget.ts';
import { keepMetadata } from './kept-metadata.ts';
import { listPages } from './list-pages.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult } from './live-reads.ts';

export interface ResourceFinderOptions {
  readonly pool: ApiPool;
  readonly budget: ReadBudget;
  /** Must not throw. */
  readonly onResult?: (resource: string, result: LiveReadResult) => void;
  /** Monotonic milliseconds: the scale of every deadline. */
  readonly nowMs?: () => number;
}

/** Lists at a time: a page with the 256 KiB of annotations that anyone may write on each object has 25 MiB. */
const lanes = 4;
const pageSize = 100;
/** Between two looks whether the budget has a token again. */
const budgetPauseMs = 25;

/** Name of the searches in metrics. */
export const searchedResources = 'ack-resources';

const keepLabels = keepMetadata(
  () => true,
  () => false,
);

function isOfType({ group, versions, kind }: AckKind, { types }: ResourceSearch): boolean {
  if (types.length === 0) return true;
  const fits = (wanted: string, has: readonly string[]) => wanted === '' || has.includes(wanted);
  return types.some(type => fits(type.group, [group]) && fits(type.version, versions) && fits(type.kind, [kind]));
}

/** The list of one namespace where a search is about one, else of all: few calls count for more than few objects. */
function pathOf({ group, versions: [version], resource }: AckKind, { namespaces }: ResourceSearch): string {
  const [namespace, ...more] = namespaces;
  const within = namespace !== undefined && more.length === 0 ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `/apis/${group}/${version}${within}/${resource}`;
}

function storedOf({ group, versions, kind }: AckKind, object: ApiObject): StoredResource {
  const { name, namespace = '' } = object.metadata;
  return { group, versions, kind, namespace, name, labels: keepLabels(object).labels };
}

/** One search on its way. */
interface Search extends ResourceSearch {
  readonly payer: string;
  readonly found: StoredResource[];
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
  /** What waits for a token of the budget, if something does. */
  starving?: string;
}

const isEnough = ({ found, atMost }: Search): boolean => found.length >= atMost;

/** Ends a list between two of its pages. */
class EnoughFound extends Error {}

/**
 * Searches all resources of ACK's services while a review waits: discovery, then lists of metadata, until enough are
 * found. One search at a time, a token of the budget for each call: a review must not become a flood on the API server.
 */
export class ResourceFinder {
  readonly #options: ResourceFinderOptions;
  readonly #nowMs: () => number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ResourceFinderOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /**
   * What the API server has now.
   * @param payer the namespace whose budget pays.
   * @param deadlineAt monotonic milliseconds at which the caller must have an answer.
   * @throws {BudgetSpentError | LiveReadError} when not everything could be looked at.
   */
  async find(asked: ResourceSearch, payer: string, deadlineAt: number): Promise<readonly StoredResource[]> {
    const late = Promise.withResolvers<never>();
    const abandoned = new AbortController();
    const search: Search = { ...asked, payer, found: [], signal: abandoned.signal };
    const end = () => {
      const { starving } = search;
      late.reject(
        starving === undefined
          ? new LiveReadError('the list of ACK resources', 'no answer came in time')
          : new BudgetSpentError(starving),
      );
    };
    const timer = setTimeout(end, Math.max(0, deadlineAt - this.#nowMs()));
    const turn = this.#last.then(() => this.#run(search));
    this.#last = turn.catch(() => {});
    try {
      const found = await Promise.race([turn, late.promise]);
      this.#tell(found.length > 0 ? 'found' : 'absent');
      return found;
    } catch (error) {
      this.#tell(error instanceof BudgetSpentError ? 'throttled' : 'error');
      throw error;
    } finally {
      clearTimeout(timer);
      abandoned.abort();
    }
  }

  #tell(result: LiveReadResult): void {
    this.#options.onResult?.(searchedResources, result);
  }

  async #run(search: Search): Promise<readonly StoredResource[]> {
    if (search.signal.aborted) return [];
    const kinds = await this.#discover(search);
    const left = kinds.filter(kind => isOfType(kind, search)).values();
    const work = async (): Promise<void> => {
      for (const kind of left) {
        if (isEnough(search)) return;
        await this.#list(kind, search);
      }
    };
    await Promise.all(Array.from({ length: lanes }, work));
    return search.found;
  }

  async #discover(search: Search): Promise<readonly AckKind[]> {
    const options = { accept: accept.whole.object, signal: search.signal };
    const read = (path: string) => this.#ask(path, search, () => this.#options.pool.getJson(path, options));
    try {
      return await discoverAckKinds(read);
    } catch (cause) {
      if (cause instanceof ApiProtocolError)
        throw new LiveReadError("the list of ACK's kinds", cause.message, { cause });
      throw cause;
    }
  }

  async #list(kind: AckKind, search: Search): Promise<void> {
    const what = `the list of ${kind.resource}.${kind.group}`;
    const onObject = (object: ApiObject): void => {
      const resource = storedOf(kind, object);
      if (!isEnough(search) && search.wanted(resource)) search.found.push(resource);
    };
    const onPage = (): Promise<void> => {
      if (isEnough(search)) throw new EnoughFound();
      return this.#pay(what, search);
    };
    const options = { accept: accept.metadata.list, pageSize, signal: search.signal, onObject, onPage };
    await this.#ask(what, search, () => listPages(this.#options.pool, pathOf(kind, search), options));
  }

  /** @returns undefined for what the API server does not have any more. */
  async #ask<T>(what: string, search: Search, ask: () => Promise<T>): Promise<T | undefined> {
    await this.#pay(what, search);
    try {
      return await ask();
    } catch (error) {
      if (error instanceof EnoughFound || (error instanceof ApiError && error.status === 404)) return undefined;
      if (error instanceof BudgetSpentError) throw error;
      throw new LiveReadError(what, error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** Waits for a token of the budget. @throws {BudgetSpentError} when nobody waits for the search any more. */
  async #pay(what: string, search: Search): Promise<void> {
    const { budget } = this.#options;
    while (!budget.take(search.payer)) {
      if (search.signal.aborted) throw new BudgetSpentError(what);
      search.starving = what;
      await sleep(budgetPauseMs);
    }
    delete search.starving;
  }
}
