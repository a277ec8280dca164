import { type Json, namespaceObject, pod } from './manifests.ts';
import { configMap, created, mapReview, updated } from './resources.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { account, accountMap } from './state.ts';

/** Labels and annotations that nobody reads where they stand: warnings, with what was meant. */

const owner = { 'services.k8s.aws/owner-account-id': account };
const controller = 'system:serviceaccount:kube-system:namespace-controller';
const onPod = { reason: 'Injected', outcome: 'mutated' } as const;
const onNamespace = { endpoint: 'keys', reason: 'Checked', outcome: 'allowed' } as const;
const onResource = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;

function namespace(annotations: Json, labels: Json = {}, name = 'new'): ReviewOptions {
  return { resource: '/v1/namespaces', kind: 'Namespace', object: namespaceObject(name, annotations, labels) };
}

function changed(before: Json, after: Json, more: Partial<ReviewOptions> = {}): ReviewOptions {
  return { ...namespace(after), operation: 'UPDATE', oldObject: namespaceObject('new', before), ...more };
}

const pods: readonly Row[] = [
  {
    ...onPod,
    proves: 'what a ServiceAccount has under wrong names is told with its pods: annotations and labels',
    review: { object: pod({ serviceAccountName: 'ignored-keys' }) },
    warnings: ['MisspelledKey', 'MisplacedKey', 'MisspelledKey', 'MisplacedKey', 'MisspelledKey'],
    says: [
      'label "carm-webhook.dev/inyect" on the ServiceAccount is ignored. Did you mean carm-webhook.dev/inject on the namespace?',
      'label "eks.amazonaws.com/role-arn" on the ServiceAccount is ignored. Did you mean the annotation eks.amazonaws.com/role-arn?',
      '"eks.amazonaws.com/rolearn" on the ServiceAccount is ignored. Did you mean eks.amazonaws.com/role-arn?',
      '"eks.amazonaws.com/sts-regional-endpoint" on the ServiceAccount is ignored. Did you mean eks.amazonaws.com/sts-regional-endpoints?',
      '"eks.amazonaws.com/skip-containers" on the ServiceAccount is ignored. Did you mean eks.amazonaws.com/skip-containers on the pod?',
    ],
    neverSays: ['reader'],
  },
  {
    ...onPod,
    proves:
      "role-arn under our own prefix, which is the pod's, is told on the ServiceAccount with the one that is read",
    review: { object: pod({ serviceAccountName: 'misplaced-wish' }) },
    warnings: ['MisplacedKey'],
    says: ['"carm-webhook.dev/role-arn" on the ServiceAccount is ignored. Did you mean carm-webhook.dev/role?'],
  },
  {
    ...onPod,
    proves: 'an annotation under a prefix with a slip is told on the ServiceAccount',
    review: { object: pod({ serviceAccountName: 'near-miss' }) },
    warnings: ['MisspelledKey'],
    says: ['"eks.amazon.com/role-arn"', 'Did you mean eks.amazonaws.com/role-arn?'],
  },
  ...(
    [
      ['eks.amazonaws.com/role-arn', 'MisplacedKey', 'eks.amazonaws.com/role-arn on the ServiceAccount'],
      ['carm-webhook.dev/role', 'MisplacedKey', 'carm-webhook.dev/role on the ServiceAccount'],
      ['carm-webhook.dev/inject', 'MisplacedKey', 'the label carm-webhook.dev/inject'],
      ['eks.amazonaws.com/skip-container', 'MisspelledKey', 'eks.amazonaws.com/skip-containers'],
      ['eks.amazon.com/skip-containers', 'MisspelledKey', 'eks.amazonaws.com/skip-containers'],
    ] as const
  ).map(
    ([key, reason, meant]): Row => ({
      ...onPod,
      proves: `a pod annotated ${key} is told of ${meant}`,
      review: { object: pod({ annotations: { [key]: 'x' } }) },
      warnings: [reason],
      says: [`annotation "${key}" on the pod is ignored. Did you mean ${meant}?`],
    }),
  ),
  {
    ...onPod,
    proves: 'an unknown name under our own prefix is always told',
    review: {
      object: pod({
        annotations: { 'carm-webhook.dev/allow-everything': 'x' },
        labels: { 'carm-webhook.dev/mode': 'warn' },
      }),
    },
    warnings: ['MisplacedKey', 'MisspelledKey'],
    says: [
      'label "carm-webhook.dev/mode" on the pod is ignored. Did you mean carm-webhook.dev/mode on the namespace?',
      'annotation "carm-webhook.dev/allow-everything" on the pod is ignored: carm-webhook has no such key',
    ],
  },
  {
    ...onPod,
    proves: 'of many, eight are told, behind all other warnings',
    review: {
      object: pod({
        serviceAccountName: 'too-short-token',
        annotations: Object.fromEntries(
          ['aa', 'bb', 'cc', 'dd', 'ee', 'ff', 'gg', 'hh', 'ii'].map(end => [`eks.amazonaws.${end}/role-arn`, 'x']),
        ),
      }),
    },
    warnings: ['TokenExpirationClamped', ...Array.from({ length: 8 }, () => 'MisspelledKey' as const)],
    neverSays: ['eks.amazonaws.ii'],
  },
];

