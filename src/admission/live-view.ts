import type { Namespace } from '../objects/namespace.ts';
import type { RoleMap, RoleMapKind } from '../objects/role-map.ts';
import type { RoleSelector } from '../objects/role-selector.ts';
import type { ServiceAccount } from '../objects/service-account.ts';
import type { Cluster, Lookup, LookupResult, ResourceSearch, StoredResource, View } from './cluster.ts';
import { lookupKey } from './lookup.ts';

/** A view of objects that were read live. A look-up of one that was not read yet answers undefined and is noted. */
class LiveView implements View {
  readonly #read = new Map<string, unknown>();
  #missing = new Map<string, Lookup>();

  #lookUp<R extends Lookup>(lookup: R): LookupResult<R> {
    const key = lookupKey(lookup);
    if (!this.#read.has(key)) this.#missing.set(key, lookup);
    return this.#read.get(key) as LookupResult<R>;
  }

  namespace(name: string): Namespace | undefined {
    return this.#lookUp({ kind: 'Namespace', name });
  }

  serviceAccount(namespace: string, name: string): ServiceAccount | undefined {
    return this.#lookUp({ kind: 'ServiceAccount', namespace, name });
  }

  roleMap(map: RoleMapKind, ackSystem: string): RoleMap | undefined {
    return this.#lookUp({ kind: 'RoleMap', map, ackSystem });
  }

  roleSelectors(): readonly RoleSelector[] | undefined {
    return this.#lookUp({ kind: 'RoleSelectors' });
  }

  namespaces(): Iterable<Namespace> {
    return this.#lookUp({ kind: 'Namespaces' }) ?? [];
  }

  findResources(search: ResourceSearch): readonly StoredResource[] | undefined {
    return this.#lookUp({ kind: 'Resources', search });
  }

  /** Reads all that was looked up and not found. */
  async readMissing(cluster: Cluster, namespace: string, deadline: number): Promise<boolean> {
    const missing = this.#missing;
    this.#missing = new Map();
    const read = async ([key, lookup]: [string, Lookup]): Promise<void> => {
      this.#read.set(key, await cluster.read(lookup, namespace, deadline));
    };
    await Promise.all(Array.from(missing, read));
    return missing.size > 0;
  }
}

/**
 * Decides by live reads alone: decides, reads what the decision looked up and not found, and decides again until it looks up
 * nothing new. Each turn reads an object more, so it ends.
 * @param deadline milliseconds of `performance.now()`.
 * @throws {UnverifiedError}
 */
export async function decideLive<T>(
  cluster: Cluster,
  namespace: string,
  deadline: number,
  decide: (view: View) => T,
): Promise<T> {
  const view = new LiveView();
  for (;;) {
    const decision = decide(view);
    if (!(await view.readMissing(cluster, namespace, deadline))) return decision;
  }
}
