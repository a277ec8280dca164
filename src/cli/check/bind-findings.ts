/** Accounts and teams that nobody except cluster admins may bind. */

import { bindGroup } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { readMapKey } from '../../admission/guards/map-entries.ts';
import { bindResources } from '../../cluster/state/bind-rules.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { quoteNames } from '../../objects/quote.ts';
import { type Finding, finding } from './finding.ts';
import { mapObject } from './map-findings.ts';

/**
 * Ids of the maps that nobody except cluster admins may bind, where the webhook asks who may. One finding for each map.
 * @param tell why it was not checked.
 */
export function findInBindGrants(state: Snapshot, config: Config, tell: (line: string) => void): readonly Finding[] {
  if (!config.authorizeBindings) return [];
  if (!state.bindGrants.isComplete) {
    tell('not checked: who may bind: not all ClusterRoles and ClusterRoleBindings were read');
    return [];
  }
  const kinds = config.featureGates.TeamLevelCARM ? (['account', 'team'] as const) : (['account'] as const);
  return kinds.flatMap(kind => {
    const ids = new Set<string>();
    for (const { namespace } of config.ackSystems) {
      for (const key of state.roleMap(kind, namespace)?.keys() ?? []) {
        const id = readMapKey(kind, key)?.binding.id;
        if (id !== undefined) ids.add(id);
      }
    }
    const unbindable = state.bindGrants.unbindable(kind, ids);
    if (unbindable.length === 0) return [];
    const resource = `${bindResources[kind]}.${bindGroup}`;
    const message = `nobody except cluster admins may bind ${quoteNames(unbindable)}: no ClusterRoleBinding grants the verb bind on ${resource} for them`;
    return [finding('NobodyMayBind', mapObject(kind, config), message)];
  });
}
