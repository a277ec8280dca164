/** A whole list, page by page, of one consistent version. */

import { JsonStream, type TakenObject, type Taking } from '../../objects/json-stream.ts';
import type { Projection, ReadObject } from '../projections/projection.ts';
import type { ApiPool } from './api-connection.ts';
import { AnswerTooLongError, ApiError, ApiProtocolError } from './api-errors.ts';
import { mostObjectBytes, readAnswer } from './read-json.ts';

export interface ListOptions<T> {
  readonly accept: string;
  /** Objects a page at most; 0 asks for all at once. */
  readonly pageSize: number;
  readonly signal: AbortSignal;
  readonly projection: Projection<T>;
  /** Gets the objects of a page once the page is whole. */
  readonly onObject: (object: ReadObject<T>) => void;
  /** Waited for before each request but the first. May throw to end a list that takes too long. */
  readonly onPage: () => void | Promise<void>;
}

/** The version of a paged list expired between two pages; it must be started again. */
export class ListExpiredError extends ApiError {
  override readonly name = 'ListExpiredError';

  constructor(cause: ApiError) {
    super(cause.status, cause.reason, 'the list expired between two of its pages', cause.retryAfterMs);
  }
}

/**
 * A page of more bytes is given up for one of fewer objects. Nothing is held of it, but the API server holds all of it: a
 * hundred objects as large as etcd takes them are 150 MiB. A hundred ordinary ServiceAccounts are 50 kB, and with all of the
 * annotations that they may have 25 MiB.
 */
export const mostPageBytes = 8 * 1024 * 1024;

const longestVersion = 1024;
/** The API server's tokens hold a version and a key of etcd: less than 1 kB. They come back in URLs. */
const longestToken = 8192;

class Page<T> {
  readonly #projection: Projection<T>;
  readonly objects: ReadObject<T>[] = [];
  #version: string | undefined;
  #hasItems = false;
  token = '';

  constructor(projection: Projection<T>) {
    this.#projection = projection;
  }

  readonly root = (first: string): Taking => {
    if (first !== '{') throw new ApiProtocolError('the answer is not a JSON object');
    return { kind: 'object', member: (key, first) => this.#member(key, first) };
  };

  #member(key: string, first: string): Taking {
    if (key === 'metadata') return this.#metadata;
    if (key !== 'items') return undefined;
    // Go writes an empty list as null.
    this.#hasItems = first === '[' || first === 'n';
    return { kind: 'array', item: first => this.#item(first) };
  }

  readonly #metadata: TakenObject = {
    kind: 'object',
    member: key => {
      if (key === 'resourceVersion') {
        return { kind: 'string', longest: longestVersion + 1, take: text => (this.#version = text) };
      }
      if (key !== 'continue') return undefined;
      return { kind: 'string', longest: longestToken + 1, take: text => (this.token = text ?? '') };
    },
  };

  #item(first: string): Taking {
    if (first !== '{') throw noObject();
    return this.#projection(object => {
      if (object === undefined) throw noObject();
      this.objects.push(object);
    });
  }

  /** @throws {ApiProtocolError} for what is no page of a list. */
  get version(): string {
    const version = this.#version ?? '';
    if (version === '' || version.length > longestVersion || this.token.length > longestToken || !this.#hasItems) {
      throw new ApiProtocolError('the answer is not a list');
    }
    return version;
  }
}

function noObject(): ApiProtocolError {
  return new ApiProtocolError('the list has an item without a name or version');
}

/** Notices that a row of tokens goes in circles, in memory for one of them (https://en.wikipedia.org/wiki/Cycle_detection#Brent's_algorithm). */
class CircleGuard {
  #mark = '';
  #steps = 0;
  #limit = 1;

  /** @throws {ApiProtocolError} */
  pass(token: string): void {
    if (token === this.#mark) throw new ApiProtocolError('the list never ends: a continue token was repeated');
    this.#steps += 1;
    if (this.#steps < this.#limit) return;
    this.#mark = token;
    this.#steps = 0;
    this.#limit *= 2;
  }
}

class PageSize {
  readonly #most: number;
  current: number;

  constructor(most: number) {
    this.#most = most;
    this.current = most;
  }

  get mostBytes(): number {
    if (this.current === 0) return Number.POSITIVE_INFINITY;
    return this.current === 1 ? mostObjectBytes : mostPageBytes;
  }

  /** @param read objects that were read of a page that was too long: the last of them may have made it so. */
  shrink(read: number): void {
    this.current = Math.max(1, Math.min(read - 1, Math.floor(this.current / 2)));
  }

  /** Few large objects among many small ones must not make all pages small. */
  grow(bytes: number): void {
    if (bytes * 2 <= mostPageBytes) this.current = Math.min(this.#most, this.current * 2);
  }
}

/**
 * Lists `path` (its query, if any, is kept) and returns the version to watch from. Where objects are so large that a page
 * of them is too long, the same page is asked for again with fewer objects, and the next ones with more again.
 *
 * No resourceVersion is sent, which means the most recent state: a list from any other one (`resourceVersion=0`) may
 * come from an API server that lags, and would take objects back in time. So there is nothing for `resourceVersionMatch` to say.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
 * @throws {ApiError | ClusterUnreachableError | ApiProtocolError}
 */
export async function listPages<T>(pool: ApiPool, path: string, options: ListOptions<T>): Promise<string> {
  const { onObject, onPage } = options;
  const size = new PageSize(options.pageSize);
  const circles = new CircleGuard();
  let version: string | undefined;
  let token = '';
  for (;;) {
    const page = new Page(options.projection);
    try {
      size.grow(await readPage(pool, path, { ...options, page, size, token }));
    } catch (error) {
      if (!(error instanceof AnswerTooLongError) || size.current <= 1) throw error;
      size.shrink(page.objects.length);
      await onPage();
      continue;
    }
    // Every page carries the version of the first; a server that does otherwise could lose changes between them.
    if (version !== undefined && version !== page.version) {
      throw new ApiProtocolError('the pages of the list are not of one version');
    }
    version = page.version;
    for (const object of page.objects) onObject(object);
    if (page.token === '') return version;
    circles.pass(page.token);
    await onPage();
    token = page.token;
  }
}

interface PageOptions<T> extends Pick<ListOptions<T>, 'accept' | 'signal'> {
  readonly page: Page<T>;
  readonly size: PageSize;
  readonly token: string;
}

/** @returns its bytes. */
async function readPage<T>(pool: ApiPool, path: string, options: PageOptions<T>): Promise<number> {
  const { accept, signal, page, size, token } = options;
  const query: Record<string, string> = {};
  if (size.current > 0) query['limit'] = String(size.current);
  if (token !== '') query['continue'] = token;
  try {
    const body = await pool.get(withQuery(path, query), { accept, signal });
    const bytes = await readAnswer(body, new JsonStream(page.root), size.mostBytes);
    void page.version;
    return bytes;
  } catch (error) {
    throw token !== '' && error instanceof ApiError && error.gone ? new ListExpiredError(error) : error;
  }
}

/** Adds parameters to a path that may have a query. */
export function withQuery(path: string, parameters: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(parameters).toString();
  if (query === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}
