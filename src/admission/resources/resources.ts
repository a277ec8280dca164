import { isAckGroup } from '../../accounts/ack-service.ts';
import { defaultRegionAnnotation, ownerAccountIdAnnotation } from '../../accounts/binding.ts';
import { partitionOfRegion } from '../../accounts/partition.ts';
import { isIgnoredByAck } from '../../accounts/served-namespace.ts';
import { pointerSegment, requiredObject } from '../../objects/json.ts';
import type { Addition } from '../../objects/json-patch.ts';
import { type Resource, readResource, readWrittenResource } from '../../objects/resource.ts';
import type { Remark } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import { isAckController, isDeletingController } from '../controllers.ts';
import type { Decision } from '../decision.ts';
import { circumstancesOf, denial } from '../denial.ts';
import { isOneOf } from '../identity.ts';
import { modeOf } from '../mode.ts';
import type { AdmissionRequest } from '../review.ts';
import type { Rules } from '../rules.ts';
import { nameSubject } from '../subject.ts';
import { adoptedTarget } from './adopted-target.ts';
import {
  adoptedAnnotation,
  adoptionPolicyAnnotation,
  deletionPolicyAnnotation,
  regionAnnotation,
} from './resource-annotations.ts';
import { accountIfKnown, aliasOf, denyResource, type ResourceCase, resourceBinding } from './resource-case.ts';
import { resourceProblems } from './resource-problems.ts';

const exempt: Decision = { verdict: 'allow', reason: 'ExemptIdentity', restsOnState: false };
const notOurs: Decision = { verdict: 'allow', reason: 'NotApplicable', restsOnState: false };

/** Who is never stood in the way of: ACK's controllers, and those of Kubernetes that delete. */
function isExempt({ userInfo }: AdmissionRequest, rules: Rules): boolean {
  return isDeletingController(userInfo) || isAckController(userInfo, rules);
}

function caseOf(request: AdmissionRequest, view: View, rules: Rules): ResourceCase | Decision {
  if (!isAckGroup(request.resource.group)) return notOurs;
  if (isExempt(request, rules)) return exempt;
  if (isIgnoredByAck(request.namespace))
    return { verdict: 'allow', reason: 'NamespaceNotManaged', restsOnState: false };
  const object = requiredObject(request.object, '');
  const subject = nameSubject(request, object);
  const resource = request.subResource === 'status' ? readResource(object) : readWrittenResource(object);
  const old = request.operation === 'UPDATE' ? readResource(request.oldObject) : undefined;
  const namespace = view.namespace(request.namespace);
  if (namespace !== undefined) return { subject, request, resource, old, namespace, view, rules };
  return denial(subject, { reason: 'NamespaceNotFound' }, circumstancesOf(request.namespace, rules), rules);
}

