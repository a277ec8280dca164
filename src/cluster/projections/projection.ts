/** What is read of the objects that the API server sends: their names and versions, and what a projection takes besides. */

import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import type { TakenObject, Taking } from '../../objects/json-stream.ts';

/** What every stored object has. */
export interface Identity {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly resourceVersion: string;
}

/** An object of which something was read; or which has something that cannot be read, and why. */
export type ReadObject<T> = Identity & ({ readonly value: T } | { readonly failure: unknown });

/**
 * How objects of a kind are read: asked in front of each.
 * @param done told when the object ends: undefined for what has no name or version, or is no object.
 */
export type Projection<T> = (done: (object: ReadObject<T> | undefined) => void) => Taking;

/** Far longer than any: names have 253 characters at most, versions are numbers. What is longer is none. */
const longestIdentity = 1024;

/** What becomes of the members of an object, and what is made of them at its end. */
export interface Reading<T> {
  /** A member of the object itself, other than `metadata`. */
  readonly member?: (key: string, first: string) => Taking;
  /** A member of `metadata`. */
  readonly metadata?: (key: string, first: string) => Taking;
  /** May throw for what cannot be read. */
  readonly value: (identity: Identity) => T;
}

/** A projection by a reading that begins with each object. */
export function projection<T>(begin: () => Reading<T>): Projection<T> {
  return done => {
    const reading = begin();
    const found: { name?: string; namespace?: string; resourceVersion?: string } = {};
    let wrong = false;
    const identity = (key: 'name' | 'namespace' | 'resourceVersion'): Taking => ({
      kind: 'string',
      longest: longestIdentity + 1,
      take: text => {
        if (text === undefined || text === '' || text.length > longestIdentity) wrong = true;
        else found[key] = text;
      },
    });
    const metadata: TakenObject = {
      kind: 'object',
      member: (key, first) => {
        if (key === 'name' || key === 'namespace' || key === 'resourceVersion') return identity(key);
        return reading.metadata?.(key, first);
      },
    };
    return {
      kind: 'object',
      member: (key, first) => (key === 'metadata' ? metadata : reading.member?.(key, first)),
      end: () => {
        const { name, namespace, resourceVersion } = found;
        if (wrong || name === undefined || resourceVersion === undefined) done(undefined);
        else done(valued({ name, namespace, resourceVersion }, reading.value));
      },
    };
  };
}

function valued<T>(identity: Identity, value: (identity: Identity) => T): ReadObject<T> {
  try {
    return { ...identity, value: value(identity) };
  } catch (failure) {
    return { ...identity, failure };
  }
}

/** What was read of an object. @throws what was wrong with it. */
export function valueRead<T>(object: ReadObject<T>): T {
  if ('failure' in object) throw object.failure;
  return object.value;
}

/** An error to be thrown when an object, or a field of it, is larger than it may be. */
export class ObjectTooLongError extends Error {
  override readonly name = 'ObjectTooLongError';
  readonly code = 'ObjectTooLong';

  constructor(what: string, most: number, unit: string) {
    super(`${what} is longer than ${most} ${unit}`);
  }
}

/** Reads one field as a whole, with the object's name: for small fields of which everything is read. */
export function projectField<T>(field: string, mostBytes: number, read: (object: JsonObject) => T): Projection<T> {
  return projection(() => {
    let found: unknown;
    let isTooLong = false;
    return {
      member: key => {
        if (key !== field) return undefined;
        return {
          kind: 'bytes',
          most: mostBytes,
          take: text => {
            isTooLong = text === undefined;
            found = text === undefined ? undefined : JSON.parse(text);
          },
        };
      },
      value: ({ name, namespace }) => {
        if (isTooLong) throw new ObjectTooLongError(field, mostBytes, 'bytes');
        return read({ metadata: { name, namespace }, [field]: found });
      },
    };
  });
}

/** Reads whole objects: for commands, which run once. */
export function projectWhole(mostBytes: number): Projection<JsonObject> {
  return done => ({
    kind: 'bytes',
    most: mostBytes,
    take: text => {
      if (text === undefined) throw new ObjectTooLongError('an object', mostBytes, 'bytes');
      const object: unknown = JSON.parse(text);
      const identity = isJsonObject(object) ? identityOf(object['metadata']) : undefined;
      done(isJsonObject(object) && identity !== undefined ? { ...identity, value: object } : undefined);
    },
  });
}

function identityOf(metadata: unknown): Identity | undefined {
  if (!isJsonObject(metadata)) return undefined;
  const { name, namespace, resourceVersion } = metadata;
  if (typeof name !== 'string' || name === '' || typeof resourceVersion !== 'string' || resourceVersion === '') {
    return undefined;
  }
  if (namespace !== undefined && (typeof namespace !== 'string' || namespace === '')) return undefined;
  return { name, namespace, resourceVersion };
}
