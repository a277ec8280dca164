import {
  adoptedAnnotation,
  adoptionPolicyAnnotation,
  deletionPolicyAnnotation,
  serviceDeletionPolicyKey,
} from '../../objects/keys.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { ResourceReview } from './resource-review.ts';

/** What its namespace says for all resources of its service; ACK takes an empty value for none. */
function policyOfNamespace({ namespace, alias }: ResourceReview): string | undefined {
  if (alias === undefined) return undefined;
  return namespace.annotations.get(serviceDeletionPolicyKey(alias)) || undefined;
}

/**
 * Whether a resource that adopts is to outlive its object: nobody said what else. On UPDATE only where it was so before: what
 * is older than the webhook stays as its owner knows it. Never with `adopt-or-create`, for what ACK creates should go with its
 * object. ACK asks the resource, then its namespace, then its controller's flag:
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getDeletionPolicy)
 */
export function lacksRetain(resourceReview: ResourceReview): boolean {
  const { resource, old } = resourceReview;
  if (resource.annotations.get(adoptionPolicyAnnotation) !== 'adopt') return false;
  if (resource.annotations.has(deletionPolicyAnnotation)) return false;
  if (policyOfNamespace(resourceReview) !== undefined) return false;
  return old === undefined || old.annotations.get(deletionPolicyAnnotation) === 'retain';
}

/** A resource that would take along in AWS what it did not create, when its object is deleted, and nobody said so. */
export function adoptionWarnings(resourceReview: ResourceReview): readonly Warning[] {
  const { resource, old, alias } = resourceReview;
  if (alias === undefined || resource.annotations.has(deletionPolicyAnnotation)) return [];
  const byNamespace = policyOfNamespace(resourceReview);
  const policy = resource.annotations.get(adoptionPolicyAnnotation);
  const isNew = policy !== undefined && policy !== old?.annotations.get(adoptionPolicyAnnotation);
  const wasAdopted = old?.annotations.has(adoptionPolicyAnnotation) || old?.annotations.has(adoptedAnnotation);
  const wasRetained = wasAdopted && old?.annotations.get(deletionPolicyAnnotation) === 'retain';
  const isInDoubt = (isNew && byNamespace === undefined) || (wasRetained && byNamespace !== 'retain');
  return isInDoubt ? [{ reason: 'AdoptedNotRetained' }] : [];
}
