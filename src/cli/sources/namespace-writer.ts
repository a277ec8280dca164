import type { JsonObject } from '../../objects/json.ts';

/** Reads namespaces one by one, and changes them. */
export interface NamespaceWriter {
  /** Its metadata as it is now; undefined: no such namespace. @throws {ClusterUnreachableError} */
  namespaceObject(name: string): Promise<JsonObject | undefined>;
  /** A JSON merge patch. @throws {UnwrittenError} */
  patchNamespace(name: string, patch: JsonObject): Promise<void>;
}
