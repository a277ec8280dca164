import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceSearch, StoredResource } from '../../admission/cluster.ts';
import { withDeadline } from '../../deadline.ts';
import { type AckKind, discoverAckKinds } from '../api/ack-kinds.ts';
import type { ApiConnection, ApiPool } from '../api/api-connection.ts';
import { ApiError, ApiProtocolError } from '../api/api-errors.ts';
import { isPossibleName } from '../api/api-object.ts';
import { accept, apiPaths } from '../api/api-requests.ts';
import { listPages } from '../api/list-pages.ts';
import { type ReadObject, valueRead } from '../projections/projection.ts';
import { projectWanted } from '../projections/stored-resource.ts';
import { type BudgetOptions, ReadBudget } from './budget.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult, liveReadErrorOf } from './live-read-result.ts';
import { SearchLanes } from './search-lanes.ts';

export interface ResourceFinderOptions {
  readonly connection: ApiConnection;
  readonly budget?: BudgetOptions;
  /** Must not throw. */
  readonly onResult?: (resource: string, result: LiveReadResult) => void;
}

/** Name of the searches in metrics. */
export const searchedResources = 'ack-resources';

/** Searches at a time. */
const lanes = 3;
/** Lists of a search at a time, each on a connection of its own: pods' live reads never stand behind a search. */
const concurrency = 2;
/** Objects a page at most. */
const pageSize = 100;
/** A discovery document: each resource takes some 500 bytes of it, and only who may define kinds adds to it. */
const mostDocumentBytes = 1024 * 1024;
/** Namespaces are listed one by one up to so many lists, so that resources in other namespaces cost nothing. */
const mostLists = 300;
/** Pause before asking the budget for a token again. */
const budgetPauseMs = 25;
/** Some 330 calls are one search where all of ACK's kinds are installed: a namespace may ask for three at once, then for one every 3 s. */
const defaultBudget: BudgetOptions = {
  total: { perSecond: 200, burst: 2000 },
  namespace: { perSecond: 100, burst: 1000 },
};

const fits = (wanted: string, has: readonly string[]): boolean => wanted === '' || has.includes(wanted);

function wantsGroup(group: string, { types }: ResourceSearch): boolean {
  return types.length === 0 || types.some(type => fits(type.group, [group]));
}

function isOfType({ group, versions, kind }: AckKind, { types }: ResourceSearch): boolean {
  if (types.length === 0) return true;
  return types.some(type => fits(type.group, [group]) && fits(type.version, versions) && fits(type.kind, [kind]));
}

