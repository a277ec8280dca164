import { container, pod, podWithEnv } from './manifests.ts';
import type { Row } from './row.ts';
import { foreignRole } from './state.ts';

/** What is not ours to judge, and what cannot be judged. */

const mirror = { 'kubernetes.io/config.mirror': '0f1e' };
const nodes = ['system:nodes', 'system:authenticated'];
const planted = [{ name: 'AWS_ROLE_ARN', value: foreignRole }];
const malformed = (spec: Readonly<Record<string, unknown>>) => ({ object: { ...pod(), spec } });

export const notOursRows: readonly Row[] = [
  {
    proves: 'a namespace that is neither bound nor labelled is not managed',
    review: { object: pod({ namespace: 'free' }) },
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    proves: 'only a namespace that is not managed is out of the boundary',
    review: { object: podWithEnv(planted, { namespace: 'free' }) },
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    proves: 'another value of the label is not enabled',
    review: { object: pod({ namespace: 'other-label' }) },
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    proves: 'a namespace labelled disabled is opted out altogether',
    review: { object: podWithEnv(planted, { namespace: 'opted-out' }) },
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    proves: 'a namespace labelled disabled is opted out on /validate too',
    endpoint: 'validate',
    review: { object: podWithEnv(planted, { namespace: 'opted-out' }) },
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  ...['kube-system', 'kube-public', 'kube-node-lease', 'carm-webhook'].map(
    (namespace): Row => ({
      proves: `${namespace} is never served, even bound and labelled`,
      review: { object: pod({ namespace }) },
      reason: 'NamespaceNotManaged',
      outcome: 'allowed',
    }),
  ),
  {
    proves: 'a mirror pod of a node is left alone',
    review: { object: podWithEnv(planted, { annotations: mirror }), username: 'system:node:n1', groups: nodes },
    reason: 'MirrorPod',
    outcome: 'allowed',
  },
  {
    proves: 'a mirror pod is left alone on /validate',
    endpoint: 'validate',
    review: { object: pod({ annotations: mirror }), username: 'system:node:n1', groups: nodes },
    reason: 'MirrorPod',
    outcome: 'allowed',
  },
  {
    proves: 'the mirror annotation of a user who is no node is nothing',
    review: { object: podWithEnv(planted, { annotations: mirror }) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    proves: 'a pod of a node without the mirror annotation is a pod',
    review: { object: pod({ namespace: 'unmapped' }), username: 'system:node:n1', groups: nodes },
    reason: 'AccountNotMapped',
    outcome: 'denied',
  },
  {
    proves: 'DELETE is never blocked',
    review: { operation: 'DELETE', object: null, oldObject: pod({ namespace: 'unmapped' }) },
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    proves: 'UPDATE of a pod itself is not ours',
    review: { operation: 'UPDATE', object: pod({ namespace: 'unmapped' }), oldObject: pod({ namespace: 'unmapped' }) },
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    proves: 'UPDATE of pods/status is not ours',
    review: { operation: 'UPDATE', subResource: 'status', object: pod(), oldObject: pod() },
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    proves: 'CONNECT is not ours',
    review: {
      operation: 'CONNECT',
      subResource: 'exec',
      kind: 'PodExecOptions',
      namespace: 'unmapped',
      name: 'web',
      object: { kind: 'PodExecOptions', apiVersion: 'v1', command: ['sh'] },
    },
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    proves: 'a resource that we do not know is allowed, so that a rollback of the webhook never blocks',
    review: {
      kind: 'Widget',
      resource: 'example.com/v1alpha1/widgets',
      object: {
        kind: 'Widget',
        apiVersion: 'example.com/v1alpha1',
        metadata: { name: 'b', namespace: 'shop' },
      },
    },
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    proves: 'pods of another API group are not pods',
    review: { resource: 'metrics.k8s.io/v1beta1/pods', object: pod({ namespace: 'unmapped' }) },
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    proves: 'workloads are not mutated',
    review: { kind: 'Deployment', resource: 'apps/v1/deployments', object: { ...pod(), kind: 'Deployment' } },
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
  {
    proves: 'a namespace without an endpoint of its own is let pass by /validate',
    endpoint: 'validate',
    review: { kind: 'Namespace', resource: '/v1/namespaces', object: { metadata: { name: 'new' } } },
    reason: 'Checked',
    outcome: 'allowed',
  },
  ...(
    [
      ['containers', { containers: { app: {} } }, '"spec.containers"'],
      ['a container', { containers: ['app'] }, '"spec.containers[0]"'],
      ['env', { containers: [{ name: 'a', env: {} }] }, '"spec.containers[0].env"'],
      [
        'an env value',
        { containers: [container('a', { more: { env: [{ name: 'X', value: 5 }] } })] },
        '"spec.containers[0].env[0].value"',
      ],
      ['volumeMounts', { initContainers: [{ name: 'a', volumeMounts: 'x' }] }, '"spec.initContainers[0].volumeMounts"'],
      ['volumes', { containers: [], volumes: [null] }, '"spec.volumes[0]"'],
      [
        'a projected source',
        { volumes: [{ name: 'v', projected: { sources: [7] } }] },
        '"spec.volumes[0].projected.sources[0]"',
      ],
      ['serviceAccountName', { serviceAccountName: 7 }, '"spec.serviceAccountName"'],
      ['os', { os: 'windows' }, '"spec.os"'],
      ['nodeSelector', { nodeSelector: [] }, '"spec.nodeSelector"'],
    ] as const
  ).map(
    ([what, spec, path]): Row => ({
      proves: `a wrong type of ${what} is one readable answer that names the field`,
      review: malformed(spec),
      reason: 'InvalidReview',
      outcome: 'error',
      code: 400,
      says: [path],
    }),
  ),
  {
    proves: 'a review of a pod without an object is answered',
    review: { object: null, namespace: 'shop', kind: 'Pod' },
    reason: 'InvalidReview',
    outcome: 'error',
    code: 400,
  },
  {
    proves: 'a key that users wrote is quoted in one line where its value has the wrong type',
    review: { object: pod({ annotations: { 'a\nb\u001b[31mé': 5 } }) },
    reason: 'InvalidReview',
    outcome: 'error',
    code: 400,
    says: ['"metadata.annotations[a\\u000ab\\u001b[31m'],
  },
  {
    proves: 'a key of thousands of characters does not fill the message',
    review: { object: pod({ labels: { ['x'.repeat(5000)]: 5 } }) },
    reason: 'InvalidReview',
    outcome: 'error',
    code: 400,
  },
];
