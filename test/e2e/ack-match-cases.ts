import {
  type AckKind,
  ackKinds,
  ackPath,
  ackResource,
  ackStatus,
  adoptedResourceKind,
  bucketKind,
  fieldExportKind,
  queueKind,
  roleSelectorKind,
} from './ack-crds.ts';
import { type Call, type Caller, createNamespace, type Entry, type MatchCase, makeSure } from './match-case.ts';

const both: readonly Entry[] = ['mutate/resources.carm-webhook.dev', 'validate/resources.carm-webhook.dev'];
const validating: readonly Entry[] = ['validate/resources.carm-webhook.dev'];
const status: readonly Entry[] = ['validate/status.carm-webhook.dev'];
const unseen: readonly Entry[] = [];

const account = '111122223333';
const hold = 'team.example/hold';
const applied = { contentType: 'application/apply-patch+yaml' };

/** A spec that the real definition of a kind takes too. */
function specOf({ kind }: AckKind, name: string): object {
  if (kind === fieldExportKind.kind) {
    const resource = { group: bucketKind.group, kind: bucketKind.kind, name };
    return { from: { path: '.spec.name', resource }, to: { kind: 'configmap', name } };
  }
  if (kind === adoptedResourceKind.kind) {
    return { aws: { nameOrID: name }, kubernetes: { group: bucketKind.group, kind: bucketKind.kind } };
  }
  return kind === roleSelectorKind.kind ? { arn: `arn:aws:iam::${account}:role/${name}` } : { name };
}

function create(kind: AckKind, name: string, metadata: object = {}): Call {
  const body = ackResource(kind, name, name, metadata, specOf(kind, name));
  return { method: 'POST', path: ackPath(kind, name), body };
}

function patch(name: string, body: object, subresource = ''): Call {
  return { method: 'PATCH', path: `${ackPath(bucketKind, name, name)}${subresource}`, body };
}

const remove = (name: string): Call => ({ method: 'DELETE', path: ackPath(bucketKind, name, name) });
const existing =
  (metadata: object = {}) =>
  (name: string): readonly Call[] => [createNamespace(name), create(bucketKind, name, metadata)];
/** A consistent list waits for the watch cache: a change is first tried on what is in there, with its admission. */
const settle = (name: string): Call => ({ method: 'GET', path: ackPath(bucketKind, name) });
const terminating = (name: string): readonly Call[] => [
  createNamespace(name),
  create(bucketKind, name, { finalizers: [hold] }),
  remove(name),
  settle(name),
];

const creations: readonly MatchCase[] = [
  ...ackKinds
    .filter(({ scope }) => scope === 'Namespaced')
    .map(
      (kind): MatchCase => ({
        what: `CREATE of a ${kind.kind}`,
        given: name => [createNamespace(name)],
        call: name => create(kind, name),
        seenBy: both,
      }),
    ),
  {
    what: 'CREATE of a Queue by an older version',
    given: name => [createNamespace(name)],
    call: name => ({
      method: 'POST',
      path: ackPath({ ...queueKind, versions: ['v1alpha1'] }, name),
      body: ackResource({ ...queueKind, versions: ['v1alpha1'] }, name, name),
    }),
    seenBy: both,
  },
  {
    what: 'CREATE of a Bucket by generateName',
    given: name => [createNamespace(name)],
    call: name => create(bucketKind, name, { generateName: 'assets-' }),
    seenBy: both,
  },
  {
    what: 'CREATE of a Bucket by server-side apply',
    given: name => [createNamespace(name)],
    call: name => ({
      method: 'PATCH',
      path: `${ackPath(bucketKind, name, name)}?fieldManager=table`,
      body: ackResource(bucketKind, name, name),
      ...applied,
    }),
    seenBy: both,
  },
  {
    what: 'CREATE of a Bucket in a namespace that opted its pods out',
    given: name => [createNamespace(name, { labels: { 'carm-webhook.dev/inject': 'disabled' } })],
    call: name => create(bucketKind, name),
    seenBy: both,
  },
  {
    what: 'CREATE of a Bucket in kube-system',
    given: () => [makeSure('kube-system')],
    call: name => ({
      method: 'POST',
      path: ackPath(bucketKind, 'kube-system'),
      body: ackResource(bucketKind, 'kube-system', name),
    }),
    seenBy: unseen,
  },
  ...['kube-public', 'kube-node-lease'].map(
    (namespace): MatchCase => ({
      what: `CREATE of a Bucket in ${namespace}, which ACK does not ignore by IAMRoleSelectors`,
      given: () => [makeSure(namespace)],
      call: name => ({
        method: 'POST',
        path: ackPath(bucketKind, namespace),
        body: ackResource(bucketKind, namespace, name),
      }),
      seenBy: both,
    }),
  ),
];

const changes: readonly MatchCase[] = [
  ['a spec', { spec: { tagging: { tagSet: [] } } }],
  ['an annotation', { metadata: { annotations: { a: 'b' } } }],
  ['a finalizer', { metadata: { finalizers: [hold] } }],
  ['a label', { metadata: { labels: { a: 'b' } } }],
  ['nothing', {}],
].map(([what, body]): MatchCase => {
  const seenBy = both;
  return { what: `UPDATE of a Bucket: ${what}`, given: existing(), call: name => patch(name, body as object), seenBy };
});

