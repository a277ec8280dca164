import type { Binding } from '../accounts/binding.ts';
import type { RoleMaps } from '../accounts/role-map.ts';
import type { View } from './cluster.ts';

/** The map that a binding is looked up in. The other one is left alone: a decision must not rest on what it does not need. */
export function mapsFor({ kind }: Binding, view: View): RoleMaps {
  return {
    account: kind === 'account' ? view.roleMap('account') : undefined,
    team: kind === 'team' ? view.roleMap('team') : undefined,
  };
}
