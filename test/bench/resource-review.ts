import { benchNamespace, podReview } from './pod-review.ts';

/** The review of a new ACK resource as large as a pod's: a Bucket with a spec of many fields, and managedFields. */
export function resourceReview(uid: string): object {
  const { request, ...review } = podReview(uid) as {
    request: { object: { metadata: { managedFields?: unknown } } } & Record<string, unknown>;
  };
  const fields = Array.from({ length: 60 }, (_, index) => [
    `field${index}`,
    { name: `name-${index}`, value: `some value of field ${index}`, nested: { enabled: true, rules: [1, 2, 3] } },
  ]);
  const { managedFields } = request.object.metadata;
  return {
    ...review,
    request: {
      ...request,
      kind: { group: 's3.services.k8s.aws', version: 'v1alpha1', kind: 'Bucket' },
      resource: { group: 's3.services.k8s.aws', version: 'v1alpha1', resource: 'buckets' },
      object: {
        apiVersion: 's3.services.k8s.aws/v1alpha1',
        kind: 'Bucket',
        metadata: { name: 'orders', namespace: benchNamespace, managedFields },
        spec: Object.fromEntries(fields),
      },
    },
  };
}
