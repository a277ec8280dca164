import { type Binding, defaultRegionAnnotation, readBinding } from '../../accounts/binding.ts';
import { type PodRole, podKeys, type RoleSource, readWish, resolvePodRole } from '../../accounts/pod-role.ts';
import { found, type Result, refused } from '../../accounts/result.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { injectLabel, isExcludedNamespace, servingOf } from '../../accounts/served-namespace.ts';
import {
  checkBoundary,
  emptyRoles,
  type HomeAccount,
  misspelledRoles,
  namesRole,
  roleVariables,
} from '../../injection/boundary.ts';
import type { ContainerWarning, InjectionSettings } from '../../injection/inject.ts';
import { nearMisses } from '../../injection/near-miss.ts';
import { chooseRegion } from '../../injection/region.ts';
import { roleArnAnnotation } from '../../injection/role-annotation.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { type Container, type Pod, readPod } from '../../objects/pod.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import { whatIsWrong } from '../catalogue/message.ts';
import type { Circumstances } from '../catalogue/refusal.ts';
import type { Problem } from '../catalogue/refusals.ts';
import type { Remark } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Decision } from '../decision.ts';
import { circumstancesOf, denial } from '../denial.ts';
import { readOnce } from '../read-once.ts';
import type { Rules } from '../rules.ts';
import { type ControllerRoleProblem, controllerRoleProblem } from './controller-role.ts';

const skipLabel = 'eks.amazonaws.com/skip-pod-identity-webhook';

export const readPodOnce = readOnce(readPod);

/** A pod, or what will become one, in a namespace that is served: what all rules about pods share. */
export interface PodCase {
  /** How messages name it. */
  readonly subject: string;
  readonly pod: Pod;
  readonly namespace: Namespace;
  readonly view: View;
  readonly rules: Rules;
}

/** What a pod's namespace and ServiceAccount come to. */
export interface ResolvedCase {
  readonly podRole: PodRole;
  readonly serviceAccount: ServiceAccount;
}

/**
 * The namespace of a review if it is served; else the decision.
 * The configurations select namespaces by label: a pod that reaches us from one that we hold for not served shows that
 * we may be behind, so that answer rests on state.
 */
export function servedNamespace(name: string, subject: string, view: View, rules: Rules): Namespace | Decision {
  if (isExcludedNamespace(name, rules.ownNamespace))
    return { verdict: 'allow', reason: 'NamespaceNotManaged', restsOnState: false };
  const namespace = view.namespace(name);
  if (namespace === undefined) {
    return denial(subject, { reason: 'NamespaceNotFound' }, circumstancesOf(name, rules), rules);
  }
  const serving = servingOf(namespace, rules.ownNamespace, rules.featureGates);
  if (serving === 'served') return namespace;
  return { verdict: 'allow', reason: serving === 'opted-out' ? 'OptedOut' : 'NamespaceNotManaged', restsOnState: true };
}

export function isDecision(value: Namespace | Decision): value is Decision {
  return 'verdict' in value;
}

function bindingOf({ namespace, rules }: PodCase): Result<Binding, Problem> {
  return readBinding(namespace.annotations, rules.featureGates) ?? refused({ reason: 'NamespaceNotBound', of: 'pod' });
}

function circumstances(podCase: PodCase): Circumstances {
  const binding = bindingOf(podCase);
  return circumstancesOf(podCase.namespace.name, podCase.rules, {
    serviceAccountName: podCase.pod.serviceAccountName,
    binding: binding.ok ? binding.value : undefined,
    roleArnAnnotation: podCase.pod.annotations.get(roleArnAnnotation),
  });
}

/** The refusal of a case. */
export function deny(podCase: PodCase, problem: Problem): Decision {
  return denial(podCase.subject, problem, circumstances(podCase), podCase.rules);
}

/** What is wrong with a case, for a warning that has words of its own around it. */
export function wrongWith(podCase: PodCase, problem: Problem): string {
  return whatIsWrong(problem, circumstances(podCase));
}

/** Whether the pod itself wants nothing injected. */
export function isOptedOut(pod: Pod): boolean {
  return pod.labels.get(injectLabel) === 'disabled' || pod.labels.has(skipLabel);
}

/** Why the binding of a case's namespace gives pods no role; undefined where it gives one. */
export function whyUnresolved(podCase: PodCase): Problem | undefined {
  const { view, rules } = podCase;
  const binding = bindingOf(podCase);
  if (!binding.ok) return binding.problem;
  const map = view.roleMap(binding.value.kind, rules.ackSystems[0].namespace);
  const mapped = lookUpRole(binding.value, map, podKeys(binding.value, rules.requirePodsKey));
  return mapped.ok ? undefined : mapped.problem;
}

