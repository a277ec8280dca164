import { type Binding, defaultRegionAnnotation, readBinding } from '../../accounts/binding.ts';
import { injectLabel, isExcludedNamespace, managementOf } from '../../accounts/managed-namespace.ts';
import { type PodRole, podKeys, type RoleSource, readRequestedRole, resolvePodRole } from '../../accounts/pod-role.ts';
import { err, ok, type Result } from '../../accounts/result.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import {
  checkBoundary,
  emptyRoles,
  type HomeAccount,
  misspelledRoles,
  namesRole,
  roleAllowed,
  roleVariables,
} from '../../injection/boundary.ts';
import type { ContainerWarning, InjectionSettings } from '../../injection/inject.ts';
import { nearMisses } from '../../injection/near-miss.ts';
import { chooseRegion } from '../../injection/region.ts';
import { roleArnAnnotation } from '../../injection/role-annotation.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import { webIdentity } from '../../injection/web-identity.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { type Container, type Pod, readPod } from '../../objects/pod.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import type { MessageContext } from '../catalogue/denial.ts';
import type { Problem } from '../catalogue/denials.ts';
import { describeProblem } from '../catalogue/message.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import type { Decision } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import { readOnce } from '../read-once.ts';
import { type ControllerRoleProblem, controllerRoleProblem } from './controller-role.ts';

const skipLabel = 'eks.amazonaws.com/skip-pod-identity-webhook';

export const readPodOnce = readOnce(readPod);

/** A pod, or what will become one, in a namespace that is managed: what all rules about pods share. */
export interface PodReview {
  /** How messages name it. */
  readonly subject: string;
  readonly pod: Pod;
  readonly namespace: Namespace;
  readonly view: View;
  readonly config: Config;
}

/** What a pod's namespace and ServiceAccount come to. */
export interface ResolvedPod {
  readonly podRole: PodRole;
  readonly serviceAccount: ServiceAccount;
}

/**
 * The namespace of a review if it is managed; else the decision.
 * The configurations select namespaces by label: a pod that reaches us from one that we hold for not managed shows that
 * we may be behind, so that answer rests on state.
 */
export function managedNamespace(name: string, subject: string, view: View, config: Config): Namespace | Decision {
  if (isExcludedNamespace(name, config.ownNamespace))
    return { verdict: 'allow', reason: 'NamespaceNotManaged', confirmLive: false };
  const namespace = view.namespace(name);
  if (namespace === undefined) {
    return denyObject(subject, { reason: 'NamespaceNotFound' }, messageContext(name, config), config);
  }
  const serving = managementOf(namespace, config.ownNamespace, config.featureGates);
  if (serving === 'managed') return namespace;
  return { verdict: 'allow', reason: serving === 'opted-out' ? 'OptedOut' : 'NamespaceNotManaged', confirmLive: true };
}

export function isDecision(value: Namespace | Decision): value is Decision {
  return 'verdict' in value;
}

function bindingOf({ namespace, config }: PodReview): Result<Binding, Problem> {
  return readBinding(namespace.annotations, config.featureGates) ?? err({ reason: 'NamespaceNotBound', of: 'pod' });
}

function contextOf(podReview: PodReview): MessageContext {
  const binding = bindingOf(podReview);
  return messageContext(podReview.namespace.name, podReview.config, {
    serviceAccountName: podReview.pod.serviceAccountName,
    binding: binding.ok ? binding.value : undefined,
    roleArnAnnotation: podReview.pod.annotations.get(roleArnAnnotation),
  });
}

/** The denial of a case. */
export function denyPod(podReview: PodReview, problem: Problem): Decision {
  return denyObject(podReview.subject, problem, contextOf(podReview), podReview.config);
}

/** What is wrong with a case, for a warning that has words of its own around it. */
export function describePodProblem(podReview: PodReview, problem: Problem): string {
  return describeProblem(problem, contextOf(podReview));
}

/** Whether the pod itself wants nothing injected. */
export function isOptedOut(pod: Pod): boolean {
  return pod.labels.get(injectLabel) === 'disabled' || pod.labels.has(skipLabel);
}

/** Why the binding of a case's namespace gives pods no role; undefined where it gives one. */
export function unresolvedBecause(podReview: PodReview): Problem | undefined {
  const { view, config } = podReview;
  const binding = bindingOf(podReview);
  if (!binding.ok) return binding.problem;
  const map = view.roleMap(binding.value.kind, config.ackSystems[0].namespace);
  const mapped = lookUpRole(binding.value, map, podKeys(binding.value, config.requirePodsKey));
  return mapped.ok ? undefined : mapped.problem;
}

