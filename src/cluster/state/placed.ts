import { type JsonObject, optionalObject } from '../../objects/json.ts';

/** What is known of an object of a namespace, which the object itself need not name. */
export interface Placed<T> {
  readonly namespace: string;
  readonly name: string;
  readonly value: T;
}

/** An object with its place in it: one that names no namespace is in the default one. */
export function withPlace({ namespace, name, value }: Placed<JsonObject>): JsonObject {
  return { ...value, metadata: { ...optionalObject(value, 'metadata', ''), namespace, name } };
}
