import type { Json } from './manifests.ts';
import { created, type KindName, updated } from './resources.ts';
import type { Row } from './row.ts';

/** References into other namespaces, which ACK follows with rights over the whole cluster. */

const denied = { endpoint: 'validate', reason: 'CrossNamespaceReference', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;
const exportTo = (namespace: string | undefined, name = 'out'): Json => ({
  from: { path: '.status.endpoint', resource: { group: 's3.services.k8s.aws', kind: 'Bucket', name: 'things' } },
  to: { kind: 'configmap', name, ...(namespace === undefined ? {} : { namespace }) },
});
const secret = (namespace: string, name = 'db'): Json => ({ namespace, name, key: 'password' });
const ref = (namespace: string, name = 'net'): Json => ({ from: { namespace, name } });
const adopt = (namespace: string): Json => ({
  kubernetes: { group: 's3.services.k8s.aws', kind: 'Bucket', metadata: { namespace, name: 'theirs' } },
});

const foreign: readonly (readonly [string, KindName, Json, string])[] = [
  ['FieldExport to', 'FieldExport', exportTo('ack-system', 'ack-role-account-map'), '"spec.to.namespace"'],
  ['a FieldExport to without kind or name', 'FieldExport', { to: { namespace: 'ack-system' } }, '"spec.to.namespace"'],
  ['AdoptedResource metadata', 'AdoptedResource', adopt('kube-public'), '"spec.kubernetes.metadata.namespace"'],
  ['a reference to a Secret', 'DBInstance', { masterUserPassword: secret('kube-system') }, 'masterUserPassword'],
  [
    'a reference to a Secret, nested in a list',
    'DBInstance',
    { users: [{ name: 'a' }, { passwords: [secret('kube-system')] }] },
    '"spec.users[1].passwords[0].namespace"',
  ],
  ['a resource reference', 'DBInstance', { dbSubnetGroupRef: ref('team-b') }, '"spec.dbSubnetGroupRef.from.namespace"'],
  [
    'a resource reference in a list',
    'DBInstance',
    { securityGroupRefs: [ref('shop'), ref('team-b')] },
    '"spec.securityGroupRefs[1].from.namespace"',
  ],
  ['a namespace that differs by case', 'DBInstance', { masterUserPassword: secret('Shop') }, '"Shop"'],
  ['a namespace that differs by a blank', 'DBInstance', { masterUserPassword: secret('shop ') }, '"shop "'],
];

export const referenceRows: readonly Row[] = [
  ...foreign.flatMap(([what, kind, spec, says]): Row[] => [
    {
      ...denied,
      proves: `${what} in another namespace is denied on CREATE`,
      review: created(kind, { spec }),
      says: [says, 'To fix this'],
    },
    {
      ...denied,
      proves: `${what} in another namespace is denied on UPDATE`,
      review: updated(kind, { spec: {} }, { spec }),
      says: [says],
    },
    {
      ...checked,
      proves: `${what} in another namespace that was there before is left alone`,
      review: updated(kind, { spec }, { spec, annotations: { note: 'x' } }),
    },
  ]),
  {
    ...checked,
    proves: 'references within the namespace are allowed',
    review: created('DBInstance', {
      spec: { masterUserPassword: secret('shop'), vpcRef: ref('shop'), otherRef: { from: { name: 'net' } } },
    }),
  },
  {
    ...checked,
    proves: 'a FieldExport within the namespace is allowed',
    review: created('FieldExport', { spec: exportTo('shop') }),
  },
  {
    ...checked,
    proves: 'a FieldExport that names no namespace is allowed',
    review: created('FieldExport', { spec: exportTo(undefined) }),
  },
  {
    ...checked,
    proves: 'an AdoptedResource within the namespace is allowed',
    review: created('AdoptedResource', { spec: adopt('shop') }),
  },
  {
    ...checked,
    proves: 'a tag that is named like a reference is none',
    review: created('Bucket', { spec: { name: 'things', tags: { namespace: 'team-b' }, from: 'team-b' } }),
  },
  {
    ...denied,
    proves: 'an old reference to another namespace may not turn to another object there',
    review: updated(
      'DBInstance',
      { spec: { masterUserPassword: secret('kube-system', 'old') } },
      { spec: { masterUserPassword: secret('kube-system', 'other') } },
    ),
  },
  {
    ...checked,
    proves: 'an old reference that moves up a list, for one before it goes, is left alone',
    review: updated(
      'DBInstance',
      { spec: { securityGroupRefs: [ref('shop'), ref('team-b')] } },
      { spec: { securityGroupRefs: [ref('team-b')] } },
    ),
  },
  {
    ...checked,
    proves: 'an old reference to another namespace may be taken out',
    review: updated('DBInstance', { spec: { vpcRef: ref('team-b') } }, { spec: { vpcRef: ref('shop') } }),
  },
  {
    ...denied,
    proves: 'an old FieldExport into another namespace may not export something else there',
    review: updated(
      'FieldExport',
      { spec: exportTo('team-b') },
      { spec: { ...exportTo('team-b'), from: { path: '.spec.name', resource: { kind: 'Bucket', name: 'things' } } } },
    ),
  },
  {
    ...checked,
    proves: 'an old FieldExport into another namespace is left alone while it exports the same',
    review: updated(
      'FieldExport',
      { spec: exportTo('team-b') },
      { spec: exportTo('team-b'), annotations: { note: 'x' } },
    ),
  },
  {
    ...checked,
    server: 'trusting',
    proves: 'an allowed pair of namespaces may refer',
    review: created('DBInstance', { spec: { masterUserPassword: secret('shared') } }),
  },
  {
    ...denied,
    server: 'trusting',
    proves: 'an allowed pair holds from its own namespace only',
    review: created('DBInstance', { namespace: 'regional', spec: { masterUserPassword: secret('shared') } }),
  },
  {
    ...denied,
    server: 'trusting',
    proves: 'an allowed pair holds in its direction only',
    review: created('DBInstance', { namespace: 'regional', spec: { masterUserPassword: secret('shop') } }),
  },
  {
    ...checked,
    server: 'trusting',
    proves: 'a pair from every namespace holds from each',
    review: created('DBInstance', { namespace: 'regional', spec: { masterUserPassword: secret('common') } }),
  },
  {
    ...denied,
    server: 'trusting',
    proves: 'a key with a slash hides no other reference',
    review: created('DBInstance', { spec: { a: { b: ref('kube-system') }, 'a/b': ref('common') } }),
  },
  {
    ...denied,
    proves: 'a reference that stays covers no other one in another field',
    review: updated(
      'DBInstance',
      { spec: { masterUserPassword: secret('kube-system', 'old') } },
      { spec: { masterUserPassword: secret('kube-system', 'old'), otherPassword: secret('kube-system', 'old') } },
    ),
  },
];
