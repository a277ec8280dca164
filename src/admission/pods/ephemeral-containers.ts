import { deliveredConfig, isChainVolume } from '../../injection/chain.ts';
import { mayReadMount } from '../../injection/credentials-modes.ts';
import { injectEphemeralContainers } from '../../injection/inject.ts';
import { tokenVolumeName } from '../../injection/token-volume.ts';
import { optionalArray, optionalObject, optionalString, requiredObject } from '../../objects/json.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { type Allowed, allow, mutate } from '../decision.ts';
import type { AdmissionRequest } from '../review.ts';
import { type DecisionBy, defineRule } from '../rule.ts';
import { credentialsForAdded } from './pod-credentials.ts';
import {
  boundaryProblem,
  emptyRoleWarnings,
  ignoredMetadataWarnings,
  isOptedOut,
  PodReview,
  readPodOf,
  relevantWarnings,
  resolvePod,
  reviewPod,
} from './pod-review.ts';
import { boundaryReasons } from './pods.ts';

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

/** The containers that a request adds: the API rejects every change of an old one. What roles they name is judged first. */
function reviewAdded(request: AdmissionRequest, view: View, config: Config) {
  const named = readPodOf(request);
  const old = namesIn(request.oldObject);
  const added = named.pod.containers.filter(({ kind, name }) => kind === 'ephemeral container' && !old.has(name));
  const podReview = reviewPod(named, request.namespace, view, config);
  if (!(podReview instanceof PodReview)) return podReview;
  const outside = boundaryProblem(podReview, added);
  return outside === undefined ? { podReview, added } : podReview.deny(outside);
}

function notInjected(wrong: string, others: readonly Warning[]): Allowed<'NothingToInject'> {
  const warnings = [{ reason: 'DebugContainerNotInjected', wrong } as const, ...others];
  return allow('NothingToInject', { warnings, confirmLive: true });
}

const mutateReasons = {
  allow: ['NothingToInject', 'OptedOut', 'NamespaceNotManaged'],
  mutate: ['Injected'],
  deny: [...boundaryReasons, 'NamespaceNotFound'],
} as const;

/** The role is resolved again; only the boundary denies, for whoever debugs a pod needs the container more than its role. */
function mutateEphemeralContainers(
  request: AdmissionRequest,
  view: View,
  config: Config,
): DecisionBy<typeof mutateReasons> {
  const reviewed = reviewAdded(request, view, config);
  if ('verdict' in reviewed) return reviewed;
  const { podReview, added } = reviewed;
  const { pod } = podReview;
  const empty = emptyRoleWarnings(pod, added);
  if (isOptedOut(pod)) return allow('OptedOut', { warnings: empty });
  const { skipped } = podReview;
  const targets = added.filter(({ name }) => !skipped.has(name));
  const hasVolume = pod.volumes?.some(({ name }) => name === tokenVolumeName) ?? false;
  const users = targets.filter(container => mayReadMount(container, pod));
  if (targets.length === 0 || (users.length === 0 && !hasVolume)) return allow('NothingToInject', { warnings: empty });
  if (!hasVolume) {
    const wrong = `the pod has no volume ${tokenVolumeName}, and a running pod cannot gain one`;
    return { ...notInjected(wrong, empty), confirmLive: false };
  }

  const resolved = resolvePod(podReview);
  if (!resolved.ok) return notInjected(podReview.describe(resolved.problem), empty);
  const { accountId, source } = resolved.value.podRole;
  const delivered = pod.volumes?.some(isChainVolume) ? { config: deliveredConfig(pod) } : 'nothing';
  const credentials = credentialsForAdded(podReview, resolved.value, targets, delivered);
  if (!credentials.ok) return notInjected(credentials.problem, empty);
  const { settings, warnings, access } = credentials.value;
  const injection = injectEphemeralContainers(pod, targets, settings);
  if (!injection.ok) return notInjected(podReview.describe(injection.problem), empty);
  const { patch, injected } = injection.value;
  const details = {
    accountId,
    role: access.role,
    source,
    access,
    warnings: [
      ...warnings,
      ...empty,
      ...relevantWarnings(injection.value.warnings, source),
      ...ignoredMetadataWarnings(pod, resolved.value.serviceAccount),
    ],
  };
  return injected ? mutate('Injected', patch, details) : allow('NothingToInject', details);
}

/** `kubectl debug` */
const atDebugging = {
  webhook: 'pods.carm-webhook.dev',
  matches: [{ group: '', resource: 'pods', subResource: 'ephemeralcontainers', operations: ['UPDATE'] }],
} as const;

export const ephemeralContainerRules = [
  defineRule({ ...atDebugging, endpoint: 'mutate', reasons: mutateReasons, decide: mutateEphemeralContainers }),
  defineRule({
    ...atDebugging,
    endpoint: 'validate',
    reasons: {
      allow: ['Checked', 'NamespaceNotManaged', 'OptedOut'],
      mutate: [],
      deny: mutateReasons.deny,
    },
    /** The boundary again, after every mutation. */
    decide(request, view, config) {
      const reviewed = reviewAdded(request, view, config);
      return 'verdict' in reviewed ? reviewed : allow('Checked');
    },
  }),
];
