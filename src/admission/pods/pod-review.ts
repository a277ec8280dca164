import { type Binding, type BindingProblem, ignoredTeamId, readBinding } from '../../accounts/binding.ts';
import { isExcludedNamespace, managementOf } from '../../accounts/managed-namespace.ts';
import { type PodRole, podKeys, podRoleOf, type RoleSource, readRequestedRole } from '../../accounts/pod-role.ts';
import { err, ok, type Result } from '../../accounts/result.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole, type MappedRole, type MappingProblem } from '../../accounts/role-map.ts';
import {
  checkBoundary,
  emptyRoles,
  type HomeAccount,
  misspelledRoles,
  namesRole,
  roleVariables,
} from '../../injection/boundary.ts';
import type { ContainerWarning } from '../../injection/inject.ts';
import { readSkipList } from '../../injection/skip-list.ts';
import { requiredObject } from '../../objects/json.ts';
import { keyHints } from '../../objects/key-hints.ts';
import { injectLabel, roleArnAnnotation, skipLabel } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { type Container, type Pod, readPod } from '../../objects/pod.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import type { UnboundProblem } from '../catalogue/binding-denials.ts';
import type { MessageContext } from '../catalogue/denial.ts';
import type { Problem } from '../catalogue/denials.ts';
import { describeProblem } from '../catalogue/message.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { type Allowed, allow, type Denied } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import { invalidValue } from '../label-values.ts';
import { readOnce } from '../read-once.ts';
import type { AdmissionRequest } from '../review.ts';
import { nameSubject } from '../subject.ts';
import { controllerRoleProblem } from './controller-role.ts';

/** A pod, or what will become one, and how messages name it. */
export interface NamedPod {
  readonly subject: () => string;
  readonly pod: Pod;
}

/** The pod of a request. @throws {MalformedObjectError | ObjectTooLargeError} */
export const readPodOf = readOnce((request: AdmissionRequest): NamedPod => {
  const object = requiredObject(request.object, '');
  return { subject: nameSubject(request, object), pod: readPod(object) };
});

type PodBindingProblem = BindingProblem | UnboundProblem;

/** The problem of pods in a namespace that must be bound, and is not. */
export function unboundProblem({ annotations }: Namespace, { featureGates }: Config): UnboundProblem {
  return { reason: 'NamespaceNotBound', of: 'pod', teamId: ignoredTeamId(annotations, featureGates), byFlag: false };
}

/** A pod in a namespace that is managed: what all rules about pods share, each looked up and worked out once. */
export class PodReview {
  readonly subject: () => string;
  readonly pod: Pod;
  readonly namespace: Namespace;
  readonly view: View;
  readonly config: Config;
  readonly binding: Result<Binding, PodBindingProblem>;
  #mapped: Result<MappedRole, PodBindingProblem | MappingProblem> | undefined;
  #skipped: ReadonlySet<string> | undefined;

  constructor({ subject, pod }: NamedPod, namespace: Namespace, view: View, config: Config) {
    this.subject = subject;
    this.pod = pod;
    this.namespace = namespace;
    this.view = view;
    this.config = config;
    this.binding = readBinding(namespace.annotations, config.featureGates) ?? err(unboundProblem(namespace, config));
  }

  /** The role that the map has for pods of the namespace. */
  get mapped(): Result<MappedRole, PodBindingProblem | MappingProblem> {
    this.#mapped ??= this.binding.ok
      ? lookUpRole(
          this.binding.value,
          this.view.roleMap(this.binding.value.kind, this.config.ackSystems[0].namespace),
          podKeys(this.binding.value, this.config.requirePodsKey),
        )
      : this.binding;
    return this.#mapped;
  }

  /** Names of containers that the user skips. @throws {ObjectTooLargeError} */
  get skipped(): ReadonlySet<string> {
    this.#skipped ??= readSkipList(this.pod.annotations);
    return this.#skipped;
  }

  /** Containers that can be given something when a pod is created, without those that the user skips. */
  get targets(): readonly Container[] {
    const { pod, skipped } = this;
    return pod.containers.filter(({ kind, name }) => kind !== 'ephemeral container' && !skipped.has(name));
  }

  get context(): MessageContext {
    return messageContext(this.namespace.name, this.config, {
      serviceAccountName: this.pod.serviceAccountName,
      binding: this.binding.ok ? this.binding.value : undefined,
      roleArnAnnotation: this.pod.annotations.get(roleArnAnnotation),
    });
  }

  deny<P extends Problem>(problem: P): Denied<P['reason']> {
    const denial = denyObject(this.subject, problem, this.context, this.config);
    // A team's account is that of its role, as far as that was looked up.
    return this.#mapped?.ok ? { ...denial, accountId: this.#mapped.value.accountId } : denial;
  }

  /** What is wrong, for a warning that has words of its own around it. */
  describe(problem: Problem): string {
    return describeProblem(problem, this.context);
  }
}

/** What a pod's namespace and ServiceAccount come to. */
export interface ResolvedPod {
  readonly podRole: PodRole;
  readonly serviceAccount: ServiceAccount;
}

