import { areResourcesIgnored } from '../../accounts/managed-namespace.ts';
import { partitionOfRegion } from '../../accounts/partition.ts';
import { quoteField } from '../../objects/field-path.ts';
import { requiredObject } from '../../objects/json.ts';
import { type Keyed, keyHints } from '../../objects/key-hints.ts';
import {
  defaultRegionAnnotation,
  deletionPolicyAnnotation,
  ownerAccountIdAnnotation,
  regionAnnotation,
} from '../../objects/keys.ts';
import { addAnnotations } from '../../objects/metadata-patch.ts';
import { readResource, readWrittenResource } from '../../objects/resource.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { isAckController, isDeletingController } from '../controllers.ts';
import { type Allowed, allow, type Denied, mutate } from '../decision.ts';
import { denyObject, firstThatCounts, messageContext } from '../deny-object.ts';
import { isOneOf } from '../identity.ts';
import { modeOf } from '../mode.ts';
import { readOnce } from '../read-once.ts';
import type { AdmissionRequest } from '../review.ts';
import { defineRule, everyAckGroup } from '../rule.ts';
import { nameSubject } from '../subject.ts';
import { adoptedTarget } from './adopted-target.ts';
import { adoptionWarnings, lacksRetain } from './adoption.ts';
import { forgedStatusField } from './forged-status.ts';
import { managementWarnings } from './management.ts';
import { newerValues, resourceProblems } from './resource-problems.ts';
import { type NamedResource, type ResourceChange, ResourceReview } from './resource-review.ts';

/** Who is never stood in the way of: ACK's controllers, and those of Kubernetes that delete. */
function isExempt({ userInfo }: AdmissionRequest, config: Config): boolean {
  return isDeletingController(userInfo) || isAckController(userInfo, config);
}

const readResourceOf = readOnce((request: AdmissionRequest): NamedResource => {
  const object = requiredObject(request.object, '');
  const subject = nameSubject(request, object);
  const resource = request.subResource === 'status' ? readResource(object) : readWrittenResource(object);
  return { subject, resource, old: request.operation === 'UPDATE' ? readResource(request.oldObject) : undefined };
});

type Unjudged = Allowed<'ExemptIdentity' | 'NamespaceNotManaged'> | Denied<'NamespaceNotFound'>;

/** The review of a resource if we judge it; else the decision. */
function reviewResource(request: AdmissionRequest, view: View, config: Config): ResourceReview | Unjudged {
  if (isExempt(request, config)) return allow('ExemptIdentity');
  if (areResourcesIgnored(request.namespace, config.featureGates)) return allow('NamespaceNotManaged');
  const named = readResourceOf(request);
  const namespace = view.namespace(request.namespace);
  if (namespace !== undefined) return new ResourceReview(named, request, namespace, view, config);
  const at = messageContext(request.namespace, config);
  return denyObject(named.subject, { reason: 'NamespaceNotFound' }, at, config);
}

/**
 * The region to write onto a resource that says none. ACK compares the namespace's default with the status, and where they
 * differ stops in silence. So it is that of the status where there is one, also for a resource from before our time.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (regionDrifted)
 * @returns undefined where none should be written. One that cannot be is denied by `/validate`, where it is not written over.
 */
function regionToPin(resourceReview: ResourceReview): string | undefined {
  const { resource, old, namespace } = resourceReview;
  if (resource.annotations.get(regionAnnotation)) return undefined;
  const region = old?.ack.region ?? namespace.annotations.get(defaultRegionAnnotation) ?? '';
  const { partition } = resourceReview.accountIfKnown;
  const actual = partitionOfRegion(region);
  return actual !== undefined && (partition === undefined || partition === actual) ? region : undefined;
}

/** Of a region that is pinned, and that the namespace's default is not. */
function regionWarnings({ namespace }: ResourceReview, region: string): readonly Warning[] {
  const byDefault = namespace.annotations.get(defaultRegionAnnotation);
  return byDefault && byDefault !== region ? [{ reason: 'RegionPinned', region, byDefault }] : [];
}

/** Whether `/validate` denies a resource that is completed so, or would, were it not for the mode. */
function isDenied(review: ResourceReview, values: readonly (readonly [key: string, value: string])[]): boolean {
  const resource = { ...review.resource, annotations: new Map([...review.resource.annotations, ...values]) };
  const completed = new ResourceReview(
    { ...review, resource },
    review.request,
    review.namespace,
    review.view,
    review.config,
  );
  const [problem] = resourceProblems(completed);
  const denial = problem === undefined ? unboundDecision(completed) : completed.deny(problem);
  return denial !== undefined && !denial.advisory;
}

/** The labels of an AdoptedResource are its own. */
function unlabelled({ annotations }: Keyed): Keyed {
  return { labels: new Map(), annotations };
}

function warningsOn(resourceReview: ResourceReview): readonly Warning[] {
  const isNew = ({ resource, old }: ResourceChange) => {
    const owner = resource.annotations.get(ownerAccountIdAnnotation);
    return owner && owner !== old?.annotations.get(ownerAccountIdAnnotation);
  };
  const { resource, old } = resourceReview;
  const target = adoptedTarget(resourceReview);
  const owner = isNew(resourceReview) || (target !== undefined && isNew(target));
  return [
    ...(owner ? [{ reason: 'OwnerIgnored', isBound: !resourceReview.isUnbound } as const] : []),
    ...newerValues(resourceReview),
    ...(target === undefined ? [] : newerValues(target)),
    ...managementWarnings(resourceReview),
    ...adoptionWarnings(resourceReview),
    ...keyHints(resource, 'ACK resource', old),
    ...(target === undefined ? [] : keyHints(unlabelled(target.resource), 'ACK resource', target.old)),
  ];
}

