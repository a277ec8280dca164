import {
  type JsonObject,
  MalformedObjectError,
  optionalArray,
  optionalObject,
  optionalString,
  pointerSegment,
} from './json.ts';
import { checkSize } from './object-size.ts';

type Strings = ReadonlyMap<string, string>;

const none: Strings = new Map();

function read(
  parent: JsonObject,
  key: string,
  path: string,
  count: (name: string, value: string, index: number) => void,
) {
  const object = optionalObject(parent, key, path);
  if (object === undefined) return none;
  const strings = new Map<string, string>();
  for (const name in object) {
    // JSON.parse makes own properties only, of `__proto__` too.
    const value = object[name] ?? '';
    if (typeof value !== 'string') {
      throw new MalformedObjectError(`${path}/${pointerSegment(key)}/${pointerSegment(name)}`, 'a string');
    }
    strings.set(name, value);
    count(name, value, strings.size);
  }
  return strings;
}

/**
 * A map of labels, or of strings like them; a Map, for a key may be `__proto__`.
 * @throws {MalformedObjectError | ObjectTooLargeError}
 */
export function readLabels(parent: JsonObject, key: string, path: string): Strings {
  return read(parent, key, path, (_name, _value, count) => checkSize('labels', count));
}

/**
 * `metadata.annotations`. Their limit is the API server's own, in bytes of keys and values.
 * https://github.com/kubernetes/apimachinery/blob/master/pkg/api/validation/objectmeta.go (TotalAnnotationSizeLimitB)
 * @throws {MalformedObjectError | ObjectTooLargeError}
 */
export function readAnnotations(metadata: JsonObject): Strings {
  let bytes = 0;
  return read(metadata, 'annotations', '/metadata', (name, value) => {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    checkSize('bytes of annotations', bytes);
  });
}

/** `.data` of a ConfigMap. @throws {MalformedObjectError | ObjectTooLargeError} */
export function readData(object: JsonObject): Strings {
  return read(object, 'data', '', (_name, _value, count) => checkSize('entries of data', count));
}

/** `metadata.finalizers`. @throws {MalformedObjectError | ObjectTooLargeError} */
export function readFinalizers(metadata: JsonObject): readonly string[] {
  const finalizers = optionalArray(metadata, 'finalizers', '/metadata') ?? [];
  checkSize('finalizers', finalizers.length);
  return finalizers.filter(item => typeof item === 'string');
}

/** `metadata.ownerReferences`. @throws {MalformedObjectError | ObjectTooLargeError} */
export function readOwnerReferences(metadata: JsonObject): readonly unknown[] {
  const owners = optionalArray(metadata, 'ownerReferences', '/metadata') ?? [];
  checkSize('owner references', owners.length);
  return owners;
}

/** Whether an object is being deleted. @throws {MalformedObjectError} */
export function isTerminating(metadata: JsonObject): boolean {
  return optionalString(metadata, 'deletionTimestamp', '/metadata') !== undefined;
}