/** The reasons of a pod in a namespace that is not managed, or not there. */
export type UnmanagedPod = Allowed<'NamespaceNotManaged' | 'OptedOut'> | Denied<'NamespaceNotFound'>;

/**
 * The review of a pod if its namespace is managed; else the decision.
 * The configurations select namespaces by label: a pod that reaches us from one that we hold for not managed shows that
 * we may be behind, so that answer rests on state.
 */
export function reviewPod(named: NamedPod, name: string, view: View, config: Config): PodReview | UnmanagedPod {
  if (isExcludedNamespace(name, config.ownNamespace)) return allow('NamespaceNotManaged');
  const namespace = view.namespace(name);
  if (namespace === undefined) {
    return denyObject(named.subject, { reason: 'NamespaceNotFound' }, messageContext(name, config), config);
  }
  const management = managementOf(namespace, config.ownNamespace, config.featureGates);
  if (management === 'managed') return new PodReview(named, namespace, view, config);
  return allow(management === 'opted-out' ? 'OptedOut' : 'NamespaceNotManaged', { confirmLive: true });
}

/** Whether the pod itself wants nothing injected. */
export function isOptedOut(pod: Pod): boolean {
  return pod.labels.get(injectLabel) === 'disabled' || pod.labels.has(skipLabel);
}

/** The role of a pod, and its ServiceAccount. */
export function resolvePod(podReview: PodReview) {
  const { binding, mapped, namespace, pod, view, config } = podReview;
  if (!binding.ok) return binding;
  if (!mapped.ok) return mapped;
  const serviceAccount = view.serviceAccount(namespace.name, pod.serviceAccountName);
  if (serviceAccount === undefined) return err({ reason: 'ServiceAccountNotFound' } as const);
  const requested = readRequestedRole(serviceAccount.annotations);
  const podRole = podRoleOf(mapped.value, requested, config);
  if (!podRole.ok) return podRole;
  const requestedRole = requested === undefined ? [] : [{ role: podRole.value.role, at: requested }];
  const ofAck = controllerRoleProblem(requestedRole, binding.value, view, config);
  const resolved: ResolvedPod = { podRole: podRole.value, serviceAccount };
  return ofAck === undefined ? ok(resolved) : err(ofAck);
}

/** The namespace's account: of the binding itself, which needs no map; a team's is its role's. */
function homeOf({ binding, mapped, view, config }: PodReview) {
  const homeAt = ({ accountId, role }: MappedRole) => ok<HomeAccount>({ accountId, partition: role.partition });
  if (!binding.ok) return binding;
  if (mapped.ok) return homeAt(mapped.value);
  const { value } = binding;
  // The role that pods must not have tells the account as well.
  const keys = podKeys(value, false);
  const map = view.roleMap(value.kind, config.ackSystems[0].namespace);
  if (value.kind === 'team') {
    const found = lookUpRole(value, map, keys);
    return found.ok ? homeAt(found.value) : found;
  }
  const found = lookUpRole(value, map, keys);
  return found.ok ? homeAt(found.value) : ok<HomeAccount>({ accountId: value.id, partition: undefined });
}

/** Holds every role that the containers write out against those that ACK provisions with. */
function writtenControllerRole({ pod, binding, view, config }: PodReview, containers: readonly Container[]) {
  if (!config.requirePodsKey || !binding.ok) return undefined;
  const named = containers.flatMap(container =>
    roleVariables(pod, container).flatMap(({ value = '' }) => {
      const role = parseRoleArn(value);
      return role === undefined ? [] : [{ role, at: { container, value } }];
    }),
  );
  return controllerRoleProblem(named, binding.value, view, config);
}

/**
 * Holds every role that the containers name against the namespace's account, and with `--require-pods-key` against ACK's. It
 * needs no role to resolve, only the account, and that only if a role is named.
 */
export function boundaryProblem(podReview: PodReview, containers: readonly Container[]) {
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

/**
 * Warnings of labels and annotations that are ignored. They go last: there may be sixteen of keys, and the API server passes on 4,096
 * characters of warnings. https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/filters/warning.go
 * @param serviceAccount where it is known: admission does not see it itself.
 */
export function ignoredMetadataWarnings(pod: Pod, serviceAccount?: ServiceAccount): readonly Warning[] {
  const inject = invalidValue(pod.labels, injectLabel);
  return [
    ...(inject === undefined ? [] : [{ reason: 'InvalidLabel', ...inject, effect: 'is ignored' } as const]),
    ...keyHints(pod, 'pod'),
    ...(serviceAccount === undefined ? [] : keyHints(serviceAccount, 'ServiceAccount')),
  ];
}

/** EKS Pod Identity in a pod that asks for no role is as it should be. */
export function relevantWarnings(
  warnings: readonly ContainerWarning[],
  { kind }: RoleSource,
): readonly ContainerWarning[] {
  return kind === 'requested' ? warnings : warnings.filter(({ reason }) => reason !== 'ConfiguredByPodIdentity');
}
