import { pod, podWithEnv } from './manifests.ts';
import { configMap, created, mapReview } from './resources.ts';
import type { Row } from './row.ts';
import { account, foreignRole } from './state.ts';

/** What messages offer to those who are stuck: what they meant, and the flag by which a platform team may allow it. */

const owner = 'services.k8s.aws/owner-account-id';
const gate = '--feature-gates=TeamLevelCARM=true';
const inNamespace = (namespace: string) => ({ object: pod({ namespace }) });
const naming = (value: string) => ({ object: podWithEnv([{ name: 'AWS_ROLE_ARN', value }]) });
const deniedResource = { endpoint: 'validate', outcome: 'denied' } as const;

const accountIds: readonly Row[] = [
  {
    proves: 'an account id that lost a leading zero: the digits are counted, and quotes are named',
    review: inNamespace('lost-zero'),
    reason: 'InvalidAccountId',
    outcome: 'denied',
    says: [
      '"11122223333", which has 11 digits instead of 12',
      'write it in quotes: as a bare number it loses a leading zero',
      `${owner}=ACCOUNT_ID`,
    ],
    neverSays: [gate, 'team-id'],
  },
  {
    proves: 'an account id that a template made a float of: quotes are named',
    review: inNamespace('float-id'),
    reason: 'InvalidAccountId',
    outcome: 'denied',
    says: ['"1.11122223333e+11", which is a number in scientific notation', 'write it in quotes'],
  },
  {
    proves: 'an account id with white space at its start or end: said so, and the command has it right',
    review: inNamespace('spaced-id'),
    reason: 'InvalidAccountId',
    outcome: 'denied',
    says: ['" 111111111111", which starts or ends with white space', `${owner}=${account} (InvalidAccountId)`],
  },
  {
    proves: 'an account id with dashes, as the AWS console shows it: the command has it right',
    review: inNamespace('dashed-id'),
    reason: 'InvalidAccountId',
    outcome: 'denied',
    says: ['without spaces and dashes', `${owner}=${account} (InvalidAccountId)`],
  },
  {
    proves: 'a role ARN in place of an account id: the command has the account of it',
    review: inNamespace('arn-id'),
    reason: 'InvalidAccountId',
    outcome: 'denied',
    says: ['which is a role ARN', `${owner}=${account} (InvalidAccountId)`],
  },
  {
    proves: 'who binds by a name is offered team ids, and the gate that they need',
    review: inNamespace('named-id'),
    reason: 'InvalidAccountId',
    outcome: 'denied',
    says: ['"payments"', 'to bind by a name, use services.k8s.aws/team-id', gate],
    neverSays: ['quotes'],
  },
  {
    proves: 'who binds by a name is offered team ids alone where the gate is on',
    server: 'teams',
    review: inNamespace('named-id'),
    reason: 'InvalidAccountId',
    outcome: 'denied',
    says: ['to bind by a name, use services.k8s.aws/team-id)'],
    neverSays: ['TeamLevelCARM'],
  },
  {
    proves: 'a team id with white space at its start or end: said so, and the command has it right',
    server: 'teams',
    review: inNamespace('team-spaced'),
    reason: 'InvalidTeamId',
    outcome: 'denied',
    says: [
      '"platform\\u000a", which starts or ends with white space',
      'services.k8s.aws/team-id=platform (InvalidTeamId)',
    ],
  },
  {
    proves: 'a name as a key of the account map: the team map is named',
    endpoint: 'validate',
    review: mapReview(undefined, configMap('ack-role-account-map', { payments: `arn:aws:iam::${account}:role/a` })),
    reason: 'InvalidAccountId',
    outcome: 'denied',
    says: ['key "payments"', 'names of teams belong in ConfigMap ack-system/ack-role-team-map'],
  },
];