/** The role of a case, and its ServiceAccount. */
export function resolveCase(podCase: PodCase): Result<ResolvedCase, Problem> {
  const { namespace, pod, view, rules } = podCase;
  const binding = bindingOf(podCase);
  if (!binding.ok) return binding;
  const map = view.roleMap(binding.value.kind, rules.ackSystems[0].namespace);
  const mapped = resolvePodRole(binding.value, map, undefined, rules);
  if (!mapped.ok) return mapped;
  const serviceAccount = view.serviceAccount(namespace.name, pod.serviceAccountName);
  if (serviceAccount === undefined) return refused({ reason: 'ServiceAccountNotFound' });
  const wish = readWish(serviceAccount.annotations);
  const podRole = resolvePodRole(binding.value, map, wish, rules);
  if (!podRole.ok) return podRole;
  const wished = wish === undefined ? [] : [{ role: podRole.value.role, at: wish }];
  const ofAck = controllerRoleProblem(wished, binding.value, view, rules);
  return ofAck === undefined ? found({ podRole: podRole.value, serviceAccount }) : refused(ofAck);
}

/** The namespace's account: of the binding itself, which needs no map; a team's is its role's. */
function homeOf(podCase: PodCase): Result<HomeAccount, Problem> {
  const binding = bindingOf(podCase);
  if (!binding.ok) return binding;
  const { kind, id } = binding.value;
  const map = podCase.view.roleMap(kind, podCase.rules.ackSystems[0].namespace);
  const mapped = lookUpRole(binding.value, map, podKeys(binding.value, false));
  if (mapped.ok) return found({ accountId: mapped.value.accountId, partition: mapped.value.role.partition });
  return kind === 'account' ? found({ accountId: id, partition: undefined }) : mapped;
}

/** Holds every role that the containers write out against those that ACK provisions with. */
function judgeControllerRoles(podCase: PodCase, containers: readonly Container[]): ControllerRoleProblem | undefined {
  const binding = bindingOf(podCase);
  if (!podCase.rules.requirePodsKey || !binding.ok) return undefined;
  const named = containers.flatMap(container =>
    roleVariables(podCase.pod, container).flatMap(({ value = '' }) => {
      const role = parseRoleArn(value);
      return role === undefined ? [] : [{ role, at: { container, value } }];
    }),
  );
  return controllerRoleProblem(named, binding.value, podCase.view, podCase.rules);
}

/**
 * Holds every role that the containers name against the namespace's account, and with `--require-pods-key` against ACK's. It
 * needs no role to resolve, only the account, and that only if a role is named.
 */
export function judgeBoundary(podCase: PodCase, containers: readonly Container[]): Problem | undefined {
  const { pod, rules } = podCase;
  if (!namesRole(pod, containers)) return undefined;
  const home = homeOf(podCase);
  if (!home.ok) return home.problem;
  return checkBoundary(pod, containers, home.value, rules.sourceAccounts) ?? judgeControllerRoles(podCase, containers);
}

/** A warning of containers that take the node's role by an empty `AWS_ROLE_ARN`. No skip lifts it, as it is the boundary's. */
export function emptyRoleRemarks(pod: Pod, containers: readonly Container[]): readonly ContainerWarning[] {
  const empty = emptyRoles(pod, containers);
  const misspelled = misspelledRoles(pod, containers);
  return [
    ...(empty.length === 0 ? [] : [{ reason: 'EmptyRoleArn', containers: empty } as const]),
    ...(misspelled.length === 0 ? [] : [{ reason: 'MisspelledVariable', containers: misspelled } as const]),
  ];
}

/** What the containers of a resolved case are to get, with what there is to remark on the annotations that say so. */
export function settingsFor(
  podCase: PodCase,
  resolved: ResolvedCase,
): { settings: InjectionSettings; remarks: Remark[] } {
  const { namespace, pod, rules } = podCase;
  const { podRole, serviceAccount } = resolved;
  const token = readTokenSettings(pod.annotations, serviceAccount.annotations, rules.tokenExpirationSeconds);
  const region = chooseRegion(
    namespace.annotations.get(defaultRegionAnnotation),
    rules.defaultRegion,
    podRole.role.partition,
  );
  const remarks: Remark[] = [];
  if (token.warning !== undefined) remarks.push(token.warning);
  if (region.warning !== undefined) remarks.push(region.warning);
  for (const [on, annotations] of [
    ['pod', pod.annotations],
    ['ServiceAccount', serviceAccount.annotations],
  ] as const) {
    const misses = nearMisses(annotations, on);
    if (misses.length > 0) remarks.push({ reason: 'MisspelledKey', on, misses });
  }
  const settings = {
    role: podRole.role,
    home: { accountId: podRole.accountId, partition: podRole.partition },
    sourceAccounts: rules.sourceAccounts,
    region: region.region,
    token,
  };
  return { settings, remarks };
}

/** EKS Pod Identity in a pod that asks for no role is as it should be. */
export function worthSaying(warnings: readonly ContainerWarning[], { kind }: RoleSource): readonly ContainerWarning[] {
  return kind === 'wish' ? warnings : warnings.filter(({ reason }) => reason !== 'ConfiguredByPodIdentity');
}