const namespaces: readonly Row[] = [
  ...(
    [
      ['services.k8s.aws/owner-account', 'MisspelledKey', 'services.k8s.aws/owner-account-id'],
      ['services.k8s.aws/default-aws-region', 'MisspelledKey', 'services.k8s.aws/default-region'],
      ['service.k8s.aws/owner-account-id', 'MisspelledKey', 'services.k8s.aws/owner-account-id'],
      ['services.k8s.aws/region', 'MisplacedKey', 'services.k8s.aws/default-region'],
      ['services.k8s.aws/deletion-policy', 'MisplacedKey', 'SERVICE.services.k8s.aws/deletion-policy'],
      ['s3.services.k8s.aws/deletion_policy', 'MisspelledKey', 's3.services.k8s.aws/deletion-policy'],
      ['carm-webhook.dev/mode', 'MisplacedKey', 'the label carm-webhook.dev/mode'],
      ['carm-webhook.dev/role', 'MisplacedKey', 'carm-webhook.dev/role on the ServiceAccount'],
    ] as const
  ).map(
    ([key, reason, meant]): Row => ({
      ...onNamespace,
      proves: `a namespace annotated ${key} is told of ${meant}`,
      review: namespace({ [key]: 'x' }),
      warnings: [reason],
      says: [`Namespace "new": annotation "${key}" on the namespace is ignored. Did you mean ${meant}?`],
    }),
  ),
  ...(
    [
      ['services.k8s.aws/owner-account-id', 'MisplacedKey', 'the annotation services.k8s.aws/owner-account-id'],
      ['carm-webhook.dev/injection', 'MisspelledKey', 'carm-webhook.dev/inject'],
      ['carm-webhook/inject', 'MisspelledKey', 'carm-webhook.dev/inject'],
    ] as const
  ).map(
    ([key, reason, meant]): Row => ({
      ...onNamespace,
      proves: `a namespace labelled ${key} is told of ${meant}`,
      review: namespace({}, { [key]: 'enabled' }),
      warnings: [reason],
      says: [`label "${key}" on the namespace is ignored. Did you mean ${meant}?`],
    }),
  ),
  {
    proves: 'the entry that labels namespaces leaves their keys to the other: nobody is warned twice',
    review: namespace({ ...owner, 'services.k8s.aws/region': 'eu-west-1' }),
    reason: 'Labelled',
    outcome: 'mutated',
  },
  {
    endpoint: 'validate',
    proves: 'so does the one that denies',
    review: namespace({ ...owner, 'services.k8s.aws/region': 'eu-west-1' }),
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    ...onNamespace,
    proves: 'a key with the value that it had was told of when it came',
    review: changed({ 'services.k8s.aws/region': 'a' }, { 'services.k8s.aws/region': 'a', note: 'x' }),
  },
  {
    ...onNamespace,
    proves: 'a key whose value changes is told of again',
    review: changed({ 'services.k8s.aws/region': 'a' }, { 'services.k8s.aws/region': 'b' }),
    warnings: ['MisplacedKey'],
  },
  {
    ...onNamespace,
    proves: 'the namespace controller is told nothing',
    review: changed({}, { 'services.k8s.aws/region': 'a' }, { username: controller }),
    reason: 'ExemptIdentity',
  },
  {
    ...onNamespace,
    proves: 'of a namespace that is being deleted nothing is told',
    review: changed(
      {},
      { 'services.k8s.aws/region': 'a' },
      { oldObject: namespaceObject('new', {}, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
    ),
    reason: 'Terminating',
  },
  {
    ...onNamespace,
    proves: 'of a namespace that is never managed nothing is told',
    review: namespace({ 'services.k8s.aws/region': 'a' }, {}, 'kube-system'),
    reason: 'NamespaceNotManaged',
  },
];

const resources: readonly Row[] = [
  ...(
    [
      ['services.k8s.aws/deletion_policy', 'MisspelledKey', 'services.k8s.aws/deletion-policy'],
      ['services.k8s.aws/default-region', 'MisplacedKey', 'services.k8s.aws/region'],
      ['services.k8s.aws/team-id', 'MisplacedKey', 'services.k8s.aws/team-id on the namespace'],
      ['s3.services.k8s.aws/deletion-policy', 'MisplacedKey', 'services.k8s.aws/deletion-policy'],
    ] as const
  ).map(
    ([key, reason, meant]): Row => ({
      ...onResource,
      proves: `a bucket annotated ${key} is told of ${meant}`,
      review: created('Bucket', { annotations: { [key]: 'retain' } }),
      warnings: [reason],
      says: [`annotation "${key}" on the ACK resource is ignored. Did you mean ${meant}?`],
    }),
  ),
  {
    ...onResource,
    proves: "an instance's annotation that only one controller reads has its name in the table",
    review: created('DBInstance', { annotations: { 'rds.services.k8s.aws/skip-final-snapshots': 'true' } }),
    warnings: ['MisspelledKey'],
    says: ['Did you mean rds.services.k8s.aws/skip-final-snapshot?'],
  },
  {
    endpoint: 'validate',
    proves: 'a resource in a namespace that is not bound is told as well',
    review: created('Bucket', { namespace: 'free', annotations: { 'services.k8s.aws/deletion_policy': 'retain' } }),
    reason: 'NamespaceNotBound',
    outcome: 'warned',
    warnings: ['MisspelledKey'],
  },
  {
    ...onResource,
    proves: 'an UPDATE that leaves an ignored key as it was is told nothing',
    review: updated(
      'Bucket',
      { annotations: { 'services.k8s.aws/deletion_policy': 'retain' } },
      { annotations: { 'services.k8s.aws/deletion_policy': 'retain', note: 'x' } },
    ),
  },
  {
    ...onResource,
    proves: 'what an AdoptedResource passes on to its target is told too',
    review: created('AdoptedResource', {
      spec: {
        aws: { nameOrID: 'x' },
        kubernetes: {
          group: 's3.services.k8s.aws',
          kind: 'Bucket',
          metadata: { annotations: { 'services.k8s.aws/deletion_policy': 'retain' } },
        },
      },
    }),
    warnings: ['MisspelledKey'],
  },
];

const mapOf = (added: Readonly<Record<string, string>>) =>
  mapReview(
    configMap('ack-role-account-map', accountMap),
    configMap('ack-role-account-map', { ...accountMap, ...added }),
  );

const maps: readonly Row[] = [
  {
    ...onResource,
    proves: 'a key of a map with a slip in its prefix is told of the one that is looked up',
    review: mapOf({ 'pod.303030303030': 'arn:aws:iam::303030303030:role/x', 'dynamdb.303030303030': '' }),
    warnings: ['MisspelledKey', 'MisspelledKey'],
    says: [
      'key "pod.303030303030" in the account map is ignored. Did you mean pods.303030303030?',
      'Did you mean dynamodb.303030303030?',
    ],
  },
];

export const keyRows: readonly Row[] = [...pods, ...namespaces, ...resources, ...maps];
