import { isAckGroup } from '../../accounts/ack-service.ts';
import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import { partitionOfRegion } from '../../accounts/partition.ts';
import { requiredObject } from '../../objects/json.ts';
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
import type { Decision } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import { isOneOf } from '../identity.ts';
import { modeOf } from '../mode.ts';
import type { AdmissionRequest } from '../review.ts';
import { nameSubject } from '../subject.ts';
import { adoptedTarget } from './adopted-target.ts';
import { resourceProblems } from './resource-problems.ts';
import { accountIfKnown, aliasOf, denyResource, type ResourceReview, resourceBinding } from './resource-review.ts';

const exempt: Decision = { verdict: 'allow', reason: 'ExemptIdentity', confirmLive: false };
const notOurs: Decision = { verdict: 'allow', reason: 'NotApplicable', confirmLive: false };

/** Who is never stood in the way of: ACK's controllers, and those of Kubernetes that delete. */
function isExempt({ userInfo }: AdmissionRequest, config: Config): boolean {
  return isDeletingController(userInfo) || isAckController(userInfo, config);
}

function readResourceReview(request: AdmissionRequest, view: View, config: Config): ResourceReview | Decision {
  if (!isAckGroup(request.resource.group)) return notOurs;
  if (isExempt(request, config)) return exempt;
  if (isIgnoredByAck(request.namespace)) return { verdict: 'allow', reason: 'NamespaceNotManaged', confirmLive: false };
  const object = requiredObject(request.object, '');
  const subject = nameSubject(request, object);
  const resource = request.subResource === 'status' ? readResource(object) : readWrittenResource(object);
  const old = request.operation === 'UPDATE' ? readResource(request.oldObject) : undefined;
  const namespace = view.namespace(request.namespace);
  if (namespace !== undefined) return { subject, request, resource, old, namespace, view, config };
  return denyObject(subject, { reason: 'NamespaceNotFound' }, messageContext(request.namespace, config), config);
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
function lacksRetain({ resource, old }: ResourceReview): boolean {
  if (resource.annotations.has(deletionPolicyAnnotation)) return false;
  if (resource.annotations.has(adoptionPolicyAnnotation)) return true;
  const wasAdopted = old?.annotations.has(adoptionPolicyAnnotation) || old?.annotations.has(adoptedAnnotation);
  return Boolean(wasAdopted) && old?.annotations.get(deletionPolicyAnnotation) === 'retain';
}

/** Whether a resource would be denied, were it not for the mode. */
function isSoftened(resourceReview: ResourceReview): boolean {
  if (modeOf(resourceReview.namespace, resourceReview.config.defaultMode) === 'enforce') return false;
  const [problem] = resourceProblems(resourceReview);
  const denial = problem === undefined ? unboundDecision(resourceReview) : denyResource(resourceReview, problem);
  return denial !== undefined && !denial.advisory && !denial.ignoresMode;
}

/**
 * `/mutate` for CREATE and UPDATE of ACK resources: pins the region, so that a later edit of the namespace cannot strand
 * the resource; and keeps what is adopted from being deleted with its object. Never the spec.
 */
export function completeResource(request: AdmissionRequest, view: View, config: Config): Decision {
  const resourceReview = readResourceReview(request, view, config);
  if ('verdict' in resourceReview) return resourceReview;
  const { resource, old } = resourceReview;
  if (old?.terminating) return { verdict: 'allow', reason: 'Terminating', confirmLive: false };
  if (aliasOf(resourceReview) === undefined) return { verdict: 'allow', reason: 'Checked', confirmLive: false };
  const values: [string, string][] = [];
  const region = regionToPin(resourceReview);
  const { partition, accountId, role } = accountIfKnown(resourceReview);
  const actual = region === undefined ? undefined : partitionOfRegion(region);
  // One that cannot be is denied by `/validate`, where it is not written over.
  if (region !== undefined && actual !== undefined && (partition === undefined || partition === actual)) {
    values.push([regionAnnotation, region]);
  }
  if (lacksRetain(resourceReview)) values.push([deletionPolicyAnnotation, 'retain']);
  // ACK's note goes with what users replace; without it nothing would tell the next time that the resource was adopted.
  const adopted = old?.annotations.get(adoptedAnnotation);
  if (adopted !== undefined && !resource.annotations.has(adoptedAnnotation)) values.push([adoptedAnnotation, adopted]);
  const known = { ...(accountId === undefined ? {} : { accountId }), ...(role === undefined ? {} : { role }) };
  if (values.length === 0) return { verdict: 'allow', reason: 'Checked', ...known, confirmLive: false };
  // What `/validate` will let pass all the same is left as it is.
  if (isSoftened(resourceReview)) return { verdict: 'allow', reason: 'Checked', ...known, confirmLive: true };
  return {
    verdict: 'mutate',
    reason: 'Completed',
    ...known,
    patch: addAnnotations(resource, values),
    confirmLive: false,
  };
}

function warningsOn(resourceReview: ResourceReview): readonly Warning[] {
  const isNew = ({ resource, old }: ResourceReview) => {
    const owner = resource.annotations.get(ownerAccountIdAnnotation);
    return owner && owner !== old?.annotations.get(ownerAccountIdAnnotation);
  };
  const target = adoptedTarget(resourceReview);
  return isNew(resourceReview) || (target !== undefined && isNew(target)) ? [{ reason: 'OwnerIgnored' }] : [];
}

/** `/validate` for CREATE and UPDATE of ACK resources, by what the request changes. */
export function validateResource(request: AdmissionRequest, view: View, config: Config): Decision {
  const resourceReview = readResourceReview(request, view, config);
  if ('verdict' in resourceReview) return resourceReview;
  const [problem] = resourceProblems(resourceReview);
  if (problem !== undefined) return denyResource(resourceReview, problem);
  if (resourceReview.old?.terminating) return { verdict: 'allow', reason: 'Terminating', confirmLive: false };
  const unbound = unboundDecision(resourceReview);
  if (unbound !== undefined) return unbound;
  const { accountId, role } = accountIfKnown(resourceReview);
  return {
    verdict: 'allow',
    reason: 'Checked',
    ...(accountId === undefined ? {} : { accountId }),
    ...(role === undefined ? {} : { role }),
    warnings: warningsOn(resourceReview),
    confirmLive: false,
  };
}

/** A new resource in a namespace that is not bound: ACK works in its controllers' own account, which may be meant. */
function unboundDecision(resourceReview: ResourceReview): Decision | undefined {
  const { old, config } = resourceReview;
  if (old !== undefined || config.unboundResources === 'allow' || config.featureGates.IAMRoleSelector) return undefined;
  if (aliasOf(resourceReview) === undefined || resourceBinding(resourceReview) !== undefined) return undefined;
  const decision = denyResource(resourceReview, { reason: 'NamespaceNotBound', of: 'resource' });
  // A warning frees nobody, so a namespace of mode audit may do without it.
  return config.unboundResources === 'deny' ? decision : { ...decision, advisory: true, ignoresMode: false };
}

const guardedStatus = [
  ['ownerAccountID', 'ownerAccountId'],
  ['region', 'region'],
  ['arn', 'arn'],
] as const;

/** `/validate` for the status of ACK resources, on those that are being deleted too: ACK deletes where the status says. */
export function validateResourceStatus(request: AdmissionRequest, view: View, config: Config): Decision {
  const resourceReview = readResourceReview(request, view, config);
  if ('verdict' in resourceReview) return resourceReview;
  const { resource, old } = resourceReview;
  if (isOneOf(request.userInfo, config.restoreIdentities)) return exempt;
  for (const [field, key] of guardedStatus) {
    if (resource.ack[key] !== old?.ack[key]) return denyResource(resourceReview, { reason: 'ForgedStatus', field });
  }
  return { verdict: 'allow', reason: 'Checked', confirmLive: false };
}
