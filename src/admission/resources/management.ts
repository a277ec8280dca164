import { serviceAliasOf } from '../../accounts/ack-service.ts';
import { adoptedAnnotation, adoptionPolicyAnnotation, readOnlyAnnotation } from '../../objects/keys.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { ResourceReview } from './resource-review.ts';

/** As ACK reads it. https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/util.go */
function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true';
}

/**
 * A resource that loses ACK's finalizer, as `kubectl replace` and `kubectl edit` may take it. ACK adopts it again if it has a
 * policy and not ACK's note; else it stops ("already exists but is not managed by ACK"), and nothing is deleted in AWS when the
 * object is. https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/reconciler.go (Sync, failOnResourceUnmanaged)
 */
export function managementWarnings({ request, resource, old }: ResourceReview): readonly Warning[] {
  const { group } = request.resource;
  if (old === undefined || serviceAliasOf(group) === undefined) return [];
  const finalizer = `finalizers.${group}/${request.kind}`;
  if (!old.finalizers.includes(finalizer) || resource.finalizers.includes(finalizer)) return [];
  const { annotations } = resource;
  const isNoted = isTrue(annotations.get(adoptedAnnotation));
  const hasPolicy = annotations.has(adoptionPolicyAnnotation);
  // Of what is read-only ACK changes and deletes nothing anyway.
  if ((hasPolicy && !isNoted) || isTrue(annotations.get(readOnlyAnnotation))) return [];
  const annotate = [
    ...(hasPolicy ? [] : [`${adoptionPolicyAnnotation}=adopt-or-create`]),
    ...(isNoted ? [`${adoptedAnnotation}-`] : []),
  ];
  return [{ reason: 'FinalizerRemoved', annotate }];
}
