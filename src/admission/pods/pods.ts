import { namesRole } from '../../injection/boundary.ts';
import { mountUsers } from '../../injection/credentials-modes.ts';
import { findConflict, injectPod } from '../../injection/inject.ts';
import { roleArnAnnotationPatch } from '../../injection/role-annotation.ts';
import { readSkipList, unknownSkipNames } from '../../injection/skip-list.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import { requiredObject } from '../../objects/json.ts';
import type { Container, Pod } from '../../objects/pod.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import type { Decision } from '../decision.ts';
import type { AdmissionRequest } from '../review.ts';
import { nameSubject } from '../subject.ts';
import {
  boundaryProblem,
  denyPod,
  describePodProblem,
  emptyRoleWarnings,
  isDecision,
  isOptedOut,
  managedNamespace,
  type PodReview,
  readPodOnce,
  relevantWarnings,
  resolvePod,
  settingsFor,
  unresolvedBecause,
} from './pod-review.ts';

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-config-mirror */
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const nodesGroup = 'system:nodes';

/** A kubelet's mirror of a static pod. Anyone may write the annotation; only a node may create the pod. */
function isMirrorPod(pod: Pod, request: AdmissionRequest): boolean {
  return pod.annotations.has(mirrorAnnotation) && request.userInfo.groups.includes(nodesGroup);
}

function readPodReview(request: AdmissionRequest, view: View, config: Config): PodReview | Decision {
  const object = requiredObject(request.object, '');
  const subject = nameSubject(request, object);
  const pod = readPodOnce(object);
  if (isMirrorPod(pod, request)) return { verdict: 'allow', reason: 'MirrorPod', confirmLive: false };
  const namespace = managedNamespace(request.namespace, subject, view, config);
  return isDecision(namespace) ? namespace : { subject, pod, namespace, view, config };
}

/** Containers that can be given something when a pod is created, without those that the user skips. */
function targetsOf(pod: Pod): readonly Container[] {
  const skipped = readSkipList(pod.annotations);
  return pod.containers.filter(({ kind, name }) => kind !== 'ephemeral container' && !skipped.has(name));
}

function skipListWarnings(pod: Pod): readonly Warning[] {
  const names = unknownSkipNames(readSkipList(pod.annotations), pod.containers);
  return names.length === 0 ? [] : [{ reason: 'UnknownContainer', names }];
}

function optedOutDecision(podReview: PodReview): Decision {
  const problem = boundaryProblem(podReview, podReview.pod.containers);
  if (problem !== undefined) return denyPod(podReview, problem);
  const { pod } = podReview;
  const unresolved = takesNoRole(pod) ? unresolvedBecause(podReview) : undefined;
  const warnings: readonly Warning[] = [
    ...emptyRoleWarnings(pod, pod.containers),
    ...(unresolved === undefined
      ? []
      : [{ reason: 'RunsWithoutRole', wrong: describePodProblem(podReview, unresolved) } as const]),
  ];
  // The map may just have come.
  const confirmLive = unresolved !== undefined;
  const patch = roleArnAnnotationPatch(pod, '');
  if (patch.length > 0) return { verdict: 'mutate', reason: 'OptedOut', patch, warnings, confirmLive };
  return { verdict: 'allow', reason: 'OptedOut', warnings, confirmLive };
}

/** Whether no container of a pod names a role of its own. */
function takesNoRole(pod: Pod): boolean {
  return !namesRole(pod, pod.containers);
}

/**
 * When the cluster could not be asked: a pod that opted out and names no role needs nothing of it, and is not held up for
 * the sake of a warning.
 */
export function unverifiedPod(request: AdmissionRequest): Decision | undefined {
  const pod = readPodOnce(requiredObject(request.object, ''));
  return isOptedOut(pod) && takesNoRole(pod) ? { verdict: 'allow', reason: 'OptedOut', confirmLive: false } : undefined;
}

/** What becomes of a pod that is created in a managed namespace. */
export function decidePod(podReview: PodReview): Decision {
  const { pod } = podReview;
  if (isOptedOut(pod)) return optedOutDecision(podReview);
  const resolved = resolvePod(podReview);
  if (!resolved.ok) return denyPod(podReview, resolved.problem);
  const { accountId, role, source } = resolved.value.podRole;
  const outside = boundaryProblem(podReview, pod.containers);
  if (outside !== undefined) return { ...denyPod(podReview, outside), accountId };
  const { settings, warnings } = settingsFor(podReview, resolved.value);
  const injection = injectPod(pod, targetsOf(pod), settings);
  if (!injection.ok) return { ...denyPod(podReview, injection.problem), accountId };
  const { patch, injected } = injection.value;
  return {
    verdict: patch.length > 0 ? 'mutate' : 'allow',
    reason: injected ? 'Injected' : 'NothingToInject',
    accountId,
    role,
    source,
    patch,
    warnings: [
      ...warnings,
      ...skipListWarnings(pod),
      ...emptyRoleWarnings(pod, pod.containers),
      ...relevantWarnings(injection.value.warnings, source),
    ],
    confirmLive: false,
  };
}

/** `/mutate` for CREATE of pods. */
export function mutatePod(request: AdmissionRequest, view: View, config: Config): Decision {
  const podReview = readPodReview(request, view, config);
  return 'verdict' in podReview ? podReview : decidePod(podReview);
}

/** `/validate` for CREATE of pods: boundary and conflicts of the final object, after every mutation. */
export function validatePod(request: AdmissionRequest, view: View, config: Config): Decision {
  const podReview = readPodReview(request, view, config);
  if ('verdict' in podReview) return podReview;
  const { pod, namespace } = podReview;
  const outside = boundaryProblem(podReview, pod.containers);
  if (outside !== undefined) return denyPod(podReview, outside);
  if (isOptedOut(pod)) return { verdict: 'allow', reason: 'OptedOut', confirmLive: false };
  const users = mountUsers(pod, targetsOf(pod));
  if (users.length > 0) {
    // Without it the audience is a guess, and no pod can be created with it either.
    const serviceAccount = view.serviceAccount(namespace.name, pod.serviceAccountName);
    if (serviceAccount === undefined) return denyPod(podReview, { reason: 'ServiceAccountNotFound' });
    const { annotations } = serviceAccount;
    const { audience } = readTokenSettings(pod.annotations, annotations, config.tokenExpirationSeconds);
    const conflict = findConflict(pod, users, audience);
    if (conflict !== undefined) return denyPod(podReview, conflict);
  }
  return { verdict: 'allow', reason: 'Checked', confirmLive: false };
}
