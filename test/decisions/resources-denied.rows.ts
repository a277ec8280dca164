import { created, statusUpdated, updated } from './resources.ts';
import type { Row } from './row.ts';
import { account, hostile } from './state.ts';

/** What is denied of ACK resources, by what a request changes. */

const own = (key: string) => `services.k8s.aws/${key}`;
const denied = { endpoint: 'validate', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;
const annotated = (key: string, value: string, namespace = 'shop') => ({ namespace, annotations: { [key]: value } });
const ack = { ownerAccountID: account, region: 'eu-central-1', arn: 'arn:aws:s3:::things' };

const regions: readonly Row[] = [
  {
    ...denied,
    proves: 'a change against the region in status is denied',
    review: updated(
      'Bucket',
      { ...annotated(own('region'), 'eu-central-1'), ack },
      { ...annotated(own('region'), 'us-east-1'), ack },
    ),
    reason: 'RegionChange',
    says: ['"us-east-1"', '"eu-central-1"', 'To fix this'],
  },
  {
    ...denied,
    proves: 'a region that is first said by UPDATE and is not that of status is denied',
    review: updated('Bucket', { ack }, { ...annotated(own('region'), 'us-east-1'), ack }),
    reason: 'RegionChange',
  },
  {
    ...denied,
    proves: 'a status sent along does not make a region change pass',
    review: updated(
      'Bucket',
      { ack },
      { ...annotated(own('region'), 'us-east-1'), ack: { ...ack, region: 'us-east-1' } },
    ),
    reason: 'RegionChange',
  },
  {
    ...checked,
    proves: 'the region of status may be written down',
    review: updated('Bucket', { ack }, { ...annotated(own('region'), 'eu-central-1'), ack }),
  },
  {
    ...checked,
    proves: 'a region that differs from status already is not judged again',
    review: updated(
      'Bucket',
      { ...annotated(own('region'), 'us-east-1'), ack },
      { ...annotated(own('region'), 'us-east-1'), ack, spec: { name: 'others' } },
    ),
  },
  {
    ...checked,
    proves: 'a resource that ACK has not taken up may change its region',
    review: updated('Bucket', annotated(own('region'), 'eu-central-1'), annotated(own('region'), 'us-east-1')),
  },
  {
    ...denied,
    proves: 'a region that is none is denied',
    review: created('Bucket', annotated(own('region'), hostile)),
    reason: 'InvalidRegion',
    says: ['services.k8s.aws/region "1\\u000a2\\u001b'],
  },
  {
    ...denied,
    proves: "a region of another partition than the role's is denied",
    review: created('Bucket', annotated(own('region'), 'cn-north-1')),
    reason: 'InvalidRegion',
    says: ['partition aws'],
  },
  {
    ...denied,
    proves: "a namespace's default region that is none is denied for a resource without one",
    review: created('Bucket', { namespace: 'bad-region' }),
    reason: 'InvalidRegion',
    says: [
      '"Frankfurt"',
      'kubectl annotate --overwrite namespace bad-region services.k8s.aws/default-region=REGION',
      'Ask your platform team to',
    ],
  },
  {
    ...checked,
    proves: "a resource's own region counts before the namespace's bad one",
    review: created('Bucket', annotated(own('region'), 'eu-central-1', 'bad-region')),
  },
  {
    ...checked,
    proves: "an UPDATE is not judged by the namespace's default region",
    review: updated('Bucket', { namespace: 'bad-region' }, { spec: { name: 'others' } }),
  },
  {
    ...denied,
    proves: 'an empty region is one for ACK, which asks only whether the annotation is there: denied',
    review: created('Bucket', annotated(own('region'), '')),
    reason: 'InvalidRegion',
  },
  {
    ...denied,
    proves: 'an empty region against the region in status is denied',
    review: updated('Bucket', { ack }, { ...annotated(own('region'), ''), ack }),
    reason: 'RegionChange',
  },
  {
    ...checked,
    proves: "a FieldExport has no region, so its namespace's bad one is no matter",
    review: created('FieldExport', { namespace: 'bad-region', spec: {} }),
  },
];

const named = { [own('adoption-fields')]: '{"name":"x"}' };
const adopting = { [own('adoption-policy')]: 'adopt' };
const retained = { [own('deletion-policy')]: 'retain' };
const noted = { [own('adopted')]: 'true' };

const forms: readonly Row[] = [
  ...[
    ['adoption-policy', 'Adopt'],
    ['adoption-policy', 'adopt-only'],
    ['adoption-policy', ''],
    ['adoption-policy', ' adopt'],
    ['adoption-fields', '{"arn": 5}'],
    ['adoption-fields', '["arn"]'],
    ['adoption-fields', 'arn=x'],
    ['adoption-fields', 'null'],
    ['deletion-policy', 'Delete'],
    ['deletion-policy', 'Retain'],
    ['deletion-policy', ''],
    ['deletion-policy', 'retian'],
    ['deletion-policy', 'deleted'],
    ['deletion-policy', 'true'],
    ['deletion-policy', 'x'],
    ['deletion-policy', 'a'.repeat(41)],
    ['adoption-policy', 'adopts'],
    ['adoption-policy', 'adopt_or_create'],
    ['adoption-policy', 'adopt-or-creat'],
    ['read-only', 'yes'],
    ['read-only', ''],
    ['read-only', 'true '],
    ['read-only', '1'],
  ].map(
    ([key = '', value = '']): Row => ({
      ...denied,
      proves: `${key} ${JSON.stringify(value)} is denied`,
      review: created('Bucket', annotated(own(key), value)),
      reason: 'InvalidAnnotation',
      says: [own(key), 'To fix this'],
    }),
  ),
  ...[
    ['adoption-fields', '{}'],
    ['adoption-fields', '{"arn":"arn:aws:s3:::things"}'],
    ['deletion-policy', 'delete'],
    ['deletion-policy', 'retain'],
    ['read-only', 'true'],
    ['read-only', 'False'],
    ['read-only', 'TRUE'],
  ].map(
    ([key = '', value = '']): Row => ({
      ...checked,
      proves: `${key} ${JSON.stringify(value)} is allowed`,
      review: created('Bucket', annotated(own(key), value)),
    }),
  ),
  ...[
    ['deletion-policy', 'orphan', []],
    ['deletion-policy', 'final-snapshot', []],
    ['adoption-policy', 'adopt-or-update', ['AdoptedNotRetained']],
  ].map(
    ([key, value, more]): Row => ({
      ...checked,
      proves: `${key} ${value}, which a later ACK may know, is warned of and not denied`,
      review: created('Bucket', annotated(own(String(key)), String(value))),
      warnings: ['UnknownValue', ...(more as readonly 'AdoptedNotRetained'[])],
      says: [`${own(String(key))} "${value}"`],
    }),
  ),
  ...(
    [
      ['no fields', {}, true],
      ['no field', { [own('adoption-fields')]: '{}' }, true],
      ['no field among blanks', { [own('adoption-fields')]: ' { } ' }, true],
      ['a field', { [own('adoption-fields')]: '{"name":"x"}' }, false],
      ['what a later ACK reads', { [own('adoption-tags')]: '{"team":"x"}' }, false],
    ] as const
  ).flatMap(([what, more, isDenied]): Row[] => {
    const annotations = { [own('adoption-policy')]: 'adopt', [own('deletion-policy')]: 'retain', ...more };
    const told = isDenied
      ? ({ ...denied, reason: 'InvalidAnnotation', says: [own('adoption-fields'), 'To fix this'] } as const)
      : checked;
    return [
      {
        ...told,
        proves: `adopt with ${what} is ${isDenied ? 'denied' : 'allowed'} on CREATE`,
        review: created('Bucket', { annotations }),
      },
      {
        ...told,
        proves: `adopt with ${what} is ${isDenied ? 'denied' : 'allowed'} on UPDATE`,
        review: updated('Bucket', {}, { annotations }),
      },
      {
        ...checked,
        proves: `adopt with ${what} that was there before is left alone`,
        review: updated('Bucket', { annotations }, { annotations: { ...annotations, note: 'x' } }),
      },
      {
        ...checked,
        proves: `adopt-or-create with ${what} is allowed: ACK finds it by its spec`,
        review: created('Bucket', { annotations: { ...annotations, [own('adoption-policy')]: 'adopt-or-create' } }),
      },
    ];
  }),
  {
    ...denied,
    proves: 'fields that become empty while the resource adopts are denied',
    review: updated(
      'Bucket',
      { annotations: { ...adopting, [own('adoption-fields')]: '{"name":"x"}' } },
      { annotations: { ...adopting, [own('adoption-fields')]: '{}' } },
    ),
    reason: 'InvalidAnnotation',
    says: [`${own('adoption-fields')} is empty`],
  },
  {
    ...checked,
    proves: 'fields may go once they are needed no more',
    review: updated(
      'Bucket',
      { annotations: { ...adopting, [own('adoption-fields')]: '{"name":"x"}' } },
      { annotations: adopting },
    ),
  },
  ...['adopt', 'adopt-or-create'].map(
    (value): Row => ({
      ...checked,
      proves: `adoption-policy ${value} is allowed, and warned of where nobody says what becomes of what is adopted`,
      review: created('Bucket', { annotations: { [own('adoption-policy')]: value, ...named } }),
      warnings: ['AdoptedNotRetained'],
    }),
  ),
  ...(
    [
      ['that begins to adopt', {}, { ...adopting, ...named }, true],
      ['that drops retain and adoption together', { ...adopting, ...retained }, {}, true],
      ['that drops retain, and has only the note of ACK', { ...noted, ...retained }, noted, true],
      ['that drops retain, and never adopted', retained, {}, false],
      ['that adopts as before', adopting, { ...adopting, note: 'x' }, false],
      ['that drops the adoption alone', { ...adopting, ...retained }, retained, false],
    ] as const
  ).map(
    ([what, before, after, warned]): Row => ({
      ...checked,
      proves: `an UPDATE ${what} is ${warned ? '' : 'not '}warned of`,
      review: updated('Bucket', { annotations: before }, { annotations: after }),
      warnings: warned ? ['AdoptedNotRetained'] : [],
    }),
  ),
  ...(
    [
      ['Bucket', 'delete', true],
      ['Queue', 'retain', false],
    ] as const
  ).flatMap(([kind, policy, warned]): Row[] => [
    {
      ...checked,
      proves: `adoption without a deletion policy is not warned of where the namespace says ${policy}`,
      review: created(kind, { namespace: 'deleting', annotations: { [own('adoption-policy')]: 'adopt-or-create' } }),
    },
    {
      ...checked,
      proves: `retain that is dropped is ${warned ? '' : 'not '}warned of where the namespace says ${policy}`,
      review: updated(kind, { namespace: 'deleting', annotations: { ...adopting, ...retained } }, {}),
      warnings: warned ? ['AdoptedNotRetained'] : [],
    },
  ]),
  {
    ...denied,
    proves: 'a bad annotation that comes by UPDATE is denied',
    review: updated('Bucket', {}, annotated(own('deletion-policy'), 'Keep')),
    reason: 'InvalidAnnotation',
  },
  {
    ...checked,
    proves: 'a bad annotation that was there before is left alone',
    review: updated('Bucket', annotated(own('deletion-policy'), 'Keep'), {
      ...annotated(own('deletion-policy'), 'Keep'),
      spec: { name: 'others' },
    }),
  },
  {
    ...checked,
    proves: 'a bad annotation may be removed',
    review: updated('Bucket', annotated(own('deletion-policy'), 'Keep'), {}),
  },
];

const owners: readonly Row[] = [
  {
    ...denied,
    proves: "an owner account id of a resource that is not its namespace's is denied: ACK ignores it",
    review: created('Bucket', annotated(own('owner-account-id'), '222222222222')),
    reason: 'AccountMismatch',
    says: ['"222222222222"', account, 'To fix this'],
  },
  {
    ...checked,
    proves: "an owner account id of a resource that is its namespace's is warned of",
    review: created('Bucket', annotated(own('owner-account-id'), account)),
    warnings: ['OwnerIgnored'],
  },
  {
    ...checked,
    proves: 'an owner account id that stays is not said again',
    review: updated('Bucket', annotated(own('owner-account-id'), account), {
      ...annotated(own('owner-account-id'), account),
      spec: { name: 'others' },
    }),
  },
  {
    endpoint: 'validate',
    server: 'unbound-allowed',
    proves: 'an owner account id in a namespace that is not bound is warned of',
    review: created('Bucket', annotated(own('owner-account-id'), account, 'free')),
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['OwnerIgnored'],
    says: ['only a namespace can be bound'],
  },
  {
    endpoint: 'validate',
    proves: 'an owner account id in a namespace that is not bound is warned of beside the namespace',
    review: created('Bucket', annotated(own('owner-account-id'), account, 'free')),
    reason: 'NamespaceNotBound',
    outcome: 'warned',
    warnings: ['OwnerIgnored'],
  },
  {
    ...denied,
    proves: 'an owner account id in a namespace whose account cannot be told is denied',
    review: updated('Bucket', { namespace: 'short-id' }, annotated(own('owner-account-id'), account, 'short-id')),
    reason: 'AccountMismatch',
  },
  {
    ...checked,
    proves: "an owner account id of a FieldExport that is its namespace's is warned of",
    review: created('FieldExport', { ...annotated(own('owner-account-id'), account), spec: {} }),
    warnings: ['OwnerIgnored'],
  },
  {
    ...checked,
    proves: "an owner account id that is its namespace's is warned of though the map has no such entry any more",
    review: updated(
      'Bucket',
      { namespace: 'unmapped' },
      annotated(own('owner-account-id'), '999999999990', 'unmapped'),
    ),
    warnings: ['OwnerIgnored'],
  },
];

const notes = [
  own('adopted'),
  'rds.services.k8s.aws/last-applied-secret-reference',
  'elasticache.services.k8s.aws/last-requested-cache-node-type',
  'memorydb.services.k8s.aws/last-requested-node-type',
  'sagemaker.services.k8s.aws/last-endpoint-config-for-update',
  'sagemaker.services.k8s.aws/last-spec-for-update',
];
const velero = { username: 'system:serviceaccount:velero:server' };
const finalizer = 'finalizers.s3.services.k8s.aws/Bucket';

const forgeries: readonly Row[] = [
  ...notes.map(
    (key): Row => ({
      ...denied,
      proves: `${key} by anyone but a controller is denied on CREATE`,
      review: created('Bucket', annotated(key, 'true')),
      reason: 'ForgedAnnotation',
      says: [JSON.stringify(key)],
    }),
  ),
  {
    ...denied,
    proves: 'a forged annotation is denied on UPDATE too',
    review: updated('Bucket', {}, annotated(own('adopted'), 'true')),
    reason: 'ForgedAnnotation',
  },
  {
    ...denied,
    proves: 'a forged annotation with an empty value is one',
    review: created('Bucket', annotated(own('adopted'), '')),
    reason: 'ForgedAnnotation',
  },
  {
    ...denied,
    proves: 'a change of what a controller wrote is denied',
    review: updated('Bucket', annotated(own('adopted'), 'true'), annotated(own('adopted'), 'false')),
    reason: 'ForgedAnnotation',
  },
  {
    ...checked,
    proves: 'what a controller wrote may stay',
    review: updated('Bucket', annotated(own('adopted'), 'true'), {
      ...annotated(own('adopted'), 'true'),
      spec: { name: 'others' },
    }),
  },
  {
    ...checked,
    proves: 'annotations of services that users write are theirs',
    review: created('DBInstance', annotated('rds.services.k8s.aws/skip-final-snapshot', 'true')),
  },
  {
    ...denied,
    proves: 'a forged finalizer is denied on CREATE',
    review: created('Bucket', { finalizers: [finalizer] }),
    reason: 'ForgedFinalizer',
    says: [JSON.stringify(finalizer)],
  },
  {
    ...denied,
    proves: 'a forged finalizer is denied on UPDATE, beside others',
    review: updated('Bucket', { finalizers: ['example.com/x'] }, { finalizers: ['example.com/x', finalizer] }),
    reason: 'ForgedFinalizer',
  },
  {
    ...denied,
    proves: "FieldExport's finalizer is one of ACK's",
    review: created('FieldExport', { spec: {}, finalizers: ['finalizers.services.k8s.aws/FieldExport'] }),
    reason: 'ForgedFinalizer',
  },
  {
    ...checked,
    proves: 'a finalizer of their own is the user’s',
    review: created('Bucket', { finalizers: ['example.com/x', 'finalizers.example.com/Bucket'] }),
  },
  {
    ...checked,
    proves: "ACK's finalizer may stay, and may be removed",
    review: updated('Bucket', { finalizers: [finalizer] }, { finalizers: [] }),
    warnings: ['FinalizerRemoved'],
  },
  ...(['warning', 'auditing'] as const).flatMap((server): Row[] => [
    {
      ...denied,
      server,
      proves: `no mode softens a forged annotation: ${server}`,
      review: created('Bucket', annotated(own('adopted'), 'true')),
      reason: 'ForgedAnnotation',
    },
    {
      ...denied,
      server,
      proves: `no mode softens a forged finalizer: ${server}`,
      review: created('Bucket', { finalizers: [finalizer] }),
      reason: 'ForgedFinalizer',
    },
    {
      ...denied,
      server,
      proves: `no mode softens a forged status: ${server}`,
      review: statusUpdated('Bucket', { ack }, { ack: { ...ack, arn: 'arn:aws:s3:::theirs' } }),
      reason: 'ForgedStatus',
    },
    {
      ...denied,
      server,
      proves: `no mode softens a reference across namespaces: ${server}`,
      review: created('FieldExport', { spec: { to: { name: 'm', kind: 'configmap', namespace: 'ack-system' } } }),
      reason: 'CrossNamespaceReference',
    },
    {
      endpoint: 'validate',
      server,
      proves: `the default mode softens a role that does not resolve: ${server}`,
      review: created('Bucket', { namespace: 'unmapped' }),
      reason: 'AccountNotMapped',
      outcome: server === 'warning' ? 'warned' : 'audited',
    },
    {
      endpoint: 'validate',
      server,
      proves: `the default mode softens a change of region: ${server}`,
      review: updated('Bucket', { ack }, { ...annotated(own('region'), 'us-east-1'), ack }),
      reason: 'RegionChange',
      outcome: server === 'warning' ? 'warned' : 'audited',
    },
    {
      server,
      proves: `a valid resource is completed in every mode: ${server}`,
      review: created('Bucket', { namespace: 'regional' }),
      reason: 'Completed',
      outcome: 'mutated',
    },
  ]),
  {
    ...checked,
    server: 'trusting',
    proves: '--restore-identities may write annotations and finalizers of controllers',
    review: created('Bucket', { ...annotated(own('adopted'), 'true'), finalizers: [finalizer] }, velero),
  },
  {
    ...denied,
    server: 'trusting',
    proves: 'who restores is judged like everybody by the role',
    review: created('Bucket', { ...annotated(own('adopted'), 'true', 'unmapped') }, velero),
    reason: 'AccountNotMapped',
  },
  {
    ...denied,
    server: 'trusting',
    proves: 'a ServiceAccount named like the one that restores, elsewhere, may not',
    review: created('Bucket', annotated(own('adopted'), 'true'), { username: 'system:serviceaccount:shop:server' }),
    reason: 'ForgedAnnotation',
  },
];

const statuses: readonly Row[] = [
  ...(['ownerAccountID', 'region', 'arn'] as const).flatMap((field): Row[] => [
    {
      ...denied,
      proves: `a status whose ${field} changes is denied`,
      review: statusUpdated('Bucket', { ack }, { ack: { ...ack, [field]: 'other' } }),
      reason: 'ForgedStatus',
      says: [`"status.ackResourceMetadata.${field}"`],
    },
    {
      ...denied,
      proves: `a status whose ${field} is first written is denied`,
      review: statusUpdated('Bucket', {}, { ack: { [field]: 'other' } }),
      reason: 'ForgedStatus',
    },
    {
      ...denied,
      proves: `a status whose ${field} is taken away is denied`,
      review: statusUpdated('Bucket', { ack }, { ack: { ...ack, [field]: undefined } }),
      reason: 'ForgedStatus',
    },
    {
      ...denied,
      proves: `a status whose ${field} changes is denied on a terminating object too`,
      review: statusUpdated(
        'Bucket',
        { ack, terminating: true },
        { ack: { ...ack, [field]: 'other' }, terminating: true },
      ),
      reason: 'ForgedStatus',
    },
  ]),
  {
    ...denied,
    proves: 'a status by an older API version is guarded too',
    review: statusUpdated('OldBucket', { ack }, { ack: { ...ack, ownerAccountID: '222222222222' } }),
    reason: 'ForgedStatus',
  },
  {
    ...denied,
    proves: 'a status taken away whole is denied',
    review: statusUpdated('Bucket', { ack }, {}),
    reason: 'ForgedStatus',
  },
  ...(
    [
      ['changes', { associationID: 'a-1' }, { associationID: 'a-2' }],
      ['is first written', {}, { associationID: 'a-2' }],
      ['is taken away', { associationID: 'a-1' }, {}],
      ['is emptied', { associationID: 'a-1' }, { associationID: null }],
    ] as const
  ).flatMap(([how, before, after]): Row[] =>
    [false, true].map(terminating => ({
      ...denied,
      proves: `a status whose id ${how} is denied, by which ACK updates and deletes in AWS${terminating ? ', on a terminating object too' : ''}`,
      review: statusUpdated(
        'PodIdentityAssociation',
        { ack, terminating, status: before },
        { ack, terminating, status: after },
      ),
      reason: 'ForgedStatus',
      says: ['only ACK\'s controllers may write "status.associationID"'],
    })),
  ),
  {
    ...denied,
    proves: 'a status with another field in a list of objects is denied',
    review: statusUpdated(
      'Bucket',
      { ack, status: { endpoints: [{ address: 'a', port: 1 }] } },
      { ack, status: { endpoints: [{ address: 'b', port: 1 }] } },
    ),
    reason: 'ForgedStatus',
    says: ['"status.endpoints"'],
  },
  {
    ...denied,
    proves: 'the partition in a status is guarded too',
    review: statusUpdated('Bucket', { ack }, { ack: { ...ack, partition: 'aws' } }),
    reason: 'ForgedStatus',
    says: ['"status.ackResourceMetadata"'],
  },
  {
    ...checked,
    proves: 'conditions of a status are not guarded',
    review: statusUpdated(
      'Bucket',
      { ack, status: { location: '/a' } },
      { ack, status: { location: '/a', conditions: [{ type: 'Reviewed', status: 'True' }] } },
    ),
  },
  {
    ...checked,
    proves: 'a field that is written as null is one that is not there',
    review: statusUpdated('Bucket', { ack }, { ack, status: { location: null } }),
  },
  {
    endpoint: 'validate',
    proves: "ACK's controller writes the status",
    review: statusUpdated('Bucket', {}, { ack }, { username: 'system:serviceaccount:ack-system:ack-s3-controller' }),
    reason: 'ExemptIdentity',
    outcome: 'allowed',
  },
  {
    endpoint: 'validate',
    server: 'trusting',
    proves: '--restore-identities may write a status',
    review: statusUpdated('Bucket', {}, { ack }, velero),
    reason: 'ExemptIdentity',
    outcome: 'allowed',
  },
  {
    endpoint: 'validate',
    proves: 'a status of another type than its API gives it is denied as malformed',
    review: statusUpdated('Bucket', { ack }, { ack: { ...ack, region: ['us-east-1'] } }),
    reason: 'InvalidReview',
    outcome: 'error',
    code: 400,
  },
];

const identities: readonly Row[] = [
  ...(
    [
      ['plain', 'system:serviceaccount:ack-system:ack-s3-controller', true],
      ['plain', 'system:serviceaccount:ack-system:ack-sqs-controller', true],
      ['plain', 'system:serviceaccount:kube-system:generic-garbage-collector', true],
      ['plain', 'system:serviceaccount:kube-system:namespace-controller', true],
      ['plain', 'system:serviceaccount:shop:ack-s3-controller', false],
      ['plain', 'system:serviceaccount:ack-system:ack-s3-controller-x', false],
      ['plain', 'system:serviceaccount:ack-system:ack-S3-controller', false],
      ['plain', 'system:serviceaccount:ack-system:default', false],
      ['plain', 'ack-s3-controller', false],
      ['plain', 'system:serviceaccount:shop:namespace-controller', false],
      ['plain', 'arn:aws:sts::111111111111:assumed-role/AckCapability/ACK', false],
      ['systems', 'system:serviceaccount:ack-system:ack-s3-controller', true],
      ['systems', 'system:serviceaccount:ack-iam:ack-iam-controller', true],
      ['systems', 'system:serviceaccount:ack-iam:ack-s3-controller', false],
      ['systems', 'system:serviceaccount:ack-system:ack-iam-controller', false],
      ['releases', 'system:serviceaccount:ack-system:ack-s3-controller', true],
      ['releases', 'system:serviceaccount:ack-iam:ack-s3-controller', true],
      ['releases', 'system:serviceaccount:shop:ack-s3-controller', false],
      ['shards', 'system:serviceaccount:ack-system:ack-s3-controller', true],
      ['shards', 'system:serviceaccount:ack-iam:ack-s3-controller', true],
      ['shards', 'system:serviceaccount:ack-iam:ack-iam-controller', true],
      ['shards', 'system:serviceaccount:ack-system:ack-iam-controller', false],
      ['trusting', 'system:serviceaccount:custom:controller', true],
      ['trusting', 'system:serviceaccount:custom:controller2', false],
      ['trusting', 'system:serviceaccount:custom2:controller', false],
      ['trusting', 'arn:aws:sts::111111111111:assumed-role/AckCapability/ACK', true],
      ['trusting', 'arn:aws:sts::111111111111:assumed-role/AckCapability-evil/ACK', false],
      ['trusting', 'arn:aws:sts::222222222222:assumed-role/AckCapability/ACK', false],
      ['trusting', 'x-arn:aws:sts::111111111111:assumed-role/AckCapability/ACK', false],
    ] as const
  ).map(
    ([server, username, exempt]): Row => ({
      endpoint: 'validate',
      server,
      proves: `${username} is ${exempt ? '' : 'not '}exempt: ${server}`,
      review: updated(
        'Bucket',
        {},
        { finalizers: [finalizer], annotations: { [own('adopted')]: 'true' } },
        { username },
      ),
      ...(exempt
        ? ({ reason: 'ExemptIdentity', outcome: 'allowed' } as const)
        : ({ reason: 'ForgedAnnotation', outcome: 'denied' } as const)),
    }),
  ),
  ...(['mutate', 'validate'] as const).map(
    (endpoint): Row => ({
      endpoint,
      proves: `DELETE of a resource is never ours on /${endpoint}`,
      review: {
        ...created('Bucket', { namespace: 'unmapped', annotations: { [own('adopted')]: 'true' } }),
        operation: 'DELETE',
      },
      reason: 'NotApplicable',
      outcome: 'allowed',
    }),
  ),
];

const dying = { terminating: true, finalizers: [finalizer, 'example.com/mine'] };
const terminating: readonly Row[] = [
  ...(
    [
      ['finalizers go', {}, { finalizers: [] }],
      ['annotations change', { annotations: { [own('region')]: 'eu-central-1' }, ack }, { annotations: {}, ack }],
      ['bad annotations come', {}, { annotations: { [own('deletion-policy')]: 'x' } }],
      ['labels change', { labels: { color: 'blue' } }, { labels: { color: 'green' } }],
    ] as const
  ).map(
    ([what, before, after]): Row => ({
      endpoint: 'validate',
      proves: `nothing holds up a terminating object whose ${what}`,
      review: updated('Bucket', { ...dying, ...before }, { ...dying, ...after }),
      reason: 'Terminating',
      outcome: 'allowed',
    }),
  ),
  {
    endpoint: 'validate',
    server: 'selectors',
    proves: 'selectors do not hold up a terminating object',
    review: updated(
      'Bucket',
      { ...dying, namespace: 'sel-rebind', labels: { color: 'blue' }, ack: { ownerAccountID: '212121212121' } },
      { ...dying, labels: {}, finalizers: [] },
    ),
    reason: 'Terminating',
    outcome: 'allowed',
  },
  {
    ...denied,
    proves: 'an object kept alive by a finalizer of its user’s own gets no reference across namespaces',
    review: updated(
      'FieldExport',
      { ...dying, spec: { to: { name: 'm', kind: 'configmap' } } },
      {
        ...dying,
        spec: { to: { name: 'ack-role-account-map', kind: 'configmap', namespace: 'ack-system' } },
      },
    ),
    reason: 'CrossNamespaceReference',
  },
  {
    ...checked,
    proves: 'a deletionTimestamp that a user sends makes nothing terminating',
    review: updated('Bucket', {}, { terminating: true, annotations: { note: 'x' } }),
  },
  {
    ...denied,
    proves: 'a deletionTimestamp that a user sends hides no forgery',
    review: updated('Bucket', {}, { terminating: true, annotations: { [own('adopted')]: 'true' } }),
    reason: 'ForgedAnnotation',
  },
];

const managed = [finalizer];

/** A resource loses ACK's finalizer, and what is told of it. */
const unmanaged: readonly Row[] = [
  ...(
    [
      ['that never adopted', {}, {}, `${own('adoption-policy')}=adopt-or-create`],
      [
        'without a policy, with the note of ACK',
        noted,
        noted,
        `${own('adoption-policy')}=adopt-or-create ${own('adopted')}-`,
      ],
      [
        'with the note of ACK, and a policy',
        { ...adopting, ...noted },
        { ...adopting, ...noted },
        `Annotate it ${own('adopted')}-`,
      ],
      ['that is to be adopted, so that ACK takes it up again', { ...adopting, ...noted }, adopting, undefined],
      ['that is read-only, in which ACK changes nothing', {}, { [own('read-only')]: 'True' }, undefined],
    ] as const
  ).map(
    ([what, before, after, says]): Row => ({
      ...checked,
      proves: `the removed finalizer of a resource ${what}${says === undefined ? ', is not warned of' : ', is warned of'}`,
      review: updated('Bucket', { annotations: before, finalizers: managed }, { annotations: after }),
      warnings: says === undefined ? [] : ['FinalizerRemoved'],
      ...(says !== undefined && { says: [says] }),
    }),
  ),
  {
    ...checked,
    proves: 'a finalizer that is not of ACK may go without a word',
    review: updated('Bucket', { finalizers: [...managed, 'mine.example.com/x'] }, { finalizers: managed }),
  },
  {
    ...checked,
    proves: 'a resource that had no finalizer of ACK loses none',
    review: updated('Bucket', { finalizers: ['mine.example.com/x'] }, {}),
  },
  {
    ...checked,
    proves: 'an export has another finalizer, and nothing in AWS',
    review: updated('FieldExport', { finalizers: ['finalizers.services.k8s.aws/FieldExport'] }, {}),
  },
];

export const resourceDeniedRows: readonly Row[] = [
  ...regions,
  ...forms,
  ...owners,
  ...forgeries,
  ...statuses,
  ...identities,
  ...terminating,
  ...unmanaged,
];
