import type { Admit, Endpoint, ReviewResult } from '../../src/admission/admit.ts';
import type { AdmissionRequest } from '../../src/admission/review.ts';

/** A small AdmissionReview of a pod, as kube-apiserver sends it. */
export function sampleReview(uid = 'a3b0c5d2-0000-4000-8000-000000000001', name = 'web-0'): Record<string, unknown> {
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      name,
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        groups: ['system:authenticated'],
      },
      object: { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop' }, spec: { containers: [] } },
      oldObject: null,
      dryRun: false,
    },
  };
}

/** An answer that lets the request pass. */
export function allowed(request: AdmissionRequest, endpoint: Endpoint = 'mutate'): ReviewResult {
  return {
    response: { uid: request.uid, allowed: true },
    record: {
      webhook: 'pods.carm-webhook.dev',
      endpoint,
      operation: request.operation,
      outcome: 'allowed',
      reason: 'NamespaceNotManaged',
      warnings: [],
      uid: request.uid,
      namespace: request.namespace,
      name: request.name,
      kind: request.kind,
      dryRun: request.dryRun,
      user: request.userInfo.username,
      accountId: undefined,
      foreignAccountId: undefined,
      roleArn: undefined,
      message: undefined,
      loggedMessage: undefined,
      advisory: false,
      error: undefined,
    },
  };
}

/** Lets everything pass. */
export const allowAll: Admit = (endpoint, request) => allowed(request, endpoint);
