import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { installFile } from './install-manifests.ts';

interface Shipped {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** The objects of `deploy/install.yaml`, in its order. */
export function shippedObjects(): readonly Shipped[] {
  return parseAllDocuments(readFileSync(installFile, 'utf8')).map(document => document.toJS());
}

/** The one of a kind, or the one with this name. */
export function shipped<T>(kind: string, name?: string): T {
  const [found, ...more] = shippedObjects().filter(
    object => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  if (found === undefined || more.length > 0) throw new Error(`deploy/install.yaml has not one ${kind} ${name ?? ''}`);
  return found as T;
}
