import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import { partitionOfRegion } from '../../accounts/partition.ts';
import { requiredObject } from '../../objects/json.ts';
import { type Keyed, keyHints } from '../../objects/key-hints.ts';
import {
  adoptedAnnotation,
  adoptionPolicyAnnotation,
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
import { denyObject, messageContext } from '../deny-object.ts';
import { isOneOf } from '../identity.ts';
import { modeOf } from '../mode.ts';
import { readOnce } from '../read-once.ts';
import type { AdmissionRequest } from '../review.ts';
import { defineRule, everyAckGroup } from '../rule.ts';
import { nameSubject } from '../subject.ts';
import { adoptedTarget } from './adopted-target.ts';
import { resourceProblems } from './resource-problems.ts';
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
  if (isIgnoredByAck(request.namespace)) return allow('NamespaceNotManaged');
  const named = readResourceOf(request);
  const namespace = view.namespace(request.namespace);
  if (namespace !== undefined) return new ResourceReview(named, request, namespace, view, config);
  const at = messageContext(request.namespace, config);
  return denyObject(named.subject, { reason: 'NamespaceNotFound' }, at, config);
}

/** The region to write onto a resource that says none; undefined where it should not be written. */
function regionToPin({ resource, old, namespace }: ResourceReview): string | undefined {
  if (resource.annotations.get(regionAnnotation)) return undefined;
  const pinned = old?.ack.region;
  // ACK goes by the status then; only a region that was written there before is put back.
  if (pinned !== undefined) {
    const written = old?.annotations.has(regionAnnotation) || resource.annotations.has(regionAnnotation);
    return written ? pinned : undefined;
  }
  return namespace.annotations.get(defaultRegionAnnotation) || undefined;
}

/** Whether a resource that was adopted, or is to be, would be deleted in AWS along with its object. */
function lacksRetain({ resource, old }: ResourceChange): boolean {
  if (resource.annotations.has(deletionPolicyAnnotation)) return false;
  if (resource.annotations.has(adoptionPolicyAnnotation)) return true;
  const wasAdopted = old?.annotations.has(adoptionPolicyAnnotation) || old?.annotations.has(adoptedAnnotation);
  return Boolean(wasAdopted) && old?.annotations.get(deletionPolicyAnnotation) === 'retain';
}

/** Whether a resource would be denied, were it not for the mode. */
function isSoftened(resourceReview: ResourceReview): boolean {
  if (modeOf(resourceReview.namespace, resourceReview.config.defaultMode) === 'enforce') return false;
  const [problem] = resourceProblems(resourceReview);
  const denial = problem === undefined ? unboundDecision(resourceReview) : resourceReview.deny(problem);
  return denial !== undefined && !denial.advisory && !denial.ignoresMode;
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
    ...(owner ? [{ reason: 'OwnerIgnored' } as const] : []),
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

const guardedStatus = [
  ['ownerAccountID', 'ownerAccountId'],
  ['region', 'region'],
  ['arn', 'arn'],
] as const;

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
     * deleted with its object. Never the spec.
     */
    decide(request, view, config) {
      const resourceReview = reviewResource(request, view, config);
      if (!(resourceReview instanceof ResourceReview)) return resourceReview;
      const { resource, old, alias } = resourceReview;
      if (old?.terminating) return allow('Terminating');
      if (alias === undefined) return allow('Checked');
      const values: [string, string][] = [];
      const region = regionToPin(resourceReview);
      const { partition, accountId, role } = resourceReview.accountIfKnown;
      const actual = region === undefined ? undefined : partitionOfRegion(region);
      // One that cannot be is denied by `/validate`, where it is not written over.
      if (region !== undefined && actual !== undefined && (partition === undefined || partition === actual)) {
        values.push([regionAnnotation, region]);
      }
      if (lacksRetain(resourceReview)) values.push([deletionPolicyAnnotation, 'retain']);
      // ACK's note goes with what users replace; without it nothing would tell the next time that the resource was adopted.
      const adopted = old?.annotations.get(adoptedAnnotation);
      if (adopted !== undefined && !resource.annotations.has(adoptedAnnotation))
        values.push([adoptedAnnotation, adopted]);
      if (values.length === 0) return allow('Checked', { accountId, role });
      // What `/validate` will let pass all the same is left as it is.
      if (isSoftened(resourceReview)) return allow('Checked', { accountId, role, confirmLive: true });
      return mutate('Completed', addAnnotations(resource, values), { accountId, role });
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
      const [problem] = resourceProblems(resourceReview);
      if (problem !== undefined) return resourceReview.deny(problem);
      if (resourceReview.old?.terminating) return allow('Terminating');
      const unbound = unboundDecision(resourceReview);
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
      const { resource, old } = resourceReview;
      if (isOneOf(request.userInfo, config.restoreIdentities)) return allow('ExemptIdentity');
      for (const [field, key] of guardedStatus) {
        if (resource.ack[key] !== old?.ack[key]) return resourceReview.deny({ reason: 'ForgedStatus', field });
      }
      return allow('Checked');
    },
  }),
];
