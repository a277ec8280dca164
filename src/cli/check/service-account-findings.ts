import { managementOf } from '../../accounts/managed-namespace.ts';
import { readRequestedRole, resolvePodRole } from '../../accounts/pod-role.ts';
import type { Config } from '../../admission/config.ts';
import { controllerRoleProblem } from '../../admission/pods/controller-role.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import { keyHints } from '../../objects/key-hints.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import { findInServiceAccountAccess } from './access-findings.ts';
import type { Finding, FoundObject } from './finding.ts';
import { ignoredKeyFinding } from './key-findings.ts';
import { type BoundNamespace, problemFinding, warningFinding } from './namespace-findings.ts';

function findInRequestedRole(
  annotations: ServiceAccount['annotations'],
  object: FoundObject,
  { binding, mapped }: BoundNamespace,
  state: Snapshot,
  config: Config,
): readonly Finding[] {
  const requested = readRequestedRole(annotations);
  // A request only replaces what the map gives; without that, the map is what there is to fix.
  if (requested === undefined || binding === undefined || mapped === undefined) return [];
  const map = state.roleMap(binding.kind, config.ackSystems[0].namespace);
  const role = resolvePodRole(binding, map, requested, config);
  const problem = role.ok
    ? controllerRoleProblem([{ role: role.value.role, at: requested }], binding, state, config)
    : role.problem;
  if (problem === undefined) return [];
  return problemFinding(problem, object, binding, config);
}

/** What is wrong with the ServiceAccounts of namespaces that are managed. */
export function findInServiceAccounts(
  state: Snapshot,
  namespaces: ReadonlyMap<string, BoundNamespace>,
  config: Config,
): readonly Finding[] {
  return [...state.serviceAccounts()].flatMap(({ namespace, name, value }) => {
    const { annotations } = value;
    const bound = namespaces.get(namespace);
    if (bound === undefined || managementOf(bound.namespace, config.ownNamespace, config.featureGates) !== 'managed')
      return [];
    const object: FoundObject = { kind: 'ServiceAccount', namespace, name };
    const token = readTokenSettings(new Map(), annotations, config.tokenExpirationSeconds).warning;
    const found = token && warningFinding(token, object);
    return [
      ...findInRequestedRole(annotations, object, bound, state, config),
      ...findInServiceAccountAccess(value, bound, object, state, config),
      ...(found === undefined ? [] : [found]),
      ...keyHints(value, 'ServiceAccount').map(ignored => ignoredKeyFinding(ignored, object)),
    ];
  });
}
