import { namesRole } from '../../injection/boundary.ts';
import { findVolumeConflict, injectPod } from '../../injection/inject.ts';
import { roleArnAnnotationPatch } from '../../injection/role-annotation.ts';
import { readSkipList, unknownSkipNames } from '../../injection/skip-list.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import { usesTokenFile } from '../../injection/token-volume.ts';
import { requiredObject } from '../../objects/json.ts';
import type { Container, Pod } from '../../objects/pod.ts';
import type { Remark } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Decision } from '../decision.ts';
import type { AdmissionRequest } from '../review.ts';
import type { Rules } from '../rules.ts';
import { nameSubject } from '../subject.ts';
import {
  deny,
  emptyRoleRemarks,
  isDecision,
  isOptedOut,
  judgeBoundary,
  type PodCase,
  readPodOnce,
  resolveCase,
  servedNamespace,
  settingsFor,
  whyUnresolved,
  worthSaying,
  wrongWith,
} from './pod-case.ts';

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-config-mirror */
const mirrorAnnotation = 'kubernetes.io/config.mirror';
const nodesGroup = 'system:nodes';

/** A kubelet's mirror of a static pod. Anyone may write the annotation; only a node may create the pod. */
function isMirrorPod(pod: Pod, request: AdmissionRequest): boolean {
  return pod.annotations.has(mirrorAnnotation) && request.userInfo.groups.includes(nodesGroup);
}

function podCaseOf(request: AdmissionRequest, view: View, rules: Rules): PodCase | Decision {
  const object = requiredObject(request.object, '');
  const subject = nameSubject(request, object);
  const pod = readPodOnce(object);
  if (isMirrorPod(pod, request)) return { verdict: 'allow', reason: 'MirrorPod', restsOnState: false };
  const namespace = servedNamespace(request.namespace, subject, view, rules);
  return isDecision(namespace) ? namespace : { subject, pod, namespace, view, rules };
}

/** Containers that can be given something when a pod is created, without those that the user skips. */
function targetsOf(pod: Pod): readonly Container[] {
  const skipped = readSkipList(pod.annotations);
  return pod.containers.filter(({ kind, name }) => kind !== 'ephemeral container' && !skipped.has(name));
}

function skipRemarks(pod: Pod): readonly Remark[] {
  const names = unknownSkipNames(readSkipList(pod.annotations), pod.containers);
  return names.length === 0 ? [] : [{ reason: 'UnknownContainer', names }];
}

function optedOutDecision(podCase: PodCase): Decision {
  const problem = judgeBoundary(podCase, podCase.pod.containers);
  if (problem !== undefined) return deny(podCase, problem);
  const { pod } = podCase;
  const unresolved = takesNoRole(pod) ? whyUnresolved(podCase) : undefined;
  const remarks: readonly Remark[] = [
    ...emptyRoleRemarks(pod, pod.containers),
    ...(unresolved === undefined
      ? []
      : [{ reason: 'RunsWithoutRole', wrong: wrongWith(podCase, unresolved) } as const]),
  ];
  // The map may just have come.
  const restsOnState = unresolved !== undefined;
  const patch = roleArnAnnotationPatch(pod, '');
  if (patch.length > 0) return { verdict: 'mutate', reason: 'OptedOut', patch, remarks, restsOnState };
  return { verdict: 'allow', reason: 'OptedOut', remarks, restsOnState };
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
  return isOptedOut(pod) && takesNoRole(pod)
    ? { verdict: 'allow', reason: 'OptedOut', restsOnState: false }
    : undefined;
}

/** What becomes of a pod that is created in a served namespace. */
export function decidePod(podCase: PodCase): Decision {
  const { pod } = podCase;
  if (isOptedOut(pod)) return optedOutDecision(podCase);
  const resolved = resolveCase(podCase);
  if (!resolved.ok) return deny(podCase, resolved.problem);
  const { accountId, role, source } = resolved.value.podRole;
  const outside = judgeBoundary(podCase, pod.containers);
  if (outside !== undefined) return { ...deny(podCase, outside), accountId };
  const { settings, remarks } = settingsFor(podCase, resolved.value);
  const injection = injectPod(pod, targetsOf(pod), settings);
  if (!injection.ok) return { ...deny(podCase, injection.problem), accountId };
  const { patch, injected, warnings } = injection.value;
  return {
    verdict: patch.length > 0 ? 'mutate' : 'allow',
    reason: injected ? 'Injected' : 'NothingToInject',
    accountId,
    role,
    source,
    patch,
    remarks: [
      ...remarks,
      ...skipRemarks(pod),
      ...emptyRoleRemarks(pod, pod.containers),
      ...worthSaying(warnings, source),
    ],
    restsOnState: false,
  };
}

/** `/mutate` for CREATE of pods. */
export function mutatePod(request: AdmissionRequest, view: View, rules: Rules): Decision {
  const podCase = podCaseOf(request, view, rules);
  return 'verdict' in podCase ? podCase : decidePod(podCase);
}

/** `/validate` for CREATE of pods: boundary and conflicts of the final object, after every mutation. */
export function validatePod(request: AdmissionRequest, view: View, rules: Rules): Decision {
  const podCase = podCaseOf(request, view, rules);
  if ('verdict' in podCase) return podCase;
  const { pod, namespace } = podCase;
  const outside = judgeBoundary(podCase, pod.containers);
  if (outside !== undefined) return deny(podCase, outside);
  if (isOptedOut(pod)) return { verdict: 'allow', reason: 'OptedOut', restsOnState: false };
  const users = targetsOf(pod).filter(container => usesTokenFile(container, pod.windows));
  if (users.length > 0) {
    // Without it the audience is a guess, and no pod can be created with it either.
    const serviceAccount = view.serviceAccount(namespace.name, pod.serviceAccountName);
    if (serviceAccount === undefined) return deny(podCase, { reason: 'ServiceAccountNotFound' });
    const { annotations } = serviceAccount;
    const { audience } = readTokenSettings(pod.annotations, annotations, rules.tokenExpirationSeconds);
    const conflict = findVolumeConflict(pod, users, audience);
    if (conflict !== undefined) return deny(podCase, conflict);
  }
  return { verdict: 'allow', reason: 'Checked', restsOnState: false };
}
