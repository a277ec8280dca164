import { partitionOfRegion } from '../../accounts/partition.ts';
import { accountOfArn } from '../../accounts/role-selector.ts';
import { quoteField } from '../../objects/field-path.ts';
import { isJsonObject } from '../../objects/json.ts';
import {
  adoptionFieldsAnnotation,
  adoptionPolicyAnnotation,
  defaultRegionAnnotation,
  isControllersAnnotation,
  ownerAccountIdAnnotation,
  regionAnnotation,
} from '../../objects/keys.ts';
import { sameJson } from '../../objects/same-json.ts';
import type { OwnerMismatch, UnboundProblem } from '../catalogue/binding-denials.ts';
import type { RebindProblem } from '../catalogue/rebind-denial.ts';
import type { ResourceProblem } from '../catalogue/resource-denials.ts';
import type { Warning } from '../catalogue/warnings.ts';
import { isOneOf } from '../identity.ts';
import { adoptedTarget, targetMetadataPath } from './adopted-target.ts';
import { roleGrantProblems } from './pod-identity-association.ts';
import { allowedNamespaces, findCrossNamespaceReferences } from './references.ts';
import {
  type AnnotationForm,
  annotationForms,
  isControllersFinalizer,
  namesNothingToAdopt,
} from './resource-annotations.ts';
import { aliasOf, type ResourceAccountProblem, type ResourceChange, type ResourceReview } from './resource-review.ts';

type Problem =
  | Exclude<ResourceProblem, { readonly reason: 'ForgedStatus' }>
  | Extract<RebindProblem, { readonly of: 'resource' }>
  | ResourceAccountProblem
  | OwnerMismatch
  | UnboundProblem;

function changedAnnotation({ resource, old }: ResourceChange, key: string): string | undefined {
  const value = resource.annotations.get(key);
  return value === old?.annotations.get(key) ? undefined : value;
}

/**
 * What only controllers write, written by someone else.
 * @param within where the annotations stand, if not in the object's own metadata.
 */
function* forgeries({ request, config }: ResourceReview, change: ResourceChange, within?: string): Generator<Problem> {
  const { resource, old } = change;
  if (isOneOf(request.userInfo, config.restoreIdentities)) return;
  for (const key of resource.annotations.keys()) {
    if (isControllersAnnotation(key) && changedAnnotation(change, key) !== undefined) {
      yield { reason: 'ForgedAnnotation', of: 'resource', key, within };
    }
  }
  let before: ReadonlySet<string> | undefined;
  for (const [index, finalizer] of resource.finalizers.entries()) {
    // Most of them, mostly all, are where they were.
    if (finalizer === old?.finalizers[index] || !isControllersFinalizer(finalizer)) continue;
    before ??= new Set(old?.finalizers);
    if (!before.has(finalizer)) {
      yield { reason: 'ForgedFinalizer', finalizer };
    }
  }
}

/** Which field of which resource a FieldExport exports. */
function sourceOf(spec: unknown): unknown {
  return isJsonObject(spec) ? spec['from'] : undefined;
}

/** References into other namespaces that the request adds, and that are not allowed. */
function* foreign({ request, resource, old, config, namespace }: ResourceReview): Generator<Problem> {
  const allowed = allowedNamespaces(namespace.name, config);
  // What another source brings into the same target is another export.
  const isOther = request.kind === 'FieldExport' && !sameJson(sourceOf(resource.spec), sourceOf(old?.spec));
  let before: ReadonlySet<string> | undefined = isOther ? new Set() : undefined;
  for (const reference of findCrossNamespaceReferences(resource.spec, request.kind, namespace.name)) {
    if (allowed.has(reference.namespace)) continue;
    before ??= new Set(
      Array.from(findCrossNamespaceReferences(old?.spec, request.kind, namespace.name), each => each.identity),
    );
    if (before.has(reference.identity)) continue;
    yield { reason: 'CrossNamespaceReference', path: quoteField(reference.path), namespace: reference.namespace };
  }
}

function* role(resourceReview: ResourceReview): Generator<Problem> {
  const { request, resource, old, config, alias } = resourceReview;
  if (alias === undefined) return;
  if (config.featureGates.IAMRoleSelector) {
    // ACK matches again at each reconcile, and an edit of spec makes one.
    const judged = old === undefined || !sameJson(resource.spec, old.spec) || !sameLabels(resourceReview);
    const account = judged ? resourceReview.account : undefined;
    if (account !== undefined && !account.ok) yield account.problem;
    yield* rebinding(resourceReview);
  } else if (old === undefined || aliasOf(request, old) !== alias) {
    const { account } = resourceReview;
    if (account !== undefined && !account.ok) yield account.problem;
    if (account === undefined && resourceReview.mustBeBound) yield resourceReview.unbound;
  }
}

function sameLabels({ resource, old }: ResourceChange): boolean {
  if (old === undefined || old.labels.size !== resource.labels.size) return false;
  return [...resource.labels].every(([key, value]) => old.labels.get(key) === value);
}

