import { type RoleAccess, resolveCredentialsMode } from '../../accounts/role-access.ts';
import { roleTakenByToken } from '../../accounts/token-role.ts';
import { namesRole } from '../../injection/boundary.ts';
import { readsMount, rolesTaken } from '../../injection/credentials-modes.ts';
import { findConflict, injectPod, unusedChainVolume } from '../../injection/inject.ts';
import { roleArnAnnotationPatch } from '../../injection/role-annotation.ts';
import { unknownSkipNames } from '../../injection/skip-list.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import { webIdentityMode } from '../../injection/web-identity.ts';
import { mirrorAnnotation } from '../../objects/keys.ts';
import type { Pod, Volume } from '../../objects/pod.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { type Allowed, allow, type Decision, mutate } from '../decision.ts';
import { modeOf } from '../mode.ts';
import type { AdmissionRequest } from '../review.ts';
import { type DecisionBy, defineRule } from '../rule.ts';
import { credentialsFor, roleUserOf } from './pod-credentials.ts';
import {
  boundaryProblem,
  emptyRoleWarnings,
  ignoredMetadataWarnings,
  isOptedOut,
  PodReview,
  type ResolvedPod,
  readPodOf,
  relevantWarnings,
  resolvePod,
  reviewPod,
} from './pod-review.ts';

const nodesGroup = 'system:nodes';

/** A kubelet's mirror of a static pod. Anyone may write the annotation; only a node may create the pod. */
function isMirrorPod(pod: Pod, request: AdmissionRequest): boolean {
  return pod.annotations.has(mirrorAnnotation) && request.userInfo.groups.includes(nodesGroup);
}

/** What roles that containers name can be denied for, and the binding that they are held against. */
export const boundaryReasons = [
  'InvalidAccountId',
  'InvalidTeamId',
  'NamespaceNotBound',
  'TeamMapMissing',
  'TeamNotMapped',
  'InvalidRoleArn',
  'RoleOutsideAccount',
  'RoleNotVerifiable',
  'ControllerRole',
] as const;

/** What becomes of pods that are created in a managed namespace. */
export const podReasons = {
  allow: ['NothingToInject', 'OptedOut'],
  mutate: ['Injected', 'NothingToInject', 'OptedOut'],
  deny: [
    ...boundaryReasons,
    'AccountMapMissing',
    'AccountNotMapped',
    'AccountMismatch',
    'ServiceAccountNotFound',
    'VolumeConflict',
    'CredentialConflict',
    'HubRoleMissing',
    'InvalidAnnotation',
  ],
} as const;

export type PodDecision = DecisionBy<typeof podReasons>;

function skipListWarnings({ pod, skipped }: PodReview): readonly Warning[] {
  const names = unknownSkipNames(skipped, pod.containers);
  return names.length === 0 ? [] : [{ reason: 'UnknownContainer', names }];
}

function optedOutDecision(podReview: PodReview): PodDecision {
  const { pod } = podReview;
  const problem = boundaryProblem(podReview, pod.containers) ?? unusedChainVolume(pod);
  if (problem !== undefined) return podReview.deny(problem);
  const mapped = takesNoRole(pod) ? podReview.mapped : undefined;
  const unresolved = mapped?.ok === false ? mapped.problem : undefined;
  const details = {
    warnings: [
      ...emptyRoleWarnings(pod, pod.containers),
      ...(unresolved === undefined
        ? []
        : [{ reason: 'RunsWithoutRole', wrong: podReview.describe(unresolved) } as const]),
      ...ignoredMetadataWarnings(pod),
    ],
    // The map may just have come.
    confirmLive: unresolved !== undefined,
  };
  const patch = roleArnAnnotationPatch(pod, { taken: rolesTaken(pod, pod.containers), given: false });
  return patch.length > 0 ? mutate('OptedOut', patch, details) : allow('OptedOut', details);
}

/** Whether no container of a pod names a role of its own. */
function takesNoRole(pod: Pod): boolean {
  return !namesRole(pod, pod.containers);
}

/**
 * When the cluster could not be asked: a pod that opted out and names no role needs nothing of it, and is not held up for
 * the sake of a warning.
 */
function unverifiedPod(request: AdmissionRequest): Allowed<'OptedOut'> | undefined {
  const { pod } = readPodOf(request);
  return isOptedOut(pod) && takesNoRole(pod) ? allow('OptedOut') : undefined;
}

/** Whom the containers of an injected pod present their tokens to; nobody where EKS Pod Identity gives the first credentials. */
function tokenUse(
  { pod, config }: PodReview,
  { serviceAccount }: ResolvedPod,
  access: RoleAccess,
): Decision['tokenFor'] {
  const role = roleTakenByToken(access);
  if (role === undefined) return undefined;
  const { audience } = readTokenSettings(pod.annotations, serviceAccount.annotations, config.tokenExpirationSeconds);
  return { accountId: role.accountId, audience };
}