const labelKey = /^(?:[a-z0-9.-]{1,253}\/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/;

/** Labels that the API server can select by itself. It rejects what cannot be a label, so that is left out. */
function labelQuery({ labels }: ResourceSearch): string {
  const possible = [...labels].filter(([key, value]) => labelKey.test(key) && labelValue.test(value));
  if (possible.length === 0) return '';
  return `?labelSelector=${encodeURIComponent(possible.map(([key, value]) => `${key}=${value}`).join(','))}`;
}

interface Asked {
  readonly kind: AckKind;
  readonly path: string;
}

function listsOf(kinds: readonly AckKind[], search: ResourceSearch): readonly Asked[] {
  const namespaces = search.namespaces.filter(isPossibleName);
  const isMany = namespaces.length > 1 && namespaces.length * kinds.length > mostLists;
  const places = isMany ? [undefined] : namespaces;
  const query = labelQuery(search);
  return kinds.flatMap(kind => {
    const { group, versions, resource } = kind;
    return places.map(place => ({ kind, path: apiPaths.resources(group, versions[0], resource, place) + query }));
  });
}

class Search {
  readonly asked: ResourceSearch;
  readonly budgetNamespace: string;
  readonly #found = new Map<string, StoredResource>();
  /** Of each question that is asked besides. */
  readonly #besides: readonly Map<string, StoredResource>[];
  /** Ends every request: enough is found, something failed, or nobody waits any more. */
  readonly end = new AbortController();
  /** What is being read, should it be late. */
  reading = 'the list of ACK resources';
  /** The call that waits for a token of the budget, if one does. */
  starving: string | undefined;

  constructor(asked: ResourceSearch, budgetNamespace: string) {
    this.asked = asked;
    this.budgetNamespace = budgetNamespace;
    this.#besides = (asked.besides ?? []).map(() => new Map());
  }

  take(resource: StoredResource | undefined): void {
    if (this.isEnough || resource === undefined) return;
    const { wanted, besides = [], atMost } = this.asked;
    const { group, kind, namespace, name } = resource;
    const key = `${group}/${kind}/${namespace}/${name}`;
    if (wanted(resource)) this.#found.set(key, resource);
    if (this.isEnough) this.end.abort();
    for (const [index, found] of this.#besides.entries()) {
      if (found.size < atMost && besides[index]?.(resource)) found.set(key, resource);
    }
  }

  /** Whether anything wanted was found; `besides` does not count. */
  get hasFound(): boolean {
    return this.#found.size > 0;
  }

  /** In an order that does not rest on which list was answered first. */
  get found(): readonly StoredResource[] {
    const byKey = new Map([...this.#besides.flatMap(found => [...found]), ...this.#found]);
    return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource);
  }

  get isEnough(): boolean {
    return this.#found.size >= this.asked.atMost;
  }
}

/**
 * Searches all resources of ACK's services while a review waits: discovery, then lists of metadata, or of whole objects
 * of which next to nothing is held, until enough are found. Few searches at a time, a token of a budget for each call: a
 * review must not become a flood on the API server.
 */
export class ResourceFinder {
  readonly #options: ResourceFinderOptions;
  readonly #pools: readonly ApiPool[];
  readonly #lanes: SearchLanes<ApiPool>;
  readonly #budget: ReadBudget;

  constructor(options: ResourceFinderOptions) {
    this.#options = options;
    this.#pools = Array.from({ length: lanes }, () => options.connection.pool(concurrency));
    this.#lanes = new SearchLanes(this.#pools);
    this.#budget = new ReadBudget({ ...defaultBudget, ...options.budget });
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map(pool => pool.close()));
  }

  /**
   * What the API server has now. What was found before something failed is an answer as well.
   * @param budgetNamespace the namespace whose budget pays.
   * @param deadlineAt monotonic milliseconds at which the caller must have an answer.
   * @throws {BudgetSpentError | LiveReadError} when nothing was found, and not everything looked at.
   */
  async find(asked: ResourceSearch, budgetNamespace: string, deadlineAt: number): Promise<readonly StoredResource[]> {
    const search = new Search(asked, budgetNamespace);
    const late = () =>
      search.starving === undefined
        ? new LiveReadError(search.reading, 'no answer came in time')
        : new BudgetSpentError(search.starving);
    const turn = this.#lanes.run(budgetNamespace, pool => this.#run(search, pool));
    try {
      await withDeadline(turn, deadlineAt - performance.now(), late);
    } catch (error) {
      if (!search.hasFound) {
        this.#tell(error instanceof BudgetSpentError ? 'throttled' : 'error');
        throw error;
      }
    } finally {
      search.end.abort();
    }
    this.#tell(search.hasFound ? 'found' : 'absent');
    return search.found;
  }

  #tell(result: LiveReadResult): void {
    this.#options.onResult?.(searchedResources, result);
  }

  async #run(search: Search, pool: ApiPool): Promise<void> {
    const { asked, end } = search;
    if (end.signal.aborted || asked.namespaces.length === 0) return;
    const kinds = await this.#discover(search, pool);
    const wanted = kinds.filter(kind => isOfType(kind, asked));
    const left = listsOf(wanted, asked).values();
    const work = async (): Promise<void> => {
      for (const list of left) {
        if (search.isEnough) return;
        await this.#list(list, search, pool);
      }
    };
    try {
      await Promise.all(Array.from({ length: concurrency }, work));
    } catch (error) {
      end.abort();
      throw error;
    }
  }

  async #discover(search: Search, pool: ApiPool): Promise<readonly AckKind[]> {
    const options = { accept: accept.whole.object, signal: search.end.signal, maxBytes: mostDocumentBytes };
    const read = (path: string) => this.#ask(path, search, () => pool.getJson(path, options));
    try {
      return await discoverAckKinds(read, group => wantsGroup(group, search.asked));
    } catch (cause) {
      if (!(cause instanceof ApiProtocolError)) throw cause;
      throw new LiveReadError("the list of ACK's kinds", cause.message, { cause });
    }
  }

  async #list({ kind, path }: Asked, search: Search, pool: ApiPool): Promise<void> {
    const what = `the list of ${kind.resource}.${kind.group}`;
    const options = {
      accept: (search.asked.readsStatus === true ? accept.whole : accept.metadata).list,
      pageSize,
      signal: search.end.signal,
      projection: projectWanted(kind, search.asked),
      onObject: (object: ReadObject<StoredResource | undefined>) => search.take(valueRead(object)),
      onPage: () => this.#pay(what, search),
    };
    await this.#ask(what, search, () => listPages(pool, path, options));
  }

  /** @returns undefined if the API server no longer has it, or the search needs no more. */
  async #ask<T>(what: string, search: Search, ask: () => Promise<T>): Promise<T | undefined> {
    await this.#pay(what, search);
    search.reading = what;
    try {
      return await ask();
    } catch (error) {
      if (search.isEnough || (error instanceof ApiError && error.notFound)) return undefined;
      throw liveReadErrorOf(what, error);
    }
  }

  /** Waits for a token of the budget. @throws {BudgetSpentError} when nobody waits for the search any more. */
  async #pay(what: string, search: Search): Promise<void> {
    while (!this.#budget.take(search.budgetNamespace)) {
      if (search.end.signal.aborted) throw new BudgetSpentError(what);
      search.starving = what;
      await sleep(budgetPauseMs);
    }
    search.starving = undefined;
  }
}
