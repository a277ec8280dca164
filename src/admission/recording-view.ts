import type { Namespace } from '../objects/namespace.ts';
import type { RoleMap, RoleMapKind } from '../objects/role-map.ts';
import type { RoleSelector } from '../objects/role-selector.ts';
import type { ServiceAccount } from '../objects/service-account.ts';
import type { Lookup, ResourceSearch, StoredResource, View } from './cluster.ts';

/** A view that notes what a decision looked up in it: all of that can be read live at once. */
export class RecordingView implements View {
  readonly #view: View;
  /** What was looked up, but for searches: what one looks for rests on what was looked up before. */
  readonly lookups: Lookup[] = [];

  constructor(view: View) {
    this.#view = view;
  }

  namespace(name: string): Namespace | undefined {
    this.lookups.push({ kind: 'Namespace', name });
    return this.#view.namespace(name);
  }

  serviceAccount(namespace: string, name: string): ServiceAccount | undefined {
    this.lookups.push({ kind: 'ServiceAccount', namespace, name });
    return this.#view.serviceAccount(namespace, name);
  }

  roleMap(map: RoleMapKind, ackSystem: string): RoleMap | undefined {
    this.lookups.push({ kind: 'RoleMap', map, ackSystem });
    return this.#view.roleMap(map, ackSystem);
  }

  roleSelectors(): readonly RoleSelector[] | undefined {
    this.lookups.push({ kind: 'RoleSelectors' });
    return this.#view.roleSelectors();
  }

  namespaces(): Iterable<Namespace> {
    this.lookups.push({ kind: 'Namespaces' });
    return this.#view.namespaces();
  }

  findResources(search: ResourceSearch): readonly StoredResource[] | undefined {
    return this.#view.findResources(search);
  }
}