const deletions: readonly MatchCase[] = [
  { what: 'DELETE of a Bucket', given: existing(), call: remove, seenBy: unseen },
  {
    what: 'DELETE of all Buckets of a namespace',
    given: existing(),
    call: name => ({ method: 'DELETE', path: ackPath(bucketKind, name) }),
    seenBy: unseen,
  },
  ...[
    { what: 'its finalizers', body: { metadata: { finalizers: null } }, seenBy: unseen },
    { what: 'an annotation', body: { metadata: { annotations: { a: 'b' } } }, seenBy: unseen },
    { what: 'a spec', body: { spec: { versioning: { status: 'Enabled' } } }, seenBy: validating },
    { what: 'a field more in the spec', body: { spec: { tagging: { tagSet: [] } } }, seenBy: validating },
  ].map(
    ({ what, body, seenBy }): MatchCase => ({
      what: `UPDATE of a terminating Bucket: ${what}`,
      given: terminating,
      call: name => patch(name, body),
      seenBy,
    }),
  ),
  {
    // Equality must not cost more than the API server grants.
    what: 'UPDATE of a terminating Bucket with half a megabyte of spec: its finalizers',
    given: name => {
      const rules = Array.from({ length: 8000 }, (_, id) => ({ id: `rule-${id}-${'x'.repeat(50)}` }));
      const spec = { name, lifecycle: { rules } };
      const body = ackResource(bucketKind, name, name, { finalizers: [hold] }, spec);
      return [
        createNamespace(name),
        { method: 'POST', path: ackPath(bucketKind, name), body },
        remove(name),
        settle(name),
      ];
    },
    call: name => patch(name, { metadata: { finalizers: null } }),
    seenBy: unseen,
  },
];

const place = ackStatus(account, 'eu-central-1');
const synced = { conditions: [{ type: 'ACK.ResourceSynced', status: 'True' }] };
const stamped = (name: string): readonly Call[] => [...existing()(name), patch(name, { status: place }, '/status')];
const located = (name: string): readonly Call[] => [
  ...existing()(name),
  patch(name, { status: { ...place, location: '/here' } }, '/status'),
];

const statuses: readonly MatchCase[] = [
  { what: 'first set', given: existing(), body: { status: place }, seenBy: status },
  { what: 'another account', given: stamped, body: { status: ackStatus('999999999999', 'eu-central-1') } },
  { what: 'another region', given: stamped, body: { status: ackStatus(account, 'us-east-1') } },
  { what: 'another ARN', given: stamped, body: { status: ackStatus(account, 'eu-central-1', 'other') } },
  { what: 'a field of the kind first set', given: stamped, body: { status: { location: '/other' } } },
  { what: 'a field of the kind taken away', given: located, body: { status: { location: null } } },
  {
    what: 'a field of the kind as it is',
    given: located,
    body: { status: { ...synced, location: '/here' } },
    seenBy: unseen,
  },
  { what: 'taken away', given: stamped, body: { status: null } },
  { what: 'on a terminating Bucket', given: terminating, body: { status: place } },
  { what: 'conditions only', given: stamped, body: { status: synced }, seenBy: unseen },
  { what: 'conditions only, first', given: existing(), body: { status: synced }, seenBy: unseen },
].map(
  ({ what, given, body, seenBy = status }): MatchCase => ({
    what: `UPDATE of a Bucket's status: ${what}`,
    given,
    call: name => patch(name, body, '/status'),
    seenBy,
  }),
);

const moreStatuses: readonly MatchCase[] = [
  {
    what: "UPDATE of a Bucket's status by server-side apply",
    given: existing(),
    call: name => ({
      method: 'PATCH',
      path: `${ackPath(bucketKind, name, name)}/status?fieldManager=table`,
      body: { apiVersion: 'v1alpha1', ...ackResource(bucketKind, name, name), spec: undefined, status: place },
      ...applied,
    }),
    seenBy: status,
  },
  {
    what: "UPDATE of a Queue's status by an older version",
    given: name => [createNamespace(name), create(queueKind, name)],
    call: name => ({
      method: 'PATCH',
      path: `${ackPath({ ...queueKind, versions: ['v1alpha1'] }, name, name)}/status`,
      body: { status: place },
    }),
    seenBy: status,
  },
];

/** A change of each kind, by someone. */
const callers: readonly { readonly by: Caller; readonly sees: boolean }[] = [
  { by: 'break-glass', sees: false },
  { by: 'ack-controller', sees: false },
  { by: 'garbage-collector', sees: false },
  { by: 'namespace-controller', sees: false },
  { by: 'ack-lookalike', sees: true },
  { by: 'ack-neighbour', sees: true },
];
const exemptions = callers.flatMap(({ by, sees }): readonly MatchCase[] => [
  {
    what: `CREATE of a Bucket by ${by}`,
    by,
    given: name => [createNamespace(name)],
    call: name => create(bucketKind, name),
    seenBy: sees ? both : unseen,
  },
  {
    what: `UPDATE of a Bucket by ${by}`,
    by,
    given: existing(),
    call: name => patch(name, { metadata: { finalizers: [`finalizers.${bucketKind.group}/Bucket`] } }),
    seenBy: sees ? both : unseen,
  },
  {
    what: `UPDATE of a Bucket's status by ${by}`,
    by,
    given: existing(),
    call: name => patch(name, { status: place }, '/status'),
    seenBy: sees ? status : unseen,
  },
  {
    what: `UPDATE of a terminating Bucket's spec by ${by}`,
    by,
    given: terminating,
    call: name => patch(name, { spec: { versioning: { status: 'Enabled' } } }),
    seenBy: sees ? validating : unseen,
  },
]);

/** ACK's resources and their status. */
export const ackMatchCases: readonly MatchCase[] = [
  ...creations,
  ...changes,
  ...deletions,
  ...statuses,
  ...moreStatuses,
  ...exemptions,
];
