import { optionalObject, optionalString, requiredObject } from './json.ts';
import { readAnnotations, readLabels } from './metadata.ts';

/** What we know of a Namespace. */
export interface Namespace {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
}

/** Reads a Namespace object. @throws {MalformedObjectError} */
export function readNamespace(object: unknown, name: string): Namespace {
  const metadata = optionalObject(requiredObject(object, ''), 'metadata', '') ?? {};
  return {
    name: optionalString(metadata, 'name', '/metadata') || name,
    labels: readLabels(metadata, 'labels', '/metadata'),
    annotations: readAnnotations(metadata),
  };
}