const bindings: readonly Row[] = [
  {
    proves: 'a namespace that has a team id alone: it is named, and the gate that would make it bind',
    review: inNamespace('team-only'),
    reason: 'NamespaceNotBound',
    outcome: 'denied',
    says: [
      'its services.k8s.aws/team-id "platform" needs the feature gate TeamLevelCARM',
      gate,
      'or bind it, unless the namespace has ACK resources of another account: kubectl',
    ],
  },
  {
    ...deniedResource,
    proves: 'a resource in a namespace that has a team id alone: gate and flag are named',
    server: 'unbound-denied',
    review: created('Bucket', { namespace: 'free-team' }),
    reason: 'NamespaceNotBound',
    says: ['"platform" needs the feature gate', gate, 'allow such resources with --unbound-resources'],
  },
  {
    ...deniedResource,
    proves: 'a resource in a labelled namespace without a binding: no flag would allow it, so none is named',
    server: 'unbound-denied',
    review: created('Bucket', { namespace: 'unbound' }),
    reason: 'NamespaceNotBound',
    neverSays: ['--unbound-resources', '--feature-gates'],
  },
  {
    proves: 'a map that is missing: the flag by which it is looked for elsewhere is named',
    review: inNamespace('shop'),
    server: 'no-maps',
    reason: 'AccountMapMissing',
    outcome: 'denied',
    says: ['ConfigMap elsewhere/ack-role-account-map', '--ack-system-namespace', 'kubectl create configmap'],
  },
  {
    proves: 'an account whose role ACK works with, and no other: why it does not count is said',
    server: 'strict',
    review: inNamespace('shared'),
    reason: 'AccountNotMapped',
    outcome: 'denied',
    says: ['no value under "pods.555555555555", and with --require-pods-key pods take no other', 'kubectl patch'],
  },
  {
    proves: 'a role ARN of the map with white space at its start or end is said to be just that',
    review: inNamespace('spaced-arn'),
    reason: 'InvalidRoleArn',
    outcome: 'denied',
    says: ['which starts or ends with white space'],
  },
];

const roles: readonly Row[] = [
  {
    proves: 'a role in another account: the account and the flag are named',
    review: naming(foreignRole),
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    says: ['your platform team can allow account 999999999999 with --source-accounts'],
  },
  {
    proves: 'a requested role in another account: the account and the flag are named',
    review: { object: pod({ serviceAccountName: 'foreign-wish' }) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    says: ['your platform team can allow account 999999999999 with --source-accounts'],
  },
  {
    proves: 'a value that is no role ARN is said to be none, and no flag is named: none would allow it',
    review: naming('reader'),
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    says: ['"reader", which is not a role ARN (arn:'],
    neverSays: ['--source-accounts'],
  },
  {
    proves: 'a role in another partition: no flag is named',
    review: naming(`arn:aws-cn:iam::${account}:role/pods`),
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    says: [`account ${account} in partition aws`],
    neverSays: ['--source-accounts'],
  },
];

const guarded: readonly Row[] = [
  {
    ...deniedResource,
    proves: 'a finalizer that a restored backup has: the flags for restores and for controllers are named',
    review: created('Bucket', { finalizers: ['finalizers.s3.services.k8s.aws/Bucket'] }),
    reason: 'ForgedFinalizer',
    says: ['Velero', '--restore-identities', '--ack-identities'],
  },
  {
    ...deniedResource,
    proves: 'an annotation that a restored backup has: the flags for restores and for controllers are named',
    review: created('Bucket', { annotations: { 'services.k8s.aws/adopted': 'true' } }),
    reason: 'ForgedAnnotation',
    says: ['Velero', '--restore-identities', '--ack-identities'],
  },
  {
    ...deniedResource,
    proves: 'a reference to another namespace: the flag with the very pair is named',
    review: created('FieldExport', { spec: { to: { kind: 'configmap', name: 'x', namespace: 'shared' } } }),
    reason: 'CrossNamespaceReference',
    says: ['"spec.to.namespace" names namespace "shared"', '--cross-namespace-references=shop:shared)'],
  },
  {
    ...deniedResource,
    proves: 'a reference to a namespace that cannot be: no pair of the flag holds what users wrote',
    review: created('FieldExport', { spec: { to: { kind: 'configmap', name: 'x', namespace: '$(reboot)' } } }),
    reason: 'CrossNamespaceReference',
    says: ['with --cross-namespace-references)'],
  },
];

export const wayOutRows: readonly Row[] = [...accountIds, ...bindings, ...roles, ...guarded];
