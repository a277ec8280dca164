import { takesTokenFile } from '../../injection/environment.ts';
import { injectEphemeralContainers } from '../../injection/inject.ts';
import { readSkipList } from '../../injection/skip-list.ts';
import { tokenVolumeName, usesTokenFile } from '../../injection/token-volume.ts';
import { optionalArray, optionalObject, optionalString, requiredObject } from '../../objects/json.ts';
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
  worthSaying,
  wrongWith,
} from './pod-case.ts';

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

/** Those that the request adds: the API refuses every change of an old one. */
function addedContainers(pod: Pod, oldObject: unknown): readonly Container[] {
  const old = namesIn(oldObject);
  return pod.containers.filter(({ kind, name }) => kind === 'ephemeral container' && !old.has(name));
}

interface EphemeralCase {
  readonly podCase: PodCase;
  readonly added: readonly Container[];
}

function caseOf(request: AdmissionRequest, view: View, rules: Rules): EphemeralCase | Decision {
  const object = requiredObject(request.object, '');
  const subject = nameSubject(request, object);
  const pod = readPodOnce(object);
  const added = addedContainers(pod, request.oldObject);
  const namespace = servedNamespace(request.namespace, subject, view, rules);
  return isDecision(namespace) ? namespace : { podCase: { subject, pod, namespace, view, rules }, added };
}

function notInjected(wrong: string, others: readonly Remark[]): Decision {
  const remarks = [{ reason: 'DebugContainerNotInjected', wrong } as const, ...others];
  return { verdict: 'allow', reason: 'NothingToInject', remarks, restsOnState: true };
}

/**
 * `/mutate` for UPDATE of pods/ephemeralcontainers (`kubectl debug`). The role is resolved anew; only the boundary
 * refuses, for whoever debugs a pod needs the container more than its role.
 */
export function mutateEphemeralContainers(request: AdmissionRequest, view: View, rules: Rules): Decision {
  const ephemeral = caseOf(request, view, rules);
  if ('verdict' in ephemeral) return ephemeral;
  const { podCase, added } = ephemeral;
  const { pod } = podCase;
  const outside = judgeBoundary(podCase, added);
  if (outside !== undefined) return deny(podCase, outside);
  const empty = emptyRoleRemarks(pod, added);
  if (isOptedOut(pod)) return { verdict: 'allow', reason: 'OptedOut', remarks: empty, restsOnState: false };
  const skipped = readSkipList(pod.annotations);
  const targets = added.filter(({ name }) => !skipped.has(name));
  const hasVolume = pod.volumes?.some(({ name }) => name === tokenVolumeName) ?? false;
  const users = targets.filter(one => takesTokenFile(one, pod.windows) || usesTokenFile(one, pod.windows));
  if (targets.length === 0 || (users.length === 0 && !hasVolume))
    return { verdict: 'allow', reason: 'NothingToInject', remarks: empty, restsOnState: false };
  if (!hasVolume) {
    const wrong = `the pod has no volume ${tokenVolumeName}, and a running pod cannot gain one`;
    return { ...notInjected(wrong, empty), restsOnState: false };
  }

  const resolved = resolveCase(podCase);
  if (!resolved.ok) return notInjected(wrongWith(podCase, resolved.problem), empty);
  const { accountId, role, source } = resolved.value.podRole;
  const { settings, remarks } = settingsFor(podCase, resolved.value);
  const injection = injectEphemeralContainers(pod, targets, settings);
  if (!injection.ok) return notInjected(wrongWith(podCase, injection.problem), empty);
  const { patch, injected, warnings } = injection.value;
  return {
    verdict: injected ? 'mutate' : 'allow',
    reason: injected ? 'Injected' : 'NothingToInject',
    accountId,
    role,
    source,
    patch,
    remarks: [...remarks, ...empty, ...worthSaying(warnings, source)],
    restsOnState: false,
  };
}

/** `/validate` for UPDATE of pods/ephemeralcontainers: the boundary again, after every mutation. */
export function validateEphemeralContainers(request: AdmissionRequest, view: View, rules: Rules): Decision {
  const ephemeral = caseOf(request, view, rules);
  if ('verdict' in ephemeral) return ephemeral;
  const outside = judgeBoundary(ephemeral.podCase, ephemeral.added);
  if (outside !== undefined) return deny(ephemeral.podCase, outside);
  return { verdict: 'allow', reason: 'Checked', restsOnState: false };
}
