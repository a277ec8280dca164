import { ackCommonGroup, isAckGroup } from '../accounts/ack-service.ts';
import { workloadKinds } from '../objects/pod-template.ts';
import type { View } from './cluster.ts';
import type { Config } from './config.ts';
import type { Decision } from './decision.ts';
import { validateMap } from './guards/maps.ts';
import { labelNamespace, validateNamespace } from './guards/namespaces.ts';
import { validateRoleSelector } from './guards/role-selectors.ts';
import { mutateEphemeralContainers, validateEphemeralContainers } from './pods/ephemeral-containers.ts';
import { mutatePod, unverifiedPod, validatePod } from './pods/pods.ts';
import { unverifiedWorkload, validateWorkload } from './pods/workloads.ts';
import type { WebhookEntry } from './record.ts';
import { completeResource, validateResource, validateResourceStatus } from './resources/resources.ts';
import type { AdmissionRequest } from './review.ts';

/** The two paths that the webhook configurations name. */
export type Endpoint = 'mutate' | 'validate';

/** What decides on one kind of object. */
export interface Rule {
  readonly webhook: WebhookEntry | 'unknown';
  readonly decide: (request: AdmissionRequest, view: View, config: Config) => Decision;
  /** The decision when the cluster could not be asked; without one, the review is denied as `Unverified`. */
  readonly unverified?: (request: AdmissionRequest, config: Config, words: string) => Decision | undefined;
}

const notOurs: Rule = {
  webhook: 'unknown',
  decide: () => ({ verdict: 'allow', reason: 'NotApplicable', confirmLive: false }),
};
const pods: Readonly<Record<Endpoint, Rule>> = {
  mutate: { webhook: 'pods.carm-webhook.dev', decide: mutatePod, unverified: unverifiedPod },
  validate: { webhook: 'pods.carm-webhook.dev', decide: validatePod, unverified: unverifiedPod },
};
const ephemeralContainers: Readonly<Record<Endpoint, Rule>> = {
  mutate: { webhook: 'pods.carm-webhook.dev', decide: mutateEphemeralContainers },
  validate: { webhook: 'pods.carm-webhook.dev', decide: validateEphemeralContainers },
};
const namespaces: Readonly<Record<Endpoint, Rule>> = {
  mutate: {
    webhook: 'namespaces.carm-webhook.dev',
    decide: labelNamespace,
    unverified: (request, config) => labelNamespace(request, undefined, config),
  },
  validate: { webhook: 'namespaces.carm-webhook.dev', decide: validateNamespace },
};
const resources: Readonly<Record<Endpoint, Rule>> = {
  mutate: { webhook: 'resources.carm-webhook.dev', decide: completeResource },
  validate: { webhook: 'resources.carm-webhook.dev', decide: validateResource },
};
const resourceStatus: Rule = { webhook: 'status.carm-webhook.dev', decide: validateResourceStatus };
const maps: Rule = { webhook: 'maps.carm-webhook.dev', decide: validateMap };
const roleSelectors: Rule = { webhook: 'selectors.carm-webhook.dev', decide: validateRoleSelector };
const workloads: Rule = {
  webhook: 'workloads.carm-webhook.dev',
  decide: validateWorkload,
  unverified: (_, config, words) => unverifiedWorkload(config, words),
};

const namespaceSubResources: ReadonlySet<string | undefined> = new Set([undefined, 'status', 'finalize']);
const workloadResources: ReadonlySet<string> = new Set(
  workloadKinds.map(({ group, resource }) => `${group}/${resource}`),
);

function ackRule(endpoint: Endpoint, { subResource, operation }: AdmissionRequest): Rule {
  if (subResource === undefined) return resources[endpoint];
  return endpoint === 'validate' && subResource === 'status' && operation === 'UPDATE' ? resourceStatus : notOurs;
}

/** The rule for a request. What we do not know is allowed: a webhook that was rolled back must not block. */
export function ruleFor(endpoint: Endpoint, request: AdmissionRequest): Rule {
  const { operation, subResource } = request;
  const { group, resource } = request.resource;
  if (group === '' && resource === 'configmaps') {
    return endpoint === 'validate' && subResource === undefined && operation !== 'CONNECT' ? maps : notOurs;
  }
  if (group === ackCommonGroup && resource === 'iamroleselectors') {
    return endpoint === 'validate' && subResource === undefined && operation !== 'CONNECT' ? roleSelectors : notOurs;
  }
  if (operation !== 'CREATE' && operation !== 'UPDATE') return notOurs;
  if (group === '' && resource === 'pods') {
    if (operation === 'CREATE' && subResource === undefined) return pods[endpoint];
    if (operation === 'UPDATE' && subResource === 'ephemeralcontainers') return ephemeralContainers[endpoint];
    return notOurs;
  }
  if (group === '' && resource === 'namespaces') {
    return namespaceSubResources.has(subResource) ? namespaces[endpoint] : notOurs;
  }
  if (isAckGroup(group)) return ackRule(endpoint, request);
  const isWorkload = subResource === undefined && workloadResources.has(`${group}/${resource}`);
  return endpoint === 'validate' && isWorkload ? workloads : notOurs;
}
