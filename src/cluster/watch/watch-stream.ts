/**
 * The body of a watch: one JSON object an event.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */

import type { Readable } from 'node:stream';
import { JsonStream, type TakenObject, type Taking } from '../../objects/json-stream.ts';
import { ApiProtocolError } from '../api/api-errors.ts';
import { apiErrorOf } from '../api/api-object.ts';
import { mostObjectBytes, readPieces } from '../api/read-json.ts';
import type { Projection, ReadObject } from '../projections/projection.ts';

export type WatchEvent<T> =
  | { readonly type: 'set'; readonly object: ReadObject<T>; readonly resourceVersion: string }
  | { readonly type: 'deleted'; readonly object: ReadObject<T>; readonly resourceVersion: string }
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

/** Fields of a Status, which comes in place of an object in an ERROR event: what they may take of one event in all. */
const statusFields: ReadonlySet<string> = new Set(['kind', 'code', 'reason', 'message', 'details']);
const mostStatusBytes = 8192;
const longestType = 16;
/** A bookmark has a version and nothing else. */
const longestVersion = 1024;

/** An event as it is read. */
class EventReader<T> {
  readonly #projection: Projection<T>;
  #type: string | undefined;
  #object: ReadObject<T> | undefined;
  #version: string | undefined;
  #status: Record<string, unknown> = {};
  readonly #found: WatchEvent<T>[] = [];

  constructor(projection: Projection<T>) {
    this.#projection = projection;
  }

  /** The events that ended since the last call. */
  takeFound(): readonly WatchEvent<T>[] {
    return this.#found.splice(0);
  }

  readonly root = (first: string): Taking => {
    if (first !== '{') throw new ApiProtocolError('a line of the watch is not a JSON object');
    this.#type = undefined;
    this.#object = undefined;
    this.#version = undefined;
    this.#status = {};
    return { kind: 'object', member: (key, first) => this.#member(key, first), end: () => this.#end() };
  };

  #member(key: string, first: string): Taking {
    if (key === 'type') return { kind: 'string', longest: longestType, take: text => (this.#type = text) };
    if (key !== 'object' || first !== '{') return undefined;
    const taking = this.#projection(object => {
      this.#object = object;
    });
    return taking?.kind === 'object' ? this.#withStatus(taking) : taking;
  }

  /** Reads, beside what the projection takes, a bookmark's version and a Status: which it is, the type says last of all. */
  #withStatus(taking: TakenObject): TakenObject {
    return {
      ...taking,
      member: (key, first) => {
        if (key === 'metadata') return this.#withVersion(taking.member(key, first));
        if (!statusFields.has(key)) return taking.member(key, first);
        return {
          kind: 'bytes',
          most: mostStatusBytes,
          take: text => {
            if (text !== undefined) this.#status[key] = JSON.parse(text);
          },
        };
      },
    };
  }

  #withVersion(metadata: Taking): Taking {
    if (metadata?.kind !== 'object') return metadata;
    return {
      ...metadata,
      member: (key, first) => {
        const taking = metadata.member(key, first);
        if (key !== 'resourceVersion') return taking;
        return {
          kind: 'string',
          longest: longestVersion + 1,
          take: text => {
            this.#version = text;
            if (taking?.kind === 'string') taking.take(text);
          },
        };
      },
    };
  }

  #end(): void {
    const type = this.#type;
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED': {
        const object = this.#object;
        if (object === undefined) throw new ApiProtocolError(`a watch event ${type} has no usable object`);
        const { resourceVersion } = object;
        this.#found.push({ type: type === 'DELETED' ? 'deleted' : 'set', object, resourceVersion });
        return;
      }
      case 'BOOKMARK': {
        const resourceVersion = this.#version ?? '';
        if (resourceVersion === '' || resourceVersion.length > longestVersion) {
          throw new ApiProtocolError('a bookmark has no resourceVersion');
        }
        this.#found.push({ type: 'bookmark', resourceVersion });
        return;
      }
      case 'ERROR':
        throw apiErrorOf(this.#status, 500);
      default:
        throw new ApiProtocolError('a watch event has no known type');
    }
  }
}

/**
 * Events in the order of the stream. Ends when the server ends the stream; half an event at its end is dropped.
 * @throws {ApiError} for an ERROR event
 * @throws {ApiProtocolError} for what is no event
 * @throws {ClusterUnreachableError} when the stream breaks off
 */
export async function* watchEvents<T>(
  body: Readable,
  projection: Projection<T>,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const reader = new EventReader(projection);
  const stream = new JsonStream(reader.root);
  let bytes = 0;
  let values = 0;
  try {
    for await (const length of readPieces(body, stream, 'the watch')) {
      yield* reader.takeFound();
      bytes = stream.values === values && stream.isWithin ? bytes + length : 0;
      values = stream.values;
      if (bytes > mostObjectBytes) throw new ApiProtocolError('a line of the watch is too long');
    }
  } catch (error) {
    // What came before it in the same piece is no less true.
    yield* reader.takeFound();
    throw error;
  }
}