/** The region to write onto a resource that says none; undefined where it should not be written. */
function regionToPin({ resource, old, namespace }: ResourceCase): string | undefined {
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
function lacksRetain({ resource, old }: ResourceCase): boolean {
  if (resource.annotations.has(deletionPolicyAnnotation)) return false;
  if (resource.annotations.has(adoptionPolicyAnnotation)) return true;
  const wasAdopted = old?.annotations.has(adoptionPolicyAnnotation) || old?.annotations.has(adoptedAnnotation);
  return Boolean(wasAdopted) && old?.annotations.get(deletionPolicyAnnotation) === 'retain';
}

function annotate(
  { hasMetadata, hasAnnotations }: Resource,
  values: readonly (readonly [string, string])[],
): readonly Addition[] {
  if (values.length === 0) return [];
  const annotations = Object.fromEntries(values);
  if (!hasMetadata) return [{ op: 'add', path: '/metadata', value: { annotations } }];
  if (!hasAnnotations) return [{ op: 'add', path: '/metadata/annotations', value: annotations }];
  return values.map(([key, value]) => ({ op: 'add', path: `/metadata/annotations/${pointerSegment(key)}`, value }));
}

/** Whether a resource would be refused, were it not for the mode. */
function isSoftened(resourceCase: ResourceCase): boolean {
  if (modeOf(resourceCase.namespace, resourceCase.rules.defaultMode) === 'enforce') return false;
  const [problem] = resourceProblems(resourceCase);
  const refusal = problem === undefined ? unboundDecision(resourceCase) : denyResource(resourceCase, problem);
  return refusal !== undefined && !refusal.advisory && !refusal.ignoresMode;
}

/**
 * `/mutate` for CREATE and UPDATE of ACK resources: pins the region, so that a later edit of the namespace cannot strand
 * the resource; and keeps what is adopted from being deleted with its object. Never the spec.
 */
export function completeResource(request: AdmissionRequest, view: View, rules: Rules): Decision {
  const resourceCase = caseOf(request, view, rules);
  if ('verdict' in resourceCase) return resourceCase;
  const { resource, old } = resourceCase;
  if (old?.terminating) return { verdict: 'allow', reason: 'Terminating', restsOnState: false };
  if (aliasOf(resourceCase) === undefined) return { verdict: 'allow', reason: 'Checked', restsOnState: false };
  const values: [string, string][] = [];
  const region = regionToPin(resourceCase);
  const { partition, accountId, role } = accountIfKnown(resourceCase);
  const actual = region === undefined ? undefined : partitionOfRegion(region);
  // One that cannot be is refused by `/validate`, where it is not written over.
  if (region !== undefined && actual !== undefined && (partition === undefined || partition === actual)) {
    values.push([regionAnnotation, region]);
  }
  if (lacksRetain(resourceCase)) values.push([deletionPolicyAnnotation, 'retain']);
  // ACK's note goes with what users replace; without it nothing would tell the next time that the resource was adopted.
  const adopted = old?.annotations.get(adoptedAnnotation);
  if (adopted !== undefined && !resource.annotations.has(adoptedAnnotation)) values.push([adoptedAnnotation, adopted]);
  const known = { ...(accountId === undefined ? {} : { accountId }), ...(role === undefined ? {} : { role }) };
  if (values.length === 0) return { verdict: 'allow', reason: 'Checked', ...known, restsOnState: false };
  // What `/validate` will let pass all the same is left as it is.
  if (isSoftened(resourceCase)) return { verdict: 'allow', reason: 'Checked', ...known, restsOnState: true };
  return { verdict: 'mutate', reason: 'Completed', ...known, patch: annotate(resource, values), restsOnState: false };
}

function remarksOn(resourceCase: ResourceCase): readonly Remark[] {
  const isNew = ({ resource, old }: ResourceCase) => {
    const owner = resource.annotations.get(ownerAccountIdAnnotation);
    return owner && owner !== old?.annotations.get(ownerAccountIdAnnotation);
  };
  const target = adoptedTarget(resourceCase);
  return isNew(resourceCase) || (target !== undefined && isNew(target)) ? [{ reason: 'OwnerIgnored' }] : [];
}

/** `/validate` for CREATE and UPDATE of ACK resources, by what the request changes. */
export function validateResource(request: AdmissionRequest, view: View, rules: Rules): Decision {
  const resourceCase = caseOf(request, view, rules);
  if ('verdict' in resourceCase) return resourceCase;
  const [problem] = resourceProblems(resourceCase);
  if (problem !== undefined) return denyResource(resourceCase, problem);
  if (resourceCase.old?.terminating) return { verdict: 'allow', reason: 'Terminating', restsOnState: false };
  const unbound = unboundDecision(resourceCase);
  if (unbound !== undefined) return unbound;
  const { accountId, role } = accountIfKnown(resourceCase);
  return {
    verdict: 'allow',
    reason: 'Checked',
    ...(accountId === undefined ? {} : { accountId }),
    ...(role === undefined ? {} : { role }),
    remarks: remarksOn(resourceCase),
    restsOnState: false,
  };
}

/** A new resource in a namespace that is not bound: ACK works in its controllers' own account, which may be meant. */
function unboundDecision(resourceCase: ResourceCase): Decision | undefined {
  const { old, rules } = resourceCase;
  if (old !== undefined || rules.unboundResources === 'allow' || rules.featureGates.IAMRoleSelector) return undefined;
  if (aliasOf(resourceCase) === undefined || resourceBinding(resourceCase) !== undefined) return undefined;
  const decision = denyResource(resourceCase, { reason: 'NamespaceNotBound', of: 'resource' });
  // A warning frees nobody, so a namespace of mode audit may do without it.
  return rules.unboundResources === 'deny' ? decision : { ...decision, advisory: true, ignoresMode: false };
}

const guardedStatus = [
  ['ownerAccountID', 'ownerAccountId'],
  ['region', 'region'],
  ['arn', 'arn'],
] as const;

/** `/validate` for the status of ACK resources, on those that are being deleted too: ACK deletes where the status says. */
export function validateResourceStatus(request: AdmissionRequest, view: View, rules: Rules): Decision {
  const resourceCase = caseOf(request, view, rules);
  if ('verdict' in resourceCase) return resourceCase;
  const { resource, old } = resourceCase;
  if (isOneOf(request.userInfo, rules.restoreIdentities)) return exempt;
  for (const [field, key] of guardedStatus) {
    if (resource.ack[key] !== old?.ack[key]) return denyResource(resourceCase, { reason: 'ForgedStatus', field });
  }
  return { verdict: 'allow', reason: 'Checked', restsOnState: false };
}
