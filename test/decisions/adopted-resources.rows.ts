import type { Json } from './manifests.ts';
import { created, type ResourceOptions, updated } from './resources.ts';
import type { Row } from './row.ts';
import { account } from './state.ts';

/** AdoptedResources of older ACK: the metadata in their spec, which ACK's controllers copy onto what they create. */

const own = (key: string) => `services.k8s.aws/${key}`;
const denied = { endpoint: 'validate', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;
const velero = { username: 'system:serviceaccount:velero:server' };

function adopting(
  annotations: Json,
  { more = {}, target = {} }: { readonly more?: ResourceOptions; readonly target?: Json } = {},
): ResourceOptions {
  const metadata = { name: 'theirs', annotations, ...target };
  return {
    spec: {
      aws: { nameOrID: 'theirs' },
      kubernetes: { group: 's3.services.k8s.aws', kind: 'Bucket', metadata },
    },
    ...more,
  };
}

interface Fault {
  readonly what: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly reason: Row['reason'];
  readonly says: readonly string[];
}

const faults: readonly Fault[] = [
  ...[
    own('adopted'),
    'rds.services.k8s.aws/last-applied-secret-reference',
    'sagemaker.services.k8s.aws/last-spec-for-update',
  ].map(
    (key): Fault => ({
      what: `a controller's note ${key}`,
      annotations: { [key]: 'true' },
      reason: 'ForgedAnnotation',
      says: [`annotation "${key}" in spec.kubernetes.metadata`],
    }),
  ),
  {
    what: 'a region of another partition',
    annotations: { [own('region')]: 'cn-north-1' },
    reason: 'InvalidRegion',
    says: [`${own('region')} "cn-north-1" in spec.kubernetes.metadata`, 'partition aws'],
  },
  {
    what: 'a region that is none',
    annotations: { [own('region')]: 'Frankfurt' },
    reason: 'InvalidRegion',
    says: ['"Frankfurt"'],
  },
  { what: 'an empty region', annotations: { [own('region')]: '' }, reason: 'InvalidRegion', says: ['""'] },
  {
    what: 'a foreign owner',
    annotations: { [own('owner-account-id')]: '222222222222' },
    reason: 'AccountMismatch',
    says: ['"222222222222" in spec.kubernetes.metadata', account],
  },
  ...(
    [
      ['deletion-policy', 'Retain'],
      ['adoption-policy', 'adopt-only'],
      ['adoption-fields', 'arn=x'],
    ] as const
  ).map(
    ([key, value]): Fault => ({
      what: `${key} ${value}`,
      annotations: { [own(key)]: value },
      reason: 'InvalidAnnotation',
      says: [`${own(key)} "${value}" in spec.kubernetes.metadata`],
    }),
  ),
];

export const adoptedResourceRows: readonly Row[] = [
  {
    ...denied,
    proves: 'in a namespace whose mode softens one mistake, what is forged besides is denied all the same',
    review: created(
      'AdoptedResource',
      adopting(
        { [own('adopted')]: 'true' },
        { more: { namespace: 'shop-audit', annotations: { [own('region')]: 'nowhere' } } },
      ),
    ),
    reason: 'ForgedAnnotation',
  },
  ...faults.flatMap(({ what, annotations, reason, says }): Row[] => [
    {
      ...denied,
      proves: `an AdoptedResource has ACK copy no ${what}, on CREATE`,
      review: created('AdoptedResource', adopting(annotations)),
      reason,
      says,
    },
    {
      ...denied,
      proves: `an AdoptedResource has ACK copy no ${what}, on UPDATE`,
      review: updated('AdoptedResource', adopting({ note: 'x' }), adopting({ note: 'x', ...annotations })),
      reason,
    },
    {
      ...denied,
      proves: `an AdoptedResource without metadata gains no ${what}`,
      review: updated('AdoptedResource', { spec: { kubernetes: {} } }, adopting(annotations)),
      reason,
    },
    {
      ...checked,
      proves: `what an AdoptedResource had before is left alone: ${what}`,
      review: updated('AdoptedResource', adopting(annotations), adopting({ ...annotations, note: 'x' })),
    },
    {
      ...checked,
      proves: `an AdoptedResource may lose ${what}`,
      review: updated('AdoptedResource', adopting(annotations), adopting({})),
    },
    {
      ...denied,
      proves: `an AdoptedResource that turns to another target brings no ${what}`,
      review: updated('AdoptedResource', adopting(annotations), adopting(annotations, { target: { name: 'others' } })),
      reason,
    },
    {
      ...checked,
      proves: `what is no AdoptedResource may have such a field: ${what}`,
      review: created('Bucket', adopting(annotations)),
    },
  ]),
  {
    ...denied,
    proves: "a change of a controller's note in an AdoptedResource is denied",
    review: updated('AdoptedResource', adopting({ [own('adopted')]: 'true' }), adopting({ [own('adopted')]: 'false' })),
    reason: 'ForgedAnnotation',
  },
  {
    ...denied,
    proves: 'an AdoptedResource that turns to another AWS resource brings its annotations again',
    review: updated('AdoptedResource', adopting({ [own('adopted')]: 'true' }), {
      spec: {
        ...(adopting({ [own('adopted')]: 'true' }).spec as Json),
        aws: { nameOrID: 'others' },
      },
    }),
    reason: 'ForgedAnnotation',
  },
  ...(['warning', 'auditing'] as const).map(
    (server): Row => ({
      ...denied,
      server,
      proves: `no mode softens a note that ACK would copy: ${server}`,
      review: created('AdoptedResource', adopting({ [own('adopted')]: 'true' })),
      reason: 'ForgedAnnotation',
    }),
  ),
  {
    ...checked,
    proves: 'an AdoptedResource with a region and policies that are valid is allowed',
    review: created(
      'AdoptedResource',
      adopting({ [own('region')]: 'us-east-1', [own('deletion-policy')]: 'retain', note: 'x' }),
    ),
  },
  {
    ...checked,
    proves: "the region that an AdoptedResource's target does not name is not judged",
    review: created('AdoptedResource', {
      ...adopting({}),
      namespace: 'bad-region',
      annotations: { [own('region')]: 'eu-central-1' },
    }),
  },
  {
    ...checked,
    proves: "an owner that is the namespace's is warned of in an AdoptedResource too",
    review: created('AdoptedResource', adopting({ [own('owner-account-id')]: account })),
    warnings: ['OwnerIgnored'],
  },
  {
    ...checked,
    server: 'trusting',
    proves: "who restores may bring a controller's note in an AdoptedResource",
    review: created('AdoptedResource', adopting({ [own('adopted')]: 'true' }), velero),
  },
  {
    ...checked,
    proves: 'annotations that are no object, or no strings, ACK could not read: passed over',
    review: created('AdoptedResource', {
      spec: {
        kubernetes: {
          group: 's3.services.k8s.aws',
          kind: 'Bucket',
          metadata: { annotations: { [own('adopted')]: true, [own('region')]: ['x'] } },
        },
      },
    }),
  },
  {
    endpoint: 'validate',
    proves: 'a terminating AdoptedResource adopts nothing: its annotations hold it up no more',
    review: updated(
      'AdoptedResource',
      adopting({}, { more: { terminating: true, finalizers: ['finalizers.services.k8s.aws/AdoptedResource'] } }),
      adopting({ [own('deletion-policy')]: 'x' }, { more: { terminating: true } }),
    ),
    reason: 'Terminating',
    outcome: 'allowed',
  },
];