/** What becomes of a pod that is created in a managed namespace. */
export function decidePod(podReview: PodReview): PodDecision {
  const { pod } = podReview;
  if (isOptedOut(pod)) return optedOutDecision(podReview);
  const resolved = resolvePod(podReview);
  if (!resolved.ok) return podReview.deny(resolved.problem);
  const { accountId, role, source } = resolved.value.podRole;
  const outside = boundaryProblem(podReview, pod.containers);
  if (outside !== undefined) return podReview.deny(outside);
  const credentials = credentialsFor(podReview, resolved.value);
  if (!credentials.ok) return podReview.deny(credentials.problem);
  const { settings, warnings, access } = credentials.value;
  const injection = injectPod(pod, podReview.targets, settings);
  if (!injection.ok) return podReview.deny(injection.problem);
  const { patch, injected } = injection.value;
  const details = {
    accountId,
    role,
    source,
    access,
    warnings: [
      ...warnings,
      ...skipListWarnings(podReview),
      ...emptyRoleWarnings(pod, pod.containers),
      ...relevantWarnings(injection.value.warnings, source),
      ...ignoredMetadataWarnings(pod, resolved.value.serviceAccount),
    ],
  };
  if (patch.length === 0) return allow('NothingToInject', details);
  // Containers that name a role themselves may not take this one.
  const tokenFor = injected && takesNoRole(pod) ? tokenUse(podReview, resolved.value, access) : undefined;
  return mutate(injected ? 'Injected' : 'NothingToInject', patch, { ...details, tokenFor });
}

/**
 * What is wrong with the final pod in our mount, after every mutation: a conflict, or a config file that is not the one that is due.
 * A pod of which no container reads the mount needs no role for that.
 */
function finalProblem(podReview: PodReview) {
  const { pod, namespace, view, config } = podReview;
  const readers = podReview.targets.filter(container => readsMount(container, pod));
  if (readers.length === 0) return unusedChainVolume(pod);
  // Without it mode and audience are a guess, and no pod can be created with it either.
  const serviceAccount = view.serviceAccount(namespace.name, pod.serviceAccountName);
  if (serviceAccount === undefined) return { reason: 'ServiceAccountNotFound' } as const;
  const mode = resolveCredentialsMode(roleUserOf(podReview, serviceAccount), config);
  if (!mode.ok) return mode.problem;
  if (mode.value === 'web-identity') {
    const { audience } = readTokenSettings(pod.annotations, serviceAccount.annotations, config.tokenExpirationSeconds);
    const isOurs = (volume: Volume) => webIdentityMode.isOurs(volume, audience);
    return findConflict(pod, readers, { mode: webIdentityMode, audience, isOurs });
  }
  const resolved = resolvePod(podReview);
  if (!resolved.ok) return resolved.problem;
  const credentials = credentialsFor(podReview, resolved.value);
  if (!credentials.ok) return credentials.problem;
  const { settings } = credentials.value;
  const conflict = findConflict(pod, readers, settings.credentials);
  if (conflict !== undefined) return conflict;
  for (const [key, due] of settings.credentials.annotations) {
    if (pod.annotations.get(key) !== due) return { reason: 'ForgedAnnotation', of: 'pod', key } as const;
  }
  return undefined;
}

/** The review of a pod that is created, if we judge it; else the decision. */
function reviewCreated(request: AdmissionRequest, view: View, config: Config) {
  const named = readPodOf(request);
  return isMirrorPod(named.pod, request) ? allow('MirrorPod') : reviewPod(named, request.namespace, view, config);
}

const atCreation = {
  webhook: 'pods.carm-webhook.dev',
  matches: [{ group: '', kind: 'Pod', resource: 'pods', operations: ['CREATE'] }],
  unverified: unverifiedPod,
} as const;

export const podRules = [
  defineRule({
    ...atCreation,
    endpoint: 'mutate',
    reasons: {
      allow: [...podReasons.allow, 'MirrorPod', 'NamespaceNotManaged'],
      mutate: podReasons.mutate,
      deny: [...podReasons.deny, 'NamespaceNotFound'],
    },
    decide(request, view, config) {
      const podReview = reviewCreated(request, view, config);
      return podReview instanceof PodReview ? decidePod(podReview) : podReview;
    },
  }),
  defineRule({
    ...atCreation,
    endpoint: 'validate',
    reasons: {
      allow: ['Checked', 'OptedOut', 'MirrorPod', 'NamespaceNotManaged'],
      mutate: [],
      deny: [...podReasons.deny, 'NamespaceNotFound', 'ForgedAnnotation'],
    },
    /**
     * Boundary and conflicts of the final object, after every mutation. Where the mode softens, also what `/mutate` let pass
     * without changes: so each pod that `enforce` would deny is counted here, once, whatever it would be denied for.
     */
    decide(request, view, config) {
      const podReview = reviewCreated(request, view, config);
      if (!(podReview instanceof PodReview)) return podReview;
      const { pod, namespace } = podReview;
      const outside = boundaryProblem(podReview, pod.containers);
      if (outside !== undefined) return podReview.deny(outside);
      const isOut = isOptedOut(pod);
      // What was let pass is as the user wrote it: a config of their own is then no forgery of ours.
      const softened = isOut || modeOf(namespace, config.defaultMode) === 'enforce' ? undefined : decidePod(podReview);
      if (softened?.verdict === 'deny') return softened;
      const conflict = isOut ? unusedChainVolume(pod) : finalProblem(podReview);
      if (conflict !== undefined) return podReview.deny(conflict);
      return allow(isOut ? 'OptedOut' : 'Checked');
    },
  }),
];
