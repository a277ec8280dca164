import { created, resource, updated } from './resources.ts';
import type { Row } from './row.ts';
import { account } from './state.ts';

/** What `/mutate` adds to ACK resources: the region, and retain for what is adopted. Never the spec. */

const region = 'services.k8s.aws/region';
const deletion = 'services.k8s.aws/deletion-policy';
const adoption = 'services.k8s.aws/adoption-policy';
const fields = 'services.k8s.aws/adoption-fields';
const adopted = 'services.k8s.aws/adopted';
const at = (key: string) => `/metadata/annotations/${key.replace('/', '~1')}`;
const completed = { reason: 'Completed', outcome: 'mutated' } as const;
const left = { reason: 'Checked', outcome: 'allowed' } as const;
const ack = { ownerAccountID: account, region: 'eu-central-1', arn: 'arn:aws:s3:::things' };
const regional = { namespace: 'regional' };

export const resourceCompletedRows: readonly Row[] = [
  {
    ...completed,
    proves: 'a new resource gets the default region of its namespace',
    review: created('Bucket', regional),
    after: { '/metadata/annotations': { [region]: 'eu-central-1' }, '/spec': { name: 'things' } },
    accountId: account,
  },
  {
    ...completed,
    proves: 'the answer names the role that ACK will work with',
    review: created('Bucket', { ...regional, name: 'named' }),
    accountId: account,
    roleArn: `arn:aws:iam::${account}:role/ack-controller`,
  },
  ...(['unmapped-warn', 'unmapped-audit'] as const).map(
    (namespace): Row => ({
      ...left,
      proves: `what would be denied is left as it is: ${namespace}`,
      review: created('Bucket', { namespace, annotations: { [adoption]: 'adopt' } }),
      after: { [at(deletion)]: undefined },
    }),
  ),
  {
    ...left,
    server: 'unbound-denied',
    proves: 'what the mode label does not soften is left as it is: /validate denies it',
    review: created('Bucket', { namespace: 'free-regional-warn' }),
    after: { [at(region)]: undefined },
    warnings: [],
  },
  {
    ...left,
    proves: 'what will be denied is not warned of a change that never comes to be',
    review: created('Bucket', { ...regional, annotations: { [adoption]: 'adopt' } }),
    after: { [at(deletion)]: undefined, [at(region)]: undefined },
    warnings: [],
  },
  {
    ...left,
    proves: 'an UPDATE that will be denied is not warned of the region that is pinned',
    review: updated(
      'Bucket',
      { namespace: 'regional', ack: { ...ack, region: 'us-east-1' } },
      { annotations: { [adoption]: 'adopt' }, ack },
    ),
    after: { [at(region)]: undefined },
    warnings: [],
  },
  {
    ...completed,
    proves: 'what an unbound namespace only has warned of is completed',
    review: created('Bucket', { namespace: 'free-regional-warn', name: 'warned' }),
    after: { [at(region)]: 'eu-west-1' },
  },
  {
    ...completed,
    proves: 'what is wrong with nothing is completed in mode warn too',
    review: created('Bucket', {
      namespace: 'shop-warn',
      annotations: { [adoption]: 'adopt', [fields]: '{"name":"x"}' },
    }),
    after: { [at(deletion)]: 'retain' },
    warnings: ['RetainAdded'],
  },
  {
    ...completed,
    proves: 'a status that a user writes is not looked at, whatever it is',
    review: {
      ...created('Bucket', regional),
      object: { ...resource('Bucket', regional), status: { ackResourceMetadata: 'x' } },
    },
    after: { [at(region)]: 'eu-central-1' },
  },
  {
    ...completed,
    proves: 'a new resource with annotations keeps them beside the region',
    review: created('Bucket', { ...regional, annotations: { note: 'x' } }),
    after: { '/metadata/annotations': { note: 'x', [region]: 'eu-central-1' } },
  },
  {
    ...completed,
    proves: 'a resource with generateName gets the region too',
    review: created('Bucket', { ...regional, name: '', metadata: { generateName: 'logs-' } }),
    after: { [at(region)]: 'eu-central-1' },
  },
  {
    ...completed,
    proves: 'an older API version gets the region too',
    review: created('OldBucket', regional),
    after: { [at(region)]: 'eu-central-1' },
  },
  {
    ...completed,
    proves: 'a dry run gets the same region',
    review: created('Bucket', regional, { dryRun: true }),
    after: { [at(region)]: 'eu-central-1' },
  },
  {
    ...completed,
    proves: 'an empty region is none',
    review: created('Bucket', { ...regional, annotations: { [region]: '' } }),
    after: { [at(region)]: 'eu-central-1' },
  },
  {
    ...completed,
    proves: 'a resource in an unbound namespace with a default region gets it',
    review: created('Bucket', { namespace: 'free-regional' }),
    after: { [at(region)]: 'eu-west-1' },
  },
  {
    ...left,
    proves: "a resource's own region stays",
    review: created('Bucket', { ...regional, annotations: { [region]: 'us-east-1' } }),
    after: { [at(region)]: 'us-east-1' },
  },
  {
    ...left,
    proves: 'without a default region nothing is pinned',
    review: created('Bucket', { namespace: 'shop' }),
  },
  {
    ...left,
    server: 'strict',
    proves: '--default-region is for pods, not for resources: ACK does not know it',
    review: created('Bucket', { namespace: 'shop' }),
    after: { '/metadata/annotations': undefined },
  },
  {
    ...left,
    proves: 'a default region that is none is not pinned',
    review: created('Bucket', { namespace: 'bad-region' }),
    after: { '/metadata/annotations': undefined },
  },
  {
    ...left,
    proves: 'a default region of another partition is not pinned',
    review: created('Bucket', { namespace: 'other-region' }),
    after: { '/metadata/annotations': undefined },
  },
  {
    ...completed,
    proves: 'a default region of the partition of the role is pinned',
    review: created('Bucket', { namespace: 'china' }),
    after: { [at(region)]: 'cn-north-1' },
  },
  {
    ...left,
    proves: 'a status that a user sends along with CREATE pins nothing else',
    review: created('Bucket', { namespace: 'shop', ack: { region: 'us-east-1' } }),
    after: { '/metadata/annotations': undefined },
  },
  {
    ...completed,
    proves: 'an UPDATE that lost the region gets it back from status, not from the namespace',
    review: updated(
      'Bucket',
      { ...regional, annotations: { [region]: 'us-west-2' }, ack: { ...ack, region: 'us-west-2' } },
      {},
    ),
    after: { [at(region)]: 'us-west-2', '/spec': { name: 'things' } },
    warnings: ['RegionPinned'],
  },
  ...(['shop', 'regional'] as const).map(
    (namespace): Row => ({
      ...completed,
      proves: `an UPDATE of a resource whose region only its status says pins that one: ${namespace}`,
      review: updated('Bucket', { namespace, ack }, { spec: { name: 'others' } }),
      after: { '/metadata/annotations': { [region]: 'eu-central-1' }, '/spec': { name: 'others' } },
    }),
  ),
  {
    ...completed,
    proves:
      'a pinned region that the default of the namespace is not is warned of: without it ACK would stop in silence',
    review: updated('Bucket', { ...regional, ack: { ...ack, region: 'us-west-2' } }, { spec: { name: 'others' } }),
    after: { [at(region)]: 'us-west-2' },
    warnings: ['RegionPinned'],
    says: ['"us-west-2", recorded by ACK', '"eu-central-1"'],
  },
  {
    ...completed,
    proves: 'a recorded region takes the place of an empty annotation, on UPDATE',
    review: updated('Bucket', { ack, annotations: { [region]: '' } }, { annotations: { [region]: '' } }),
    after: { [at(region)]: 'eu-central-1' },
  },
  {
    ...left,
    proves: 'a recorded region of another partition than the role is not pinned',
    review: updated('Bucket', { namespace: 'china', ack }, { spec: { name: 'others' } }),
    after: { '/metadata/annotations': undefined },
  },
  {
    ...completed,
    proves: 'an UPDATE of a resource that ACK has not taken up is pinned too',
    review: updated('Bucket', regional, { spec: { name: 'others' } }),
    after: { [at(region)]: 'eu-central-1', '/spec': { name: 'others' } },
  },
  {
    ...completed,
    proves: 'the region in a status that the user sends is not what is given back',
    review: updated(
      'Bucket',
      { ...regional, annotations: { [region]: 'eu-central-1' }, ack },
      { ack: { ...ack, region: 'us-east-1' } },
    ),
    after: { [at(region)]: 'eu-central-1' },
  },
  {
    ...left,
    proves: 'a resource that was completed is left as it is',
    review: updated(
      'Bucket',
      { ...regional, annotations: { [region]: 'eu-central-1' } },
      { annotations: { [region]: 'eu-central-1' } },
    ),
  },
  {
    ...completed,
    proves: 'what is adopted is retained',
    review: created('Bucket', { annotations: { [adoption]: 'adopt', [fields]: '{"name":"x"}' } }),
    after: {
      '/metadata/annotations': { [adoption]: 'adopt', [fields]: '{"name":"x"}', [deletion]: 'retain' },
    },
    warnings: ['RetainAdded'],
    says: ['Write delete if it should not'],
  },
  {
    ...completed,
    proves: 'what is adopted in a namespace that is not bound is retained too',
    review: created('Bucket', { namespace: 'free', annotations: { [adoption]: 'adopt', [fields]: '{"name":"x"}' } }),
    after: { [at(deletion)]: 'retain' },
    warnings: ['RetainAdded'],
  },
  {
    ...completed,
    proves: 'what is adopted or created gets no deletion policy: what ACK creates goes with its object',
    review: created('Bucket', { ...regional, annotations: { [adoption]: 'adopt-or-create' } }),
    after: { [at(deletion)]: undefined, [at(region)]: 'eu-central-1' },
  },
  {
    ...left,
    proves: 'a deletion policy of its own stays, delete as well',
    review: created('Bucket', { annotations: { [adoption]: 'adopt', [deletion]: 'delete' } }),
    after: { [at(deletion)]: 'delete' },
  },
  ...(['Bucket', 'Queue', 'DBInstance'] as const).map(
    (kind): Row => ({
      ...left,
      proves: `the deletion policy of the namespace for the service stays, whatever it says: ${kind}`,
      review: created(kind, { namespace: 'deleting', annotations: { [adoption]: 'adopt' } }),
      after: { [at(deletion)]: undefined },
    }),
  ),
  {
    ...completed,
    proves: 'a deletion policy of the namespace for another service, for all or for none says nothing for this one',
    review: created('Role', { namespace: 'deleting', annotations: { [adoption]: 'adopt', [fields]: '{"name":"x"}' } }),
    after: { [at(deletion)]: 'retain' },
    warnings: ['RetainAdded'],
  },
  {
    ...left,
    proves: 'what is not adopted gets no deletion policy',
    review: created('Bucket', { annotations: { note: 'x' } }),
    after: { '/metadata/annotations': { note: 'x' } },
  },
  {
    ...completed,
    proves: 'an UPDATE that dropped retain and adopts gets it back',
    review: updated(
      'Bucket',
      { annotations: { [adoption]: 'adopt', [deletion]: 'retain' } },
      { annotations: { [adoption]: 'adopt' } },
    ),
    after: { [at(deletion)]: 'retain' },
    warnings: ['RetainAdded'],
  },
  ...(
    [
      ['that adopts, from before', { [adoption]: 'adopt' }, { [adoption]: 'adopt' }],
      ['that begins to adopt', {}, { [adoption]: 'adopt' }],
      ['whose policy was delete', { [adoption]: 'adopt', [deletion]: 'delete' }, { [adoption]: 'adopt' }],
      ['that drops retain along with the adoption', { [adoption]: 'adopt', [deletion]: 'retain' }, {}],
      [
        'that drops retain, and was adopted or created',
        { [adoption]: 'adopt-or-create', [deletion]: 'retain' },
        { [adoption]: 'adopt-or-create' },
      ],
      ['that only ACK notes as adopted', { [adopted]: 'true', [deletion]: 'retain' }, { [adopted]: 'true' }],
    ] as const
  ).map(
    ([what, before, after]): Row => ({
      ...left,
      proves: `an UPDATE of a resource gets no retain: one ${what}`,
      review: updated('Bucket', { annotations: before }, { annotations: after }),
      after: { '/metadata/annotations': after },
    }),
  ),
  {
    ...left,
    proves: 'an UPDATE that dropped retain where the namespace says what becomes of it gets none back',
    review: updated(
      'Bucket',
      { namespace: 'deleting', annotations: { [adoption]: 'adopt', [deletion]: 'retain' } },
      { annotations: { [adoption]: 'adopt' } },
    ),
    after: { [at(deletion)]: undefined },
  },
  {
    ...left,
    proves: 'an UPDATE that dropped ACK’s own note does not get it back: half of its notes would stop ACK',
    review: updated(
      'Bucket',
      { annotations: { [adopted]: 'true', [adoption]: 'adopt', [deletion]: 'retain' } },
      { annotations: { [adoption]: 'adopt', [deletion]: 'retain' } },
    ),
    after: { [at(adopted)]: undefined },
  },
  {
    proves: 'a terminating resource is not touched',
    review: updated(
      'Bucket',
      {
        ...regional,
        terminating: true,
        annotations: { [adoption]: 'adopt', [deletion]: 'retain', [region]: 'x' },
        ack,
      },
      { terminating: true, finalizers: [], ack },
    ),
    reason: 'Terminating',
    outcome: 'allowed',
  },
  {
    proves: "what ACK's controller writes is not touched",
    review: updated(
      'Bucket',
      { ...regional, annotations: { [region]: 'eu-central-1' }, ack },
      {},
      { username: 'system:serviceaccount:ack-system:ack-s3-controller' },
    ),
    reason: 'ExemptIdentity',
    outcome: 'allowed',
  },
  {
    ...left,
    proves: 'a FieldExport has no region to pin',
    review: created('FieldExport', { ...regional, spec: {} }),
  },
  {
    proves: 'the status of a resource is never completed',
    review: updated('Bucket', regional, {}, { subResource: 'status' }),
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
];