/** The role of a case, and its ServiceAccount. */
export function resolvePod(podReview: PodReview): Result<ResolvedPod, Problem> {
  const { namespace, pod, view, config } = podReview;
  const binding = bindingOf(podReview);
  if (!binding.ok) return binding;
  const map = view.roleMap(binding.value.kind, config.ackSystems[0].namespace);
  const mapped = resolvePodRole(binding.value, map, undefined, config);
  if (!mapped.ok) return mapped;
  const serviceAccount = view.serviceAccount(namespace.name, pod.serviceAccountName);
  if (serviceAccount === undefined) return err({ reason: 'ServiceAccountNotFound' });
  const requested = readRequestedRole(serviceAccount.annotations);
  const podRole = resolvePodRole(binding.value, map, requested, config);
  if (!podRole.ok) return podRole;
  const requestedRole = requested === undefined ? [] : [{ role: podRole.value.role, at: requested }];
  const ofAck = controllerRoleProblem(requestedRole, binding.value, view, config);
  return ofAck === undefined ? ok({ podRole: podRole.value, serviceAccount }) : err(ofAck);
}

/** The namespace's account: of the binding itself, which needs no map; a team's is its role's. */
function homeOf(podReview: PodReview): Result<HomeAccount, Problem> {
  const binding = bindingOf(podReview);
  if (!binding.ok) return binding;
  const { kind, id } = binding.value;
  const map = podReview.view.roleMap(kind, podReview.config.ackSystems[0].namespace);
  const mapped = lookUpRole(binding.value, map, podKeys(binding.value, false));
  if (mapped.ok) return ok({ accountId: mapped.value.accountId, partition: mapped.value.role.partition });
  return kind === 'account' ? ok({ accountId: id, partition: undefined }) : mapped;
}

/** Holds every role that the containers write out against those that ACK provisions with. */
function writtenControllerRole(
  podReview: PodReview,
  containers: readonly Container[],
): ControllerRoleProblem | undefined {
  const binding = bindingOf(podReview);
  if (!podReview.config.requirePodsKey || !binding.ok) return undefined;
  const named = containers.flatMap(container =>
    roleVariables(podReview.pod, container).flatMap(({ value = '' }) => {
      const role = parseRoleArn(value);
      return role === undefined ? [] : [{ role, at: { container, value } }];
    }),
  );
  return controllerRoleProblem(named, binding.value, podReview.view, podReview.config);
}

/**
 * Holds every role that the containers name against the namespace's account, and with `--require-pods-key` against ACK's. It
 * needs no role to resolve, only the account, and that only if a role is named.
 */
export function boundaryProblem(podReview: PodReview, containers: readonly Container[]): Problem | undefined {
  const { pod, config } = podReview;
  if (!namesRole(pod, containers)) return undefined;
  const home = homeOf(podReview);
  if (!home.ok) return home.problem;
  return (
    checkBoundary(pod, containers, home.value, config.sourceAccounts) ?? writtenControllerRole(podReview, containers)
  );
}

/** A warning of containers that take the node's role by an empty `AWS_ROLE_ARN`. No skip lifts it, as it is the boundary's. */
export function emptyRoleWarnings(pod: Pod, containers: readonly Container[]): readonly ContainerWarning[] {
  const empty = emptyRoles(pod, containers);
  const misspelled = misspelledRoles(pod, containers);
  return [
    ...(empty.length === 0 ? [] : [{ reason: 'EmptyRoleArn', containers: empty } as const]),
    ...(misspelled.length === 0 ? [] : [{ reason: 'MisspelledVariable', containers: misspelled } as const]),
  ];
}

/** What the containers of a resolved case are to get, with what there is to warn of on the annotations that say so. */
export function settingsFor(
  podReview: PodReview,
  resolved: ResolvedPod,
): { settings: InjectionSettings; warnings: Warning[] } {
  const { namespace, pod, config } = podReview;
  const { podRole, serviceAccount } = resolved;
  const token = readTokenSettings(pod.annotations, serviceAccount.annotations, config.tokenExpirationSeconds);
  const region = chooseRegion(
    namespace.annotations.get(defaultRegionAnnotation),
    config.defaultRegion,
    podRole.role.partition,
  );
  const warnings: Warning[] = [];
  if (token.warning !== undefined) warnings.push(token.warning);
  if (region.warning !== undefined) warnings.push(region.warning);
  for (const [on, annotations] of [
    ['pod', pod.annotations],
    ['ServiceAccount', serviceAccount.annotations],
  ] as const) {
    const misses = nearMisses(annotations, on);
    if (misses.length > 0) warnings.push({ reason: 'MisspelledKey', on, misses });
  }
  const credentials = webIdentity(pod, {
    roleArn: podRole.role.text,
    token,
    allowsRole: roleArn => roleAllowed(roleArn, podRole, config.sourceAccounts),
  });
  const settings = { credentials, sdk: { region: region.region, regionalSts: token.regionalSts } };
  return { settings, warnings };
}

/** EKS Pod Identity in a pod that asks for no role is as it should be. */
export function relevantWarnings(
  warnings: readonly ContainerWarning[],
  { kind }: RoleSource,
): readonly ContainerWarning[] {
  return kind === 'requested' ? warnings : warnings.filter(({ reason }) => reason !== 'ConfiguredByPodIdentity');
}
