import { readWish, resolvePodRole } from '../../accounts/pod-role.ts';
import { servingOf } from '../../accounts/served-namespace.ts';
import type { Remark } from '../../admission/catalogue/warnings.ts';
import { controllerRoleProblem } from '../../admission/pods/controller-role.ts';
import type { Rules } from '../../admission/rules.ts';
import type { Snapshot } from '../../cluster/snapshot.ts';
import { nearMisses } from '../../injection/near-miss.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import type { Finding, FoundObject } from './finding.ts';
import { type BoundNamespace, problemFinding, remarkFinding } from './namespace-findings.ts';

type Annotations = ReadonlyMap<string, string>;

function findInWish(
  annotations: Annotations,
  object: FoundObject,
  { binding, mapped }: BoundNamespace,
  state: Snapshot,
  rules: Rules,
): readonly Finding[] {
  const wish = readWish(annotations);
  // A wish only replaces what the map gives; without that, the map is what there is to mend.
  if (wish === undefined || binding === undefined || mapped === undefined) return [];
  const map = state.roleMap(binding.kind, rules.ackSystems[0].namespace);
  const role = resolvePodRole(binding, map, wish, rules);
  const problem = role.ok
    ? controllerRoleProblem([{ role: role.value.role, at: wish }], binding, state, rules)
    : role.problem;
  if (problem === undefined) return [];
  const names = { namespace: object.namespace, serviceAccountName: object.name, binding };
  return problemFinding(problem, object, names, rules);
}

/** What is wrong with the ServiceAccounts of namespaces that are served. */
export function findInServiceAccounts(
  state: Snapshot,
  namespaces: ReadonlyMap<string, BoundNamespace>,
  rules: Rules,
): readonly Finding[] {
  return [...state.serviceAccounts()].flatMap(({ namespace, name, value: { annotations } }) => {
    const bound = namespaces.get(namespace);
    if (bound === undefined || servingOf(bound.namespace, rules.ownNamespace, rules.featureGates) !== 'served')
      return [];
    const object: FoundObject = { kind: 'ServiceAccount', namespace, name };
    const token = readTokenSettings(new Map(), annotations, rules.tokenExpirationSeconds).warning;
    const remarks: readonly Remark[] = [
      ...(token === undefined ? [] : [token]),
      ...nearMisses(annotations, 'ServiceAccount').map(
        miss => ({ reason: 'MisspelledKey', on: 'ServiceAccount', misses: [miss] }) as const,
      ),
    ];
    return [
      ...findInWish(annotations, object, bound, state, rules),
      ...remarks.flatMap(remark => remarkFinding(remark, object) ?? []),
    ];
  });
}
