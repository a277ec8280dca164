import { mayReadMount } from '../../injection/credentials-modes.ts';
import { injectEphemeralContainers } from '../../injection/inject.ts';
import { readSkipList } from '../../injection/skip-list.ts';
import { tokenVolumeName } from '../../injection/token-volume.ts';
import { optionalArray, optionalObject, optionalString, requiredObject } from '../../objects/json.ts';
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
} from './pod-review.ts';

/** Names of the ephemeral containers that a pod already has. */
function namesIn(oldObject: unknown): ReadonlySet<string> {
  const spec = optionalObject(requiredObject(oldObject ?? {}, ''), 'spec', '') ?? {};
  const containers = optionalArray(spec, 'ephemeralContainers', '/spec') ?? [];
  return new Set(
    containers.map((container, index) => {
      const path = `/spec/ephemeralContainers/${index}`;
      return optionalString(requiredObject(container, path), 'name', path) ?? '';
    }),
  );
}

/** Those that the request adds: the API rejects every change of an old one. */
function addedContainers(pod: Pod, oldObject: unknown): readonly Container[] {
  const old = namesIn(oldObject);
  return pod.containers.filter(({ kind, name }) => kind === 'ephemeral container' && !old.has(name));
}

interface EphemeralReview {
  readonly podReview: PodReview;
  readonly added: readonly Container[];
}

function readEphemeralReview(request: AdmissionRequest, view: View, config: Config): EphemeralReview | Decision {
  const object = requiredObject(request.object, '');
  const subject = nameSubject(request, object);
  const pod = readPodOnce(object);
  const added = addedContainers(pod, request.oldObject);
  const namespace = managedNamespace(request.namespace, subject, view, config);
  return isDecision(namespace) ? namespace : { podReview: { subject, pod, namespace, view, config }, added };
}

function notInjected(wrong: string, others: readonly Warning[]): Decision {
  const warnings = [{ reason: 'DebugContainerNotInjected', wrong } as const, ...others];
  return { verdict: 'allow', reason: 'NothingToInject', warnings, confirmLive: true };
}

/**
 * `/mutate` for UPDATE of pods/ephemeralcontainers (`kubectl debug`). The role is resolved again; only the boundary
 * denies, for whoever debugs a pod needs the container more than its role.
 */
export function mutateEphemeralContainers(request: AdmissionRequest, view: View, config: Config): Decision {
  const ephemeral = readEphemeralReview(request, view, config);
  if ('verdict' in ephemeral) return ephemeral;
  const { podReview, added } = ephemeral;
  const { pod } = podReview;
  const outside = boundaryProblem(podReview, added);
  if (outside !== undefined) return denyPod(podReview, outside);
  const empty = emptyRoleWarnings(pod, added);
  if (isOptedOut(pod)) return { verdict: 'allow', reason: 'OptedOut', warnings: empty, confirmLive: false };
  const skipped = readSkipList(pod.annotations);
  const targets = added.filter(({ name }) => !skipped.has(name));
  const hasVolume = pod.volumes?.some(({ name }) => name === tokenVolumeName) ?? false;
  const users = targets.filter(container => mayReadMount(container, pod));
  if (targets.length === 0 || (users.length === 0 && !hasVolume))
    return { verdict: 'allow', reason: 'NothingToInject', warnings: empty, confirmLive: false };
  if (!hasVolume) {
    const wrong = `the pod has no volume ${tokenVolumeName}, and a running pod cannot gain one`;
    return { ...notInjected(wrong, empty), confirmLive: false };
  }

  const resolved = resolvePod(podReview);
  if (!resolved.ok) return notInjected(describePodProblem(podReview, resolved.problem), empty);
  const { accountId, role, source } = resolved.value.podRole;
  const { settings, warnings } = settingsFor(podReview, resolved.value);
  const injection = injectEphemeralContainers(pod, targets, settings);
  if (!injection.ok) return notInjected(describePodProblem(podReview, injection.problem), empty);
  const { patch, injected } = injection.value;
  return {
    verdict: injected ? 'mutate' : 'allow',
    reason: injected ? 'Injected' : 'NothingToInject',
    accountId,
    role,
    source,
    patch,
    warnings: [...warnings, ...empty, ...relevantWarnings(injection.value.warnings, source)],
    confirmLive: false,
  };
}

/** `/validate` for UPDATE of pods/ephemeralcontainers: the boundary again, after every mutation. */
export function validateEphemeralContainers(request: AdmissionRequest, view: View, config: Config): Decision {
  const ephemeral = readEphemeralReview(request, view, config);
  if ('verdict' in ephemeral) return ephemeral;
  const outside = boundaryProblem(ephemeral.podReview, ephemeral.added);
  if (outside !== undefined) return denyPod(ephemeral.podReview, outside);
  return { verdict: 'allow', reason: 'Checked', confirmLive: false };
}
