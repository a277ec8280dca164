import { isChainVolume } from '../../injection/chain.ts';
import { type JsonObject, optionalObject, requiredObject } from '../../objects/json.ts';
import { awsConfigAnnotation } from '../../objects/keys.ts';
import { readAnnotations } from '../../objects/metadata.ts';
import type { ConfigChange } from '../catalogue/resource-denials.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { allow } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import { credentialsFor } from '../pods/pod-credentials.ts';
import { PodReview, readPodOf, resolvePod, reviewPod } from '../pods/pod-review.ts';
import type { AdmissionRequest } from '../review.ts';
import { type DecisionBy, defineRule } from '../rule.ts';
import { nameSubject } from '../subject.ts';
import { isTerminating } from './namespace-request.ts';

function writtenConfig(object: JsonObject): string | undefined {
  return readAnnotations(optionalObject(object, 'metadata', '') ?? {}).get(awsConfigAnnotation);
}

function changeOf(before: string | undefined, after: string | undefined): ConfigChange {
  if (after === undefined) return 'removed';
  if (after === '') return 'emptied';
  return before === undefined ? 'added' : 'changed';
}

/** The config that a pod would get if it were created now; undefined where that is none. */
function dueConfig(podReview: PodReview): string | undefined {
  const resolved = resolvePod(podReview);
  if (!resolved.ok) return undefined;
  const credentials = credentialsFor(podReview, resolved.value);
  return credentials.ok ? credentials.value.settings.credentials.annotations.get(awsConfigAnnotation) : undefined;
}

const reasons = {
  allow: ['Checked', 'NotApplicable', 'NamespaceNotManaged', 'OptedOut', 'Terminating'],
  mutate: [],
  deny: ['ForgedAnnotation', 'NamespaceNotFound'],
} as const;

function decideUpdate(request: AdmissionRequest, view: View, config: Config): DecisionBy<typeof reasons> {
  // kubelet no longer writes its files then: run on a real node, where those of others follow within a second.
  if (isTerminating(request)) return allow('Terminating');
  const object = requiredObject(request.object, '');
  const before = writtenConfig(requiredObject(request.oldObject, ''));
  const after = writtenConfig(object);
  if (before === after) return allow('Checked');
  const named = readPodOf(request);
  // Where no volume of ours delivers it, it is a note like any other. The volumes of a pod never change.
  if (!named.pod.volumes?.some(isChainVolume)) return allow('NotApplicable');
  const podReview = reviewPod(named, request.namespace, view, config);
  if (!(podReview instanceof PodReview)) return podReview;
  // One that was changed past the webhook can be put right.
  if (after !== undefined && after === dueConfig(podReview)) return allow('Checked');
  return podReview.deny({ reason: 'ForgedAnnotation', of: 'running pod', change: changeOf(before, after) });
}

/**
 * The API server copies the annotations of a Binding to the pod, which the review does not hold. No scheduler has a reason to
 * set this one. https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/pod/storage/storage.go (setPodNodeAndMetadata)
 */
function decideBinding(request: AdmissionRequest, config: Config): DecisionBy<typeof reasons> {
  const object = requiredObject(request.object, '');
  if (writtenConfig(object) === undefined) return allow('NotApplicable');
  const at = messageContext(request.namespace, config);
  return denyObject(
    nameSubject(request, object),
    { reason: 'ForgedAnnotation', of: 'running pod', change: 'bound' },
    at,
    config,
  );
}

/**
 * The AWS config file of a pod in chain mode is an annotation, and kubelet writes the file anew when that changes: another text
 * would be another role, and with none SDKs go on to the hub's or the node's. So it stays as it was injected, whoever asks and
 * whatever the namespace's mode. These are all requests by which an API server changes annotations of a pod:
 * pods/ephemeralcontainers, pods/resize and pods/eviction leave them as they are.
 */
export const podConfigRules = [
  defineRule({
    webhook: 'pods.carm-webhook.dev',
    endpoint: 'validate',
    matches: [
      { group: '', resource: 'pods', operations: ['UPDATE'] },
      { group: '', resource: 'pods', subResource: 'status', operations: ['UPDATE'] },
      { group: '', resource: 'pods', subResource: 'binding', operations: ['CREATE'] },
      { group: '', resource: 'bindings', operations: ['CREATE'] },
    ],
    reasons,
    decide: (request, view, config) =>
      request.operation === 'CREATE' ? decideBinding(request, config) : decideUpdate(request, view, config),
  }),
];
