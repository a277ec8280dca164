import { optionalObject, optionalString, requiredObject } from './json.ts';
import type { KeyedStrings, NamespaceAnnotation, NamespaceLabel } from './keys.ts';
import { readAnnotations, readLabels } from './metadata.ts';

/** What we know of a Namespace. */
export interface Namespace {
  readonly name: string;
  /** Besides these, selectors ask for any. */
  readonly labels: KeyedStrings<NamespaceLabel>;
  readonly annotations: KeyedStrings<NamespaceAnnotation>;
}

/** A Namespace as it is written, whole. */
export interface WrittenNamespace extends Namespace {
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** A patch must create what is missing. */
  readonly hasMetadata: boolean;
  readonly hasLabels: boolean;
}

/** Reads a Namespace object. @throws {MalformedObjectError} */
export function readNamespace(object: unknown, name: string): WrittenNamespace {
  const written = optionalObject(requiredObject(object, ''), 'metadata', '');
  const metadata = written ?? {};
  return {
    name: optionalString(metadata, 'name', '/metadata') || name,
    labels: readLabels(metadata, 'labels', '/metadata'),
    annotations: readAnnotations(metadata),
    hasMetadata: written !== undefined,
    hasLabels: optionalObject(metadata, 'labels', '/metadata') !== undefined,
  };
}
