import { providerProblemWords } from '../../admission/catalogue/provider-problems.ts';
import type { Config } from '../../admission/config.ts';
import { choosesAccess, RolesInUse } from '../../aws/verify-roles/roles-in-use.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { type Finding, finding } from './finding.ts';

/** Namespaces whose pods AWS gives no role, by what the background check of the server found. */
export function findBrokenRoles(state: Snapshot, config: Config): readonly Finding[] {
  if (state.providerProblems.size === 0) return [];
  const inUse = new RolesInUse(config, kind => state.roleMap(kind, config.ackSystems[0].namespace));
  for (const namespace of state.namespaces()) inUse.add(namespace);
  for (const { namespace: namespaceName, name, value } of state.serviceAccounts()) {
    const namespace = choosesAccess(value) ? state.namespace(namespaceName) : undefined;
    if (namespace !== undefined) inUse.add(namespace, value, name);
  }
  return [...inUse.roles.values()].flatMap(({ role: { accountId }, namespaces }) => {
    const problem = state.providerProblems.get(accountId);
    if (problem === undefined) return [];
    const message = `AWS gives its pods no role: ${providerProblemWords[problem].wrong(accountId)}`;
    return [...namespaces].map(name => finding('RoleBroken', { kind: 'Namespace', namespace: '', name }, message));
  });
}
