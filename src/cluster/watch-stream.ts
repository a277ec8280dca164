/**
 * The body of a watch: one JSON object a line.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */

import type { Readable } from 'node:stream';
import { isJsonObject } from '../objects/json.ts';
import { ApiProtocolError, ClusterUnreachableError } from './api-errors.ts';
import { type ApiObject, apiErrorOf, isApiObject, isFilledString, parseJsonObject } from './api-object.ts';

export type WatchEvent =
  | { readonly type: 'set'; readonly object: ApiObject; readonly resourceVersion: string }
  | { readonly type: 'deleted'; readonly object: ApiObject; readonly resourceVersion: string }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

/** Far above etcd's 1.5 MiB for an object, far below what hurts. */
const maxLineChars = 16 * 1024 * 1024;

/**
 * Events in the order of the stream. Ends when the server ends the stream; a half line at its end is dropped.
 * @throws {ApiError} for an ERROR event
 * @throws {ApiProtocolError} for a line that is no event
 * @throws {ClusterUnreachableError} when the stream breaks off
 */
export async function* watchEvents(body: Readable): AsyncGenerator<WatchEvent, void, undefined> {
  for await (const line of lines(body)) yield eventOf(line);
}

/** @throws {ApiError | ApiProtocolError} */
export function eventOf(line: string): WatchEvent {
  const { type, object } = parseJsonObject(line, 'a line of the watch');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (!isApiObject(object)) throw new ApiProtocolError(`a watch event ${type} has no usable object`);
      return {
        type: type === 'DELETED' ? 'deleted' : 'set',
        object,
        resourceVersion: object.metadata.resourceVersion,
      };
    case 'BOOKMARK': {
      const metadata = isJsonObject(object) && isJsonObject(object['metadata']) ? object['metadata'] : {};
      const resourceVersion = metadata['resourceVersion'];
      if (!isFilledString(resourceVersion)) throw new ApiProtocolError('a bookmark has no resourceVersion');
      return { type: 'bookmark', resourceVersion };
    }
    case 'ERROR':
      throw apiErrorOf(object, 500);
    default:
      throw new ApiProtocolError('a watch event has no known type');
  }
}

async function* lines(body: Readable): AsyncGenerator<string, void, undefined> {
  body.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of body) {
      const text: string = chunk;
      let from = 0;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
        const line = rest + text.slice(from, end);
        rest = '';
        from = end + 1;
        if (line.trim() !== '') yield line;
      }
      rest += text.slice(from);
      if (rest.length > maxLineChars) throw new ApiProtocolError('a line of the watch is too long');
    }
  } catch (error) {
    if (error instanceof ApiProtocolError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new ClusterUnreachableError(`the watch broke off: ${message}`, { cause: error });
  }
}
