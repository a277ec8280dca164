import { container, type Json, pod, podWithEnv, workload, workloadKindNames } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { foreignRole } from './state.ts';

/** Workloads: the decision of their pods, told to whoever applies them. */

const ownedBy = (apiVersion: string, kind: string, controller?: boolean) => ({
  ownerReferences: [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'web', uid: 'v' },
    { apiVersion, kind, name: 'web', uid: 'u', ...(controller === undefined ? {} : { controller }) },
  ],
});
const ofDeployment = ownedBy('apps/v1', 'Deployment', true);
const ofCronJob = ownedBy('batch/v1', 'CronJob', true);
const system = (name: string) => `system:serviceaccount:kube-system:${name}`;
const manager = 'system:kube-controller-manager';

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
      proves: `a ${kind} that would have its pods denied is answered with that message as a warning`,
      review: create(kind, 'unmapped'),
      reason: 'AccountNotMapped',
      outcome: 'warned',
      says: [`carm-webhook: pods of ${kind} "web" will not start: `, 'Ask your platform team to '],
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
      proves: `--workloads=deny denies a ${kind} for its pods`,
      server: 'workloads-denied',
      review: create(kind, 'shop', podWithEnv([{ name: 'AWS_ROLE_ARN', value: foreignRole }])),
      reason: 'RoleOutsideAccount',
      outcome: 'denied',
      says: [`carm-webhook: pods of ${kind} "web" will not start: `],
    }),
  ),
  {
    ...validate,
    proves: '--workloads=off leaves workloads alone',
    server: 'workloads-off',
    review: create('Deployment', 'unmapped'),
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  ...(
    [
      ['ReplicaSet', ofDeployment, system('deployment-controller')],
      ['ReplicaSet', ofDeployment, manager],
      ['ReplicaSet', ownedBy('apps/v1beta2', 'Deployment', true), system('deployment-controller')],
      ['Job', ofCronJob, system('cronjob-controller')],
      ['Job', ofCronJob, manager],
    ] as const
  ).map(
    ([kind, metadata, username]): Row => ({
      ...validate,
      proves: `what ${username} makes for ${metadata.ownerReferences[1]?.apiVersion} is not answered, for its owner was: ${kind}`,
      review: { ...create(kind, 'unmapped', pod(), metadata), username },
      reason: 'NotApplicable',
      outcome: 'allowed',
    }),
  ),
  ...(
    [
      ['ReplicaSet', 'an owner of the right kind, written by a user', ofDeployment, 'jane@example.com'],
      ['Job', 'an owner of the right kind, written by a user', ofCronJob, 'jane@example.com'],
      ['ReplicaSet', "a user's own ConfigMap", ownedBy('v1', 'ConfigMap', true), 'jane@example.com'],
      ['Deployment', "a user's own ConfigMap", ownedBy('v1', 'ConfigMap', true), 'jane@example.com'],
      ['Pod template', "a user's own ConfigMap", ownedBy('v1', 'ConfigMap', true), 'jane@example.com'],
      ['ReplicaSet', 'a ConfigMap', ownedBy('v1', 'ConfigMap', true), system('deployment-controller')],
      ['ReplicaSet', 'no owner', {}, system('deployment-controller')],
      ['ReplicaSet', 'an owner without controller', ownedBy('apps/v1', 'Deployment'), system('deployment-controller')],
      ['ReplicaSet', 'controller: false', ownedBy('apps/v1', 'Deployment', false), system('deployment-controller')],
      [
        'ReplicaSet',
        'a Deployment of apigateway',
        ownedBy('apigateway.services.k8s.aws/v1alpha1', 'Deployment', true),
        manager,
      ],
      ['ReplicaSet', 'a Deployment of no group', ownedBy('apps', 'Deployment', true), manager],
      [
        'ReplicaSet',
        'a Rollout',
        ownedBy('argoproj.io/v1alpha1', 'Rollout', true),
        'system:serviceaccount:argo:argo-rollouts',
      ],
      ['ReplicaSet', 'a CronJob', ofCronJob, manager],
      ['Job', 'a JobSet', ownedBy('jobset.x-k8s.io/v1alpha2', 'JobSet', true), 'system:serviceaccount:jobset:jobset'],
      ['Job', 'a Deployment', ofDeployment, manager],
      ['Job', 'the controller of Deployments', ofCronJob, system('deployment-controller')],
      ['ReplicaSet', 'the controller of CronJobs', ofDeployment, system('cronjob-controller')],
      [
        'ReplicaSet',
        "a user's own ServiceAccount named alike",
        ofDeployment,
        'system:serviceaccount:shop:deployment-controller',
      ],
      ['StatefulSet', 'a kind that no Deployment makes', ofDeployment, system('deployment-controller')],
      ['DaemonSet', 'a kind that no Deployment makes', ofDeployment, manager],
    ] as const
  ).map(
    ([kind, what, metadata, username]): Row => ({
      ...validate,
      proves: `no owner reference silences the warning but that of its maker: ${kind}, ${what}, by ${username}`,
      review: { ...create(kind === 'Pod template' ? 'PodTemplate' : kind, 'unmapped', pod(), metadata), username },
      reason: 'AccountNotMapped',
      outcome: 'warned',
    }),
  ),
  {
    ...validate,
    proves: "an owner reference to one's own ConfigMap does not dodge --workloads=deny",
    server: 'workloads-denied',
    review: create('Deployment', 'unmapped', pod(), ownedBy('v1', 'ConfigMap', true)),
    reason: 'AccountNotMapped',
    outcome: 'denied',
  },
  {
    ...validate,
    proves: "an owner reference to one's own Deployment does not dodge --workloads=deny",
    server: 'workloads-denied',
    review: create('ReplicaSet', 'unmapped', pod(), ofDeployment),
    reason: 'AccountNotMapped',
    outcome: 'denied',
  },
  {
    ...validate,
    proves: 'an owner reference that comes with a changed template dodges nothing',
    server: 'workloads-denied',
    review: update('unmapped', pod(), pod({ containers: [container('new')] }), ownedBy('v1', 'ConfigMap', true)),
    reason: 'AccountNotMapped',
    outcome: 'denied',
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
    says: ['pods of Deployment "web": AWS_ACCESS_KEY_ID in container "app"'],
  },
  {
    ...validate,
    proves: 'a ServiceAccount that follows in the same apply is no matter, even with --workloads=deny',
    server: 'workloads-denied',
    review: create('Deployment', 'shop', pod({ serviceAccountName: 'later' })),
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'without its ServiceAccount, all else of a workload is judged: the map',
    review: create('Deployment', 'unmapped', pod({ serviceAccountName: 'later' })),
    reason: 'AccountNotMapped',
    outcome: 'warned',
  },
  {
    ...validate,
    proves: 'without its ServiceAccount, all else of a workload is judged: the boundary',
    server: 'workloads-denied',
    review: create(
      'Deployment',
      'shop',
      pod({
        serviceAccountName: 'later',
        containers: [container('app', { env: [{ name: 'AWS_ROLE_ARN', value: foreignRole }] })],
      }),
    ),
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    ...validate,
    proves: 'without its ServiceAccount, all else of a workload is judged: static keys',
    review: create(
      'Deployment',
      'shop',
      pod({
        serviceAccountName: 'later',
        containers: [container('app', { env: [{ name: 'AWS_ACCESS_KEY_ID', value: 'x' }] })],
      }),
    ),
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['StaticAccessKey'],
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
    says: ['carm-webhook: pods of Deployment "web" will run unchanged (mode warn): '],
    neverSays: ['will not start'],
  },
  {
    ...validate,
    proves: 'a workload in a namespace that is not managed is not ours',
    review: create('Deployment', 'free'),
    reason: 'NamespaceNotManaged',
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
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'a template that opts out is not told that its pods will not start, only that they run without a role',
    review: create('Deployment', 'unmapped', pod({ labels: { 'carm-webhook.dev/inject': 'disabled' } })),
    reason: 'OptedOut',
    outcome: 'allowed',
    warnings: ['RunsWithoutRole'],
  },
  {
    ...validate,
    proves: 'a template that opts out in a namespace whose binding resolves is told nothing',
    review: create('Deployment', 'shop', pod({ labels: { 'carm-webhook.dev/inject': 'disabled' } })),
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'the scale subresource of a workload is not ours',
    review: { ...create('Deployment', 'unmapped'), operation: 'UPDATE', subResource: 'scale', kind: 'Scale' },
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
];
