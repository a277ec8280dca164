import type { AdmissionRequest, GroupVersionResource } from '../../admission/review.ts';
import type { Namespace } from '../../objects/namespace.ts';

/** What a review is about; all else is as for an object that a person creates. */
export interface ReviewSubject {
  readonly resource: GroupVersionResource;
  /** As messages name the object. */
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly object: unknown;
}

export const podResource: GroupVersionResource = { group: '', version: 'v1', resource: 'pods' };
export const namespaceResource: GroupVersionResource = { group: '', version: 'v1', resource: 'namespaces' };

/** The resource of a kind, as CustomResourceDefinitions commonly name it; decisions read no more of it than that. */
export function resourceOf(group: string, version: string, kind: string): GroupVersionResource {
  return { group, version, resource: `${kind.toLowerCase()}s` };
}

/** The review that an API server would send for a `kubectl create --dry-run=server` of the object. */
export function reviewOf(subject: ReviewSubject): AdmissionRequest {
  return {
    uid: `${subject.kind}/${subject.name}`,
    ...subject,
    subResource: undefined,
    operation: 'CREATE',
    userInfo: { username: '', uid: '', groups: [], extra: undefined },
    oldObject: undefined,
    dryRun: true,
  };
}

/** The review of a namespace that is there, as if it were created now. */
export function namespaceReviewOf({ name, labels, annotations }: Namespace): AdmissionRequest {
  const metadata = { name, labels: Object.fromEntries(labels), annotations: Object.fromEntries(annotations) };
  return reviewOf({ resource: namespaceResource, kind: 'Namespace', name, namespace: name, object: { metadata } });
}
