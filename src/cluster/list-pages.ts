/** A whole list, page by page, of one consistent version. */

import { isJsonObject } from '../objects/json.ts';
import type { ApiPool } from './api-connection.ts';
import { ApiError, ApiProtocolError } from './api-errors.ts';
import { type ApiObject, isApiObject, isFilledString } from './api-object.ts';

export interface ListOptions {
  readonly accept: string;
  /** Objects a page; 0 asks for all at once. */
  readonly pageSize: number;
  readonly signal: AbortSignal;
  /** Bytes of a page at most. */
  readonly maxBytes?: number;
  /** Sees each object as it comes, so that pages need not be kept. */
  readonly onObject: (object: ApiObject) => void;
  /** Waited for after each page but the last. May throw to end a list that takes too long. */
  readonly onPage: () => void | Promise<void>;
}

/** The version of a paged list expired between two pages; it must be started again. */
export class ListExpiredError extends ApiError {
  constructor(cause: ApiError) {
    super(cause.status, cause.reason, 'the list expired between two of its pages', cause.retryAfterMs);
    this.name = 'ListExpiredError';
  }
}

/**
 * Lists `path` (its query, if any, is kept) and returns the version to watch from.
 *
 * No resourceVersion is sent, which means the most recent state: a list from any other one (`resourceVersion=0`) may
 * come from an API server that lags, and would take objects back in time. So there is nothing for `resourceVersionMatch` to say.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
 * @throws {ApiError | ClusterUnreachableError | ApiProtocolError}
 */
export async function listPages(pool: ApiPool, path: string, options: ListOptions): Promise<string> {
  const { accept, pageSize, signal, maxBytes, onObject, onPage } = options;
  let version: string | undefined;
  let token = '';
  const seen = new Set<string>();
  const asking = { accept, signal, ...(maxBytes === undefined ? {} : { maxBytes }) };
  for (;;) {
    const query: Record<string, string> = {};
    if (pageSize > 0) query['limit'] = String(pageSize);
    if (token !== '') query['continue'] = token;
    const page = await pool.getJson(withQuery(path, query), asking).catch((error: unknown) => {
      throw token !== '' && error instanceof ApiError && error.gone ? new ListExpiredError(error) : error;
    });
    const { metadata } = page;
    // Go writes an empty list as null.
    const items: unknown = page['items'] === null ? [] : page['items'];
    if (!isJsonObject(metadata) || !isFilledString(metadata['resourceVersion']) || !Array.isArray(items)) {
      throw new ApiProtocolError('the answer is not a list');
    }
    for (const item of items) {
      if (!isApiObject(item)) throw new ApiProtocolError('the list has an item without a name or version');
      onObject(item);
    }
    // Every page carries the version of the first; a server that does otherwise could lose changes between them.
    if (version !== undefined && version !== metadata['resourceVersion']) {
      throw new ApiProtocolError('the pages of the list are not of one version');
    }
    version = metadata['resourceVersion'];
    const next = metadata['continue'];
    if (!isFilledString(next)) return version;
    if (seen.has(next)) throw new ApiProtocolError('the list never ends: a continue token came twice');
    seen.add(next);
    await onPage();
    token = next;
  }
}

/** Adds parameters to a path that may have a query. */
export function withQuery(path: string, parameters: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(parameters).toString();
  if (query === '') return path;
  return `${path}${path.includes('?') ? '&' : '?'}${query}`;
}
