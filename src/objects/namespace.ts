import { optionalObject, optionalString, requiredObject } from './json.ts';
import type { KeyedStrings, NamespaceAnnotation, NamespaceLabel } from './keys.ts';
import { readWrittenMetadata, type WrittenMetadata } from './metadata.ts';

export interface Namespace {
  readonly name: string;
  /** Besides these, selectors ask for any. */
  readonly labels: KeyedStrings<NamespaceLabel>;
  readonly annotations: KeyedStrings<NamespaceAnnotation>;
}

export interface WrittenNamespace extends WrittenMetadata {
  readonly name: string;
}

/** Reads a Namespace object. @throws {MalformedObjectError} */
export function readNamespace(object: unknown, name: string): WrittenNamespace {
  const fields = requiredObject(object, '');
  const metadata = optionalObject(fields, 'metadata', '') ?? {};
  return { name: optionalString(metadata, 'name', '/metadata') || name, ...readWrittenMetadata(fields) };
}
