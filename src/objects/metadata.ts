import {
  type JsonObject,
  MalformedObjectError,
  optionalArray,
  optionalObject,
  optionalString,
  pointerSegment,
} from './json.ts';
import { checkSize, type Measured, sizeLimits } from './object-size.ts';

type Strings = ReadonlyMap<string, string>;

const none: Strings = new Map();

function read(parent: JsonObject, key: string, path: string, limited: Measured): Strings {
  const object = optionalObject(parent, key, path);
  if (object === undefined) return none;
  const strings = new Map<string, string>();
  // JSON.parse makes own properties only, of `__proto__` too.
  for (const name in object) {
    const value = object[name] ?? '';
    if (typeof value !== 'string') {
      throw new MalformedObjectError(`${path}/${pointerSegment(key)}/${pointerSegment(name)}`, 'a string');
    }
    strings.set(name, value);
    if (strings.size > sizeLimits[limited]) checkSize(limited, strings.size);
  }
  return strings;
}

/**
 * A map of labels, or of strings like them; a Map, for a key may be `__proto__`.
 * @throws {MalformedObjectError | ObjectTooLargeError}
 */
export function readLabels(parent: JsonObject, key: string, path: string): Strings {
  return read(parent, key, path, 'labels');
}

/**
 * `annotations` of an object's metadata. Their limit is the API server's own, in bytes of keys and values.
 * https://github.com/kubernetes/apimachinery/blob/master/pkg/api/validation/objectmeta.go (TotalAnnotationSizeLimitB)
 * @throws {MalformedObjectError | ObjectTooLargeError}
 */
export function readAnnotations(metadata: JsonObject): Strings {
  // Each is a byte at least.
  const annotations = read(metadata, 'annotations', '/metadata', 'bytes of annotations');
  let units = 0;
  for (const [name, value] of annotations) units += name.length + value.length;
  // No UTF-16 unit makes more than three bytes of UTF-8: counting those costs more than all else here.
  if (units * 3 <= sizeLimits['bytes of annotations']) return annotations;
  let bytes = 0;
  for (const [name, value] of annotations) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    checkSize('bytes of annotations', bytes);
  }
  return annotations;
}

/** Labels and annotations of an object as it is written, whole. A patch must create what is missing. */
export interface WrittenMetadata {
  readonly labels: Strings;
  readonly annotations: Strings;
  readonly hasMetadata: boolean;
  readonly hasLabels: boolean;
  readonly hasAnnotations: boolean;
}

/** @throws {MalformedObjectError | ObjectTooLargeError} */
export function readWrittenMetadata(object: JsonObject): WrittenMetadata {
  const written = optionalObject(object, 'metadata', '');
  const metadata = written ?? {};
  return {
    labels: readLabels(metadata, 'labels', '/metadata'),
    annotations: readAnnotations(metadata),
    hasMetadata: written !== undefined,
    hasLabels: optionalObject(metadata, 'labels', '/metadata') !== undefined,
    hasAnnotations: optionalObject(metadata, 'annotations', '/metadata') !== undefined,
  };
}

/** `.data` of a ConfigMap. @throws {MalformedObjectError | ObjectTooLargeError} */
export function readData(object: JsonObject): Strings {
  return read(object, 'data', '', 'entries of data');
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
