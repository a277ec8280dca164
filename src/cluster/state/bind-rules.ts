/** Who may bind namespaces, as RBAC says it: the verb `bind` on an account or a team of the maps. */

import { type BindGrant, bindGroup } from '../../admission/cluster.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import type { RoleMapKind } from '../../objects/role-map.ts';

export const bindResources: Readonly<Record<RoleMapKind, BindGrant['resource']>> = {
  account: 'accounts',
  team: 'teams',
};

/** A rule that names our API group. */
export interface BindRule {
  readonly kinds: readonly RoleMapKind[];
  /** Undefined for every id. */
  readonly ids: readonly string[] | undefined;
}

function itemsOf(parent: JsonObject, key: string): readonly unknown[] {
  const items = parent[key];
  return Array.isArray(items) ? items : [];
}

/**
 * The rules of a ClusterRole, of whatever shape, by which somebody may bind. Those for every API group, as cluster-admin has
 * one, are left out: nobody wrote them for it. RBAC matches each word alone, and knows `*` only as a whole word.
 * https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/rbac/v1/evaluation_helpers.go
 */
export function readBindRules(clusterRole: JsonObject): readonly BindRule[] {
  return itemsOf(clusterRole, 'rules').flatMap(rule => {
    if (!isJsonObject(rule) || !itemsOf(rule, 'apiGroups').includes(bindGroup)) return [];
    const grants = (key: string, word: string) => itemsOf(rule, key).some(item => item === word || item === '*');
    const kinds = (['account', 'team'] as const).filter(kind => grants('resources', bindResources[kind]));
    if (kinds.length === 0 || !grants('verbs', 'bind')) return [];
    const names = itemsOf(rule, 'resourceNames');
    const ids = names.filter(name => typeof name === 'string');
    return [{ kinds, ids: names.length === 0 ? undefined : ids }];
  });
}

/** The ClusterRole that a ClusterRoleBinding gives to somebody; undefined where it gives it to nobody. */
export function readBoundRole(clusterRoleBinding: JsonObject): string | undefined {
  const { roleRef } = clusterRoleBinding;
  if (!isJsonObject(roleRef) || itemsOf(clusterRoleBinding, 'subjects').length === 0) return undefined;
  return typeof roleRef['name'] === 'string' ? roleRef['name'] : undefined;
}
