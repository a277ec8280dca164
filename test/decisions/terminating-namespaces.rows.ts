import { type Json, namespaceObject } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { account } from './state.ts';

/** The label of a namespace that is being deleted: `kubectl debug` there must still be judged. */

const inject = 'carm-webhook.dev/inject';
const owner = { 'services.k8s.aws/owner-account-id': account };
const enabled = { [inject]: 'enabled' };
const disabled = { [inject]: 'disabled' };
const dying = { deletionTimestamp: '2026-01-01T00:00:00Z' };
const denied = { endpoint: 'validate', reason: 'InvalidLabel', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;

interface State {
  readonly name?: string;
  readonly annotations?: Json;
  readonly labels?: Json;
  readonly metadata?: Json;
  readonly finalizers?: readonly string[];
}

function namespace({ name = 'going', annotations = owner, labels, metadata = dying, finalizers }: State): Json {
  const object = namespaceObject(name, annotations, labels, metadata);
  return finalizers === undefined ? object : { ...object, spec: { finalizers } };
}

function change(before: State, after: State, more: Partial<ReviewOptions> = {}): ReviewOptions {
  return {
    resource: '/v1/namespaces',
    kind: 'Namespace',
    operation: 'UPDATE',
    oldObject: namespace(before),
    object: namespace(after),
    ...more,
  };
}

export const terminatingNamespaceRows: readonly Row[] = [
  {
    ...denied,
    proves: 'our label does not come off a namespace that is being deleted',
    review: change({ labels: enabled }, {}),
    says: ['Namespace "going": ', `${inject}=enabled would be removed`, 'it does not delay the deletion'],
  },
  {
    ...denied,
    proves: 'nor with all other labels',
    review: change({ labels: { ...enabled, team: 'a' } }, { labels: {} }),
  },
  ...['disabled', 'Enabled', ''].map(
    (value): Row => ({
      ...denied,
      proves: `nor is it changed to ${JSON.stringify(value)}`,
      review: change({ labels: enabled }, { labels: { [inject]: value } }),
      says: [`would be changed to ${JSON.stringify(value)}`],
    }),
  ),
  ...['status', 'finalize'].map(
    (subResource): Row => ({
      ...denied,
      proves: `nor does it come off by namespaces/${subResource}`,
      review: change({ labels: enabled }, {}, { subResource }),
    }),
  ),
  {
    ...denied,
    proves: 'nor together with the binding',
    review: change({ labels: enabled }, { annotations: {} }),
  },
  {
    ...denied,
    proves: 'nor where there is no binding: the label alone has its pods judged',
    review: change({ labels: enabled, annotations: {} }, { annotations: {} }),
  },
  {
    ...denied,
    proves: 'nor with a deletionTimestamp that the request leaves out',
    review: change({ labels: enabled }, { metadata: {} }),
  },
  ...(['warning', 'auditing'] as const).map(
    (server): Row => ({
      ...denied,
      server,
      proves: `no mode softens that: ${server}`,
      review: change({ labels: enabled }, {}),
    }),
  ),
  ...[
    'jane@example.com',
    'system:serviceaccount:going:namespace-controller',
    'system:serviceaccount:kube-system:generic-garbage-collector',
    'system:serviceaccount:ack-system:ack-s3-controller',
  ].map(
    (username): Row => ({
      ...denied,
      proves: `our label does not come off a terminating namespace by ${username}`,
      review: change({ labels: enabled }, {}, { username }),
    }),
  ),
  {
    endpoint: 'validate',
    proves: 'the namespace controller may do with a terminating namespace what it will',
    review: change({ labels: enabled }, {}, { username: 'system:serviceaccount:kube-system:namespace-controller' }),
    reason: 'ExemptIdentity',
    outcome: 'allowed',
  },
  {
    ...denied,
    proves: 'a finalizer that still holds the namespace keeps the label',
    review: change(
      { labels: enabled, metadata: { ...dying, finalizers: ['a/b', 'c/d'] } },
      { metadata: { ...dying, finalizers: ['a/b'] }, finalizers: [] },
    ),
  },
  {
    ...checked,
    proves: 'the last finalizers may go in any way, the label with them: the namespace is gone',
    review: change({ labels: enabled }, { metadata: {}, finalizers: [] }, { subResource: 'finalize' }),
  },
  {
    ...checked,
    proves: 'finalizers may go, the label stays',
    review: change({ labels: enabled, metadata: { ...dying, finalizers: ['a/b'] } }, { labels: enabled }),
  },
  {
    ...checked,
    proves: 'other labels of a terminating namespace may change',
    review: change({ labels: { ...enabled, team: 'a' } }, { labels: { ...enabled, team: 'b' } }),
  },
  {
    ...checked,
    proves: 'a terminating namespace that opted out was not judged, so its label may go',
    review: change({ labels: disabled }, {}),
  },
  {
    ...checked,
    proves: 'a terminating namespace may opt in',
    review: change({ labels: disabled }, { labels: enabled }),
  },
  {
    ...checked,
    proves: 'a terminating namespace without our label has none to lose',
    review: change({}, { labels: { team: 'a' } }),
  },
  {
    ...checked,
    proves: 'the label of a live namespace is not kept by a denial',
    review: change({ labels: enabled, metadata: {} }, { metadata: {} }),
  },
  {
    ...checked,
    proves: 'a deletionTimestamp that the request alone brings is only a claim',
    review: change({ labels: enabled, metadata: {} }, {}),
  },
  {
    ...checked,
    proves: 'a namespace that is never served may lose the label while it is being deleted',
    review: change({ name: 'carm-webhook', labels: enabled }, { name: 'carm-webhook' }),
  },
];
