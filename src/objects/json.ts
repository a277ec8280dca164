/** Reads fields of objects that users wrote. The API server checks their types first; `inject -f` gets whatever a file holds. */

/** A JSON object. JSON.parse makes `__proto__` an own property, so reading one is safe; copying keys is not. */
export type JsonObject = { readonly [key: string]: unknown };

/** An error to be thrown when a field that we read has another type than its API says; `path` is a JSON Pointer (RFC 6901). */
export class MalformedObjectError extends Error {
  override readonly name = 'MalformedObjectError';
  readonly code = 'InvalidReview';
  /** As users wrote its keys: to be quoted. */
  readonly path: string;
  /** What the value should be: `a string`. */
  readonly expected: string;

  constructor(path: string, expected: string) {
    super(`a field is not ${expected}`);
    this.path = path;
    this.expected = expected;
  }
}

/** One segment of a JSON Pointer, escaped. https://www.rfc-editor.org/rfc/rfc6901#section-3 */
export function pointerSegment(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object that must be there. @throws {MalformedObjectError} */
export function requiredObject(value: unknown, path: string): JsonObject {
  if (!isJsonObject(value)) throw new MalformedObjectError(path, 'an object');
  return value;
}

/** An object, absent or null: JSON from Go writes some empty fields as null. @throws {MalformedObjectError} */
export function optionalObject(parent: JsonObject, key: string, path: string): JsonObject | undefined {
  const value = parent[key] ?? undefined;
  if (value === undefined || isJsonObject(value)) return value;
  throw new MalformedObjectError(`${path}/${pointerSegment(key)}`, 'an object');
}

/** An array, absent or null. @throws {MalformedObjectError} */
export function optionalArray(parent: JsonObject, key: string, path: string): readonly unknown[] | undefined {
  const value = parent[key] ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new MalformedObjectError(`${path}/${pointerSegment(key)}`, 'an array');
  return value;
}

/** A string, absent or null. @throws {MalformedObjectError} */
export function optionalString(parent: JsonObject, key: string, path: string): string | undefined {
  const value = parent[key] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new MalformedObjectError(`${path}/${pointerSegment(key)}`, 'a string');
  return value;
}
