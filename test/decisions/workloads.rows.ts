import { container, type Json, pod, podWithEnv, workload, workloadKindNames } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { foreignRole } from './state.ts';

/** Workloads: the decision of their pods, told to whoever applies them. */

const owned = {
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'u', controller: true }],
};

function create(kind: string, namespace: string, podObject: Json = pod(), metadata: Json = {}): ReviewOptions {
  return { ...workload(kind, podObject, { namespace, metadata }), kind };
}

/** A StatefulSet with a claim. */
function claiming(name: string): ReviewOptions {
  const review = create('StatefulSet', 'shop');
  const object = review.object as { readonly spec: Json };
  const claim = { metadata: { name }, spec: { accessModes: ['ReadWriteOnce'] } };
  return { ...review, object: { ...object, spec: { ...object.spec, volumeClaimTemplates: [claim] } } };
}

function update(namespace: string, before: Json, after: Json, metadata: Json = {}): ReviewOptions {
  const { object, resource } = workload('Deployment', after, { namespace, metadata: { ...metadata, generation: 2 } });
  return {
    operation: 'UPDATE',
    kind: 'Deployment',
    resource,
    object,
    oldObject: workload('Deployment', before, { namespace }).object,
  };
}

const validate = { endpoint: 'validate' } as const;

export const workloadRows: readonly Row[] = [
  ...workloadKindNames.map(
    (kind): Row => ({
      ...validate,
      proves: `a ${kind} that would have its pods refused is answered with that message as a warning`,
      review: create(kind, 'unmapped'),
      reason: 'AccountNotMapped',
      outcome: 'warned',
      says: [`pods of ${kind} "web" in namespace "unmapped": `, 'your platform team must: '],
    }),
  ),
  ...workloadKindNames.map(
    (kind): Row => ({
      ...validate,
      proves: `a ${kind} whose pods will be injected is let pass, unchanged`,
      review: create(kind, 'shop'),
      reason: 'Checked',
      outcome: 'allowed',
    }),
  ),
  {
    ...validate,
    proves: 'a StatefulSet whose claim takes the name of our volume is told of the conflict',
    review: claiming('aws-iam-token'),
    reason: 'VolumeConflict',
    outcome: 'warned',
    says: ['pods of StatefulSet "web"'],
  },
  {
    ...validate,
    proves: 'a StatefulSet with claims of other names is let pass',
    review: claiming('data'),
    reason: 'Checked',
    outcome: 'allowed',
  },
  ...workloadKindNames.map(
    (kind): Row => ({
      ...validate,
      proves: `--workloads=deny refuses a ${kind} for its pods`,
      server: 'workloads-denied',
      review: create(kind, 'shop', podWithEnv([{ name: 'AWS_ROLE_ARN', value: foreignRole }])),
      reason: 'RoleOutsideAccount',
      outcome: 'denied',
      says: [`pods of ${kind} "web"`],
    }),
  ),
  {
    ...validate,
    proves: '--workloads=off leaves workloads alone',
    server: 'workloads-off',
    review: create('Deployment', 'unmapped'),
    reason: 'NotOurs',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'what a controller owns is not answered: its owner was',
    review: create('ReplicaSet', 'unmapped', pod(), owned),
    reason: 'NotOurs',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'an owner that is no controller does not silence the warning',
    review: create('ReplicaSet', 'unmapped', pod(), {
      ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u' }],
    }),
    reason: 'AccountNotMapped',
    outcome: 'warned',
  },
  {
    ...validate,
    proves: 'on UPDATE a workload is judged only when its template changed',
    review: update('unmapped', pod(), pod(), { annotations: { scaled: 'yes' } }),
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'on UPDATE a changed template is judged',
    review: update('unmapped', pod(), pod({ containers: [container('app', { more: { image: 'app:2' } })] })),
    reason: 'AccountNotMapped',
    outcome: 'warned',
  },
  {
    ...validate,
    proves: "a workload's answer carries the warnings of its pods",
    review: create('Deployment', 'shop', podWithEnv([{ name: 'AWS_ACCESS_KEY_ID', value: 'x' }])),
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['StaticAccessKey'],
  },
  {
    ...validate,
    proves: 'a ServiceAccount that follows in the same apply is only a warning, even with --workloads=deny',
    server: 'workloads-denied',
    review: create('Deployment', 'shop', pod({ serviceAccountName: 'later' })),
    reason: 'ServiceAccountNotFound',
    outcome: 'warned',
  },
  {
    ...validate,
    proves: 'a namespace that does not exist is only a warning for workloads',
    server: 'workloads-denied',
    review: create('Deployment', 'nowhere'),
    reason: 'NamespaceNotFound',
    outcome: 'warned',
  },
  {
    ...validate,
    proves: '--workloads=deny follows the mode of the namespace',
    server: 'workloads-denied',
    review: create('Deployment', 'unmapped-warn'),
    reason: 'AccountNotMapped',
    outcome: 'warned',
  },
  {
    ...validate,
    proves: 'a workload in a namespace that is not served is not ours',
    review: create('Deployment', 'free'),
    reason: 'NotServed',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'a workload in an opted-out namespace is left alone',
    review: create('Job', 'opted-out'),
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'a workload without a pod template is nothing that we judge',
    review: {
      kind: 'PodTemplate',
      resource: '/v1/podtemplates',
      object: { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'empty', namespace: 'unmapped' } },
    },
    reason: 'NotOurs',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'a template that opts out is not warned of',
    review: create('Deployment', 'unmapped', pod({ labels: { 'carm-webhook.dev/inject': 'disabled' } })),
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'the scale subresource of a workload is not ours',
    review: { ...create('Deployment', 'unmapped'), operation: 'UPDATE', subResource: 'scale', kind: 'Scale' },
    reason: 'NotOurs',
    outcome: 'allowed',
  },
];