/** A new resource in a namespace that is not bound: ACK works in its controllers' own account, which may be meant. */
function unboundDecision(resourceReview: ResourceReview): Denied<'NamespaceNotBound'> | undefined {
  const { old, alias, binding, config } = resourceReview;
  if (old !== undefined || config.unboundResources === 'allow' || config.featureGates.IAMRoleSelector) return undefined;
  if (alias === undefined || binding !== undefined) return undefined;
  const decision = resourceReview.deny(resourceReview.unbound);
  // A warning frees nobody, so a namespace of mode audit may do without it.
  return config.unboundResources === 'deny' ? decision : { ...decision, advisory: true, ignoresMode: false };
}

const ofResources = {
  webhook: 'resources.carm-webhook.dev',
  matches: [{ group: everyAckGroup, resource: '*', operations: ['CREATE', 'UPDATE'] }],
} as const;

export const resourceRules = [
  defineRule({
    ...ofResources,
    endpoint: 'mutate',
    reasons: {
      allow: ['Checked', 'ExemptIdentity', 'NamespaceNotManaged', 'Terminating'],
      mutate: ['Completed'],
      deny: ['NamespaceNotFound'],
    },
    /**
     * Pins the region, so that a later edit of the namespace cannot strand the resource; and keeps what is adopted from being
     * deleted with its object, where nobody said that it should be. Never the spec.
     */
    decide(request, view, config) {
      const resourceReview = reviewResource(request, view, config);
      if (!(resourceReview instanceof ResourceReview)) return resourceReview;
      const { resource, old, alias } = resourceReview;
      if (old?.terminating) return allow('Terminating');
      if (alias === undefined) return allow('Checked');
      const values: [string, string][] = [];
      const warnings: Warning[] = [];
      const { accountId, role } = resourceReview.accountIfKnown;
      const region = regionToPin(resourceReview);
      if (region !== undefined) {
        values.push([regionAnnotation, region]);
        warnings.push(...regionWarnings(resourceReview, region));
      }
      if (lacksRetain(resourceReview)) {
        values.push([deletionPolicyAnnotation, 'retain']);
        warnings.push({ reason: 'RetainAdded' });
      }
      // ACK's own notes are never given back: with `adopted`, and without its finalizer, ACK gives up on a resource that it
      // would otherwise adopt again. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (Sync)
      if (values.length === 0) return allow('Checked', { accountId, role });
      // A warning of a change that `/validate` will keep from being stored would mislead; what a mode lets pass is left as it is.
      if (isDenied(resourceReview, values)) return allow('Checked', { accountId, role, confirmLive: true });
      return mutate('Completed', addAnnotations(resource, values), { accountId, role, warnings });
    },
  }),
  defineRule({
    ...ofResources,
    endpoint: 'validate',
    reasons: {
      allow: ['Checked', 'ExemptIdentity', 'NamespaceNotManaged', 'Terminating'],
      mutate: [],
      deny: [
        'AccountMapMissing',
        'AccountMismatch',
        'AccountNotMapped',
        'CrossNamespaceReference',
        'ForgedAnnotation',
        'ForgedFinalizer',
        'InvalidAccountId',
        'InvalidAnnotation',
        'InvalidRegion',
        'InvalidRoleArn',
        'InvalidTeamId',
        'NamespaceNotBound',
        'NamespaceNotFound',
        'RebindWithResources',
        'RegionChange',
        'RoleGrantNotAllowed',
        'SelectorConflict',
        'SelectorNotMatched',
        'TeamMapMissing',
        'TeamNotMapped',
      ],
    },
    decide(request, view, config) {
      const resourceReview = reviewResource(request, view, config);
      if (!(resourceReview instanceof ResourceReview)) return resourceReview;
      const modeHere = () => modeOf(resourceReview.namespace, config.defaultMode);
      const counting = firstThatCounts(resourceProblems(resourceReview), modeHere, config);
      if (counting?.isSoft === false) return resourceReview.deny(counting.problem);
      const { old } = resourceReview;
      const unbound = old?.terminating ? undefined : unboundDecision(resourceReview);
      if (counting !== undefined && !unbound?.ignoresMode) return resourceReview.deny(counting.problem);
      if (old?.terminating) return allow('Terminating');
      const warnings = warningsOn(resourceReview);
      if (unbound !== undefined) return { ...unbound, warnings };
      const { accountId, role } = resourceReview.accountIfKnown;
      return allow('Checked', { accountId, role, warnings });
    },
  }),
  defineRule({
    webhook: 'status.carm-webhook.dev',
    endpoint: 'validate',
    matches: [{ group: everyAckGroup, resource: '*', subResource: 'status', operations: ['UPDATE'] }],
    reasons: {
      allow: ['Checked', 'ExemptIdentity', 'NamespaceNotManaged'],
      mutate: [],
      deny: ['ForgedStatus', 'NamespaceNotFound'],
    },
    /** On those that are being deleted too: ACK deletes where the status says. */
    decide(request, view, config) {
      const resourceReview = reviewResource(request, view, config);
      if (!(resourceReview instanceof ResourceReview)) return resourceReview;
      if (isOneOf(request.userInfo, config.restoreIdentities)) return allow('ExemptIdentity');
      const field = forgedStatusField(resourceReview);
      if (field === undefined) return allow('Checked');
      return resourceReview.deny({ reason: 'ForgedStatus', path: quoteField(field) });
    },
  }),
];