/** Labels by which the selector of another account would take the resource over. */
function* rebinding(resourceReview: ResourceReview): Generator<Problem> {
  const owner = resourceReview.old?.ack.ownerAccountId;
  if (owner === undefined || sameLabels(resourceReview)) return;
  const [before, ...conflicting] = resourceReview.selectorsFor(resourceReview.old?.labels ?? new Map());
  // Where several matched, ACK had stopped: none of them had taken the resource over.
  const decided = conflicting.length === 0 ? before?.name : undefined;
  for (const { name, arn } of resourceReview.selectorsFor(resourceReview.resource.labels)) {
    const accountId = accountOfArn(arn);
    if (name !== decided && accountId !== owner)
      yield { reason: 'RebindWithResources', of: 'resource', selector: name, owner, accountId };
  }
}

function* region(resourceReview: ResourceReview): Generator<Problem> {
  const { resource, old, namespace, alias } = resourceReview;
  const own = resource.annotations.get(regionAnnotation);
  const changed = changedAnnotation(resourceReview, regionAnnotation);
  const pinned = old?.ack.region;
  if (changed !== undefined && pinned !== undefined && changed !== pinned)
    yield { reason: 'RegionChange', value: changed, region: pinned };
  const takesDefault = old === undefined && own === undefined && alias !== undefined;
  const fromNamespace = takesDefault ? namespace.annotations.get(defaultRegionAnnotation) : undefined;
  // ACK takes an empty annotation for a region.
  const value = changed ?? fromNamespace;
  if (value === undefined || (value === '' && changed === undefined)) return;
  yield* regionForm(resourceReview, value, changed === undefined ? 'namespace' : 'resource');
}

/** A region that is none, or lies in another partition than the role. */
function* regionForm(
  { accountIfKnown: { partition } }: ResourceReview,
  value: string,
  from: 'resource' | 'namespace',
  within?: string,
): Generator<Problem> {
  const actual = partitionOfRegion(value);
  if (actual === undefined || (partition !== undefined && actual !== partition)) {
    yield { reason: 'InvalidRegion', value, from, partition, within };
  }
}

function* annotations(resourceReview: ResourceReview, change: ResourceChange, within?: string): Generator<Problem> {
  for (const { form, value } of oddValues(change)) {
    const { key, allowed } = form;
    if (!form.mayBeNewer(value)) yield { reason: 'InvalidAnnotation', of: 'resource', key, value, allowed, within };
  }
  const owner = changedAnnotation(change, ownerAccountIdAnnotation);
  // ACK looks for no owner there: it works in its controllers' own account, which the annotation cannot contradict.
  if (!owner || resourceReview.isUnbound) return;
  const accountId = resourceReview.accountOfNamespace;
  if (owner !== accountId) yield { reason: 'AccountMismatch', value: owner, ownerOf: accountId, within };
}

/** What a request sets an annotation to, and this version of ACK does not know. */
function* oddValues(change: ResourceChange): Generator<{ readonly form: AnnotationForm; readonly value: string }> {
  for (const form of annotationForms) {
    const value = changedAnnotation(change, form.key);
    if (value !== undefined && !form.allows(value)) yield { form, value };
  }
}

/** Values that a later version of ACK may know. */
export function* newerValues(change: ResourceChange): Generator<Extract<Warning, { readonly reason: 'UnknownValue' }>> {
  for (const { form, value } of oddValues(change)) {
    const { key, allowed } = form;
    if (form.mayBeNewer(value)) yield { reason: 'UnknownValue', key, value, allowed };
  }
}

/** A resource that is to adopt, and says not what. What it has adopted it needs to name no more. */
function* adoption(change: ResourceChange): Generator<Problem> {
  const changed = [adoptionPolicyAnnotation, adoptionFieldsAnnotation].some(
    key => changedAnnotation(change, key) !== undefined,
  );
  if (changed && namesNothingToAdopt(change.resource.annotations)) {
    yield {
      reason: 'InvalidAnnotation',
      of: 'adoption',
      isEmpty: change.resource.annotations.has(adoptionFieldsAnnotation),
    };
  }
}

/** What is wrong with the annotations that an AdoptedResource would have ACK write. */
function* copies(resourceReview: ResourceReview): Generator<Problem> {
  const target = adoptedTarget(resourceReview);
  if (target === undefined) return;
  yield* forgeries(resourceReview, target, targetMetadataPath);
  const region = changedAnnotation(target, regionAnnotation);
  if (region !== undefined) yield* regionForm(resourceReview, region, 'resource', targetMetadataPath);
  yield* annotations(resourceReview, target, targetMetadataPath);
}

/**
 * What is wrong with what a request changes, the worst first. On an object that is being deleted nothing but its spec is
 * judged: its finalizers and metadata must come off, whatever they are.
 */
export function* resourceProblems(resourceReview: ResourceReview): Generator<Problem> {
  if (resourceReview.old?.terminating) {
    yield* foreign(resourceReview);
    yield* roleGrantProblems(resourceReview);
    return;
  }
  yield* forgeries(resourceReview, resourceReview);
  yield* foreign(resourceReview);
  yield* roleGrantProblems(resourceReview);
  yield* role(resourceReview);
  yield* region(resourceReview);
  yield* annotations(resourceReview, resourceReview);
  yield* adoption(resourceReview);
  yield* copies(resourceReview);
}
