import type { JsonObject } from '../../objects/json.ts';
import type { RoleMapKind } from '../../objects/role-map.ts';
import { type BindRule, readBindRules, readBoundRole } from './bind-rules.ts';

/** ClusterRoles that say who may bind, ids that these name, and ClusterRoles that somebody has. More of them are not kept. */
export const mostBindRoles = 10_000;
const mostIds = 200_000;
const mostBoundRoles = 100_000;

/** Who may bind what, as far as RBAC says it for carm-webhook: by ClusterRoles that a ClusterRoleBinding gives to somebody. */
export class BindGrants {
  /** By the name of the ClusterRole. */
  readonly #rules = new Map<string, readonly BindRule[]>();
  readonly #bound = new Set<string>();
  #ids = 0;
  #isComplete = true;
  #isEmpty = true;

  /** Whether everything was read. Every cluster has ClusterRoles, so a folder without any does not hold them. */
  get isComplete(): boolean {
    return this.#isComplete && !this.#isEmpty;
  }

  /** To be called if something could not be read. */
  lack(): void {
    this.#isComplete = false;
  }

  addRole(name: string, clusterRole: JsonObject): void {
    this.#isEmpty = false;
    const rules = readBindRules(clusterRole);
    if (rules.length === 0) return;
    this.#ids += rules.reduce((sum, { ids }) => sum + (ids?.length ?? 0), 0);
    if (this.#rules.size >= mostBindRoles || this.#ids > mostIds) this.#isComplete = false;
    else this.#rules.set(name, rules);
  }

  addBinding(clusterRoleBinding: JsonObject): void {
    this.#isEmpty = false;
    const role = readBoundRole(clusterRoleBinding);
    if (role === undefined) return;
    if (this.#bound.size >= mostBoundRoles) this.#isComplete = false;
    else this.#bound.add(role);
  }

  /** Of some ids of a map, those that nobody may bind. */
  unbindable(kind: RoleMapKind, ids: Iterable<string>): readonly string[] {
    const granted = new Set<string>();
    for (const name of this.#bound) {
      for (const rule of this.#rules.get(name) ?? []) {
        if (!rule.kinds.includes(kind)) continue;
        if (rule.ids === undefined) return [];
        for (const id of rule.ids) granted.add(id);
      }
    }
    return [...ids].filter(id => !granted.has(id));
  }
}
