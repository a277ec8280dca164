import type { Json } from './manifests.ts';
import { created, type ResourceOptions, updated } from './resources.ts';
import type { Row } from './row.ts';
import { account, foreignRole, hostile } from './state.ts';

/** Roles that a PodIdentityAssociation would hand out to pods. */

const denied = { endpoint: 'validate', reason: 'RoleGrantNotAllowed', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;
const arn = (of: string, name = 'web') => `arn:aws:iam::${of}:role/${name}`;
const own = arn(account);
const hub = arn('123456789012', 'hub');

/** What an association says, in a namespace of its own. */
function spec(fields: Json = {}): Json {
  return { clusterName: 'main', namespace: 'shop', serviceAccount: 'web', roleARN: own, ...fields };
}

function made(fields: Json = {}, options: ResourceOptions = {}) {
  const { namespace = 'shop' } = options;
  return created('PodIdentityAssociation', { ...options, spec: spec({ namespace, ...fields }) });
}

function changed(before: Json, after: Json, options: ResourceOptions = {}) {
  return updated('PodIdentityAssociation', { ...options, spec: spec(before) }, { ...options, spec: spec(after) });
}

const inNamespaces: readonly Row[] = [
  {
    ...checked,
    proves: 'a role of the account for pods of its own namespace is allowed',
    review: made(),
    accountId: account,
  },
  ...(['team-b', 'kube-system', 'Shop', 'shop ', ''] as const).map(
    (namespace): Row => ({
      ...denied,
      proves: `a role for pods of another namespace is denied: ${JSON.stringify(namespace)}`,
      review: made({ namespace }),
      accountId: account,
      says: [
        `spec.namespace is ${JSON.stringify(namespace)}: it would give a role to pods of a namespace that is not its own`,
        'To fix this, name namespace "shop"',
      ],
    }),
  ),
  {
    ...denied,
    proves: 'a role by reference for pods of another namespace is denied',
    review: made({ namespace: 'team-b', roleARN: undefined, roleRef: { from: { name: 'web' } } }),
    says: ['--cross-namespace-references=shop:team-b'],
  },
  {
    ...denied,
    proves: 'a role for pods of another namespace is denied in a namespace of mode warn',
    review: made({ namespace: 'shop' }, { namespace: 'shop-warn' }),
  },
  {
    ...denied,
    server: 'auditing',
    proves: 'a role for pods of another namespace is denied with --default-mode=audit',
    review: made({ namespace: 'team-b' }),
  },
  {
    ...denied,
    proves: 'a role for pods of another namespace is denied where its own is bound to nothing',
    review: made({ namespace: 'shop' }, { namespace: 'free' }),
  },
  {
    ...denied,
    server: 'selectors',
    proves: 'a role for pods of another namespace is denied where selectors replace bindings',
    review: made({ namespace: 'shop' }, { namespace: 'sel-label' }),
  },
  {
    ...denied,
    proves: 'no text in the place of a namespace gets into the message as it is',
    review: made({ namespace: hostile }),
    neverSays: ['\n', '\u001b'],
  },
  {
    ...checked,
    server: 'trusting',
    proves: 'an allowed pair of namespaces may hand out roles, too',
    review: made({ namespace: 'shared', roleARN: own }),
  },
  {
    ...denied,
    server: 'trusting',
    proves: 'an allowed pair hands out roles in its direction only',
    review: made({ namespace: 'shop', roleARN: arn('555555555555') }, { namespace: 'shared' }),
  },
  {
    endpoint: 'validate',
    reason: 'CrossNamespaceReference',
    outcome: 'denied',
    proves: 'a reference to a role in another namespace is denied as every reference',
    review: made({ roleARN: undefined, roleRef: { from: { name: 'web', namespace: 'team-b' } } }),
    says: ['"spec.roleRef.from.namespace"'],
  },
  {
    ...checked,
    proves: 'a reference to a role in the namespace is allowed',
    review: made({ roleARN: undefined, roleRef: { from: { name: 'web' } } }),
  },
];

const inAccounts: readonly Row[] = [
  ...(['roleARN', 'targetRoleARN'] as const).flatMap((field): Row[] => [
    {
      ...denied,
      proves: `${field} in another account is denied`,
      review: made({ [field]: foreignRole }),
      says: [
        `spec.${field} is "${foreignRole}", which is not in account ${account} (namespace "shop")`,
        `To fix this, use a role in account ${account} (your platform team can allow account 999999999999 with --source-accounts)`,
      ],
    },
    {
      ...denied,
      proves: `${field} in another account is denied in a namespace of mode audit`,
      review: made({ [field]: foreignRole }, { namespace: 'shop-audit' }),
    },
    {
      ...checked,
      server: 'strict',
      proves: `${field} in a source account is allowed`,
      review: made({ [field]: hub }),
    },
    {
      ...denied,
      server: 'strict',
      proves: `${field} that is ACK's is denied with --require-pods-key`,
      review: made({ [field]: arn(account, 'ack-controller') }),
      says: ["is a role of ACK's controllers (ConfigMap ack-system/ack-role-account-map): --require-pods-key"],
    },
    {
      ...denied,
      server: 'strict',
      proves: `${field} that is ACK's under another path and case is denied with --require-pods-key`,
      review: made({ [field]: arn(account, 'team/ACK-Controller') }),
    },
    {
      ...denied,
      server: 'strict',
      proves: `${field} that is ACK's in a source account is denied with --require-pods-key`,
      review: made({ [field]: arn('123456789012', 'ack-hub') }),
    },
    {
      ...checked,
      proves: `${field} that is ACK's is allowed without --require-pods-key, as for pods`,
      review: made({ [field]: arn(account, 'ack-controller') }),
    },
    ...(
      [
        ['garbage', 'web'],
        ['a user', `arn:aws:iam::${account}:user/web`],
        ['an unknown partition', `arn:aws-moon:iam::${account}:role/web`],
        ['a path that we do not take', `arn:aws:iam::${account}:role/$x/web`],
        ['a blank', `${own} `],
      ] as const
    ).map(
      ([what, value]): Row => ({
        ...denied,
        proves: `${field} that is no role ARN is denied: ${what}`,
        review: made({ [field]: value }),
        says: [`spec.${field} is "${value}", which `, 'To fix this, correct it'],
      }),
    ),
    {
      ...checked,
      proves: `an empty ${field} is none`,
      review: made({ [field]: '' }),
    },
  ]),
  {
    ...checked,
    server: 'strict',
    proves: 'the role that is mapped for both pods and ACK may be handed out',
    review: made({ roleARN: arn('262626262626', 'both') }, { namespace: 'both-keys' }),
  },
  {
    ...checked,
    server: 'trusting',
    proves: 'a target role in the account of the namespace that the pods are in is allowed',
    review: made({ namespace: 'shared', targetRoleARN: arn('555555555555') }),
  },
  {
    ...denied,
    server: 'trusting',
    proves: 'a target role in its own account is denied for pods of a namespace that is bound to another one',
    review: made({ namespace: 'shared', targetRoleARN: own }),
    says: ['which is not in account 555555555555 (namespace "shared")'],
  },
  {
    ...checked,
    server: 'trusting',
    proves: 'for pods of a namespace that is not there the account of its own namespace counts',
    review: made({ namespace: 'common', targetRoleARN: own }),
  },
];

const byOtherBindings: readonly Row[] = [
  {
    ...checked,
    server: 'teams',
    proves: "a role of the team's account is allowed",
    review: made(
      { roleARN: arn('444444444444'), targetRoleARN: arn('444444444444', 'target') },
      { namespace: 'team-only' },
    ),
  },
  ...(['roleARN', 'targetRoleARN'] as const).flatMap((field): Row[] => [
    {
      ...denied,
      server: 'teams',
      proves: `${field} outside the team's account is denied`,
      review: made({ roleARN: arn('444444444444'), [field]: own }, { namespace: 'team-only' }),
      says: ['which is not in account 444444444444 (namespace "team-only")'],
    },
    {
      endpoint: 'validate',
      reason: 'TeamNotMapped',
      outcome: 'denied',
      server: 'teams',
      proves: `${field} for a team that is not mapped is denied for that, also on UPDATE`,
      review: updated(
        'PodIdentityAssociation',
        { namespace: 'team-unmapped', spec: spec({ namespace: 'team-unmapped', roleARN: undefined }) },
        { namespace: 'team-unmapped', spec: spec({ namespace: 'team-unmapped', roleARN: undefined, [field]: own }) },
      ),
    },
  ]),
  {
    ...checked,
    server: 'unbound-allowed',
    proves: "in a namespace that is bound to nothing a role is of its controllers' own account",
    review: made({ roleARN: own }, { namespace: 'free' }),
  },
  {
    ...denied,
    server: 'unbound-allowed',
    proves: 'in a namespace that is bound to nothing a target role must be in a source account',
    review: made({ roleARN: own, targetRoleARN: foreignRole }, { namespace: 'free' }),
    says: [
      'is in account 999999999999, but namespace "free" is bound to no account',
      'Ask your platform team to allow account 999999999999 with --source-accounts, or bind the namespace, unless the namespace has ACK',
    ],
  },
  {
    ...denied,
    server: 'unbound-allowed',
    proves: 'in a namespace that is bound to nothing what is no role ARN is denied too',
    review: made({ roleARN: 'web' }, { namespace: 'free' }),
  },
  {
    endpoint: 'validate',
    reason: 'NamespaceNotBound',
    outcome: 'denied',
    server: 'unbound-denied',
    proves: 'an association in a namespace that must be bound is denied for that',
    review: made({ roleARN: own }, { namespace: 'free' }),
  },
  {
    ...checked,
    server: 'selectors',
    proves: "a role of the selector's account is allowed",
    review: made({ roleARN: arn('181818181818') }, { namespace: 'sel-label' }),
  },
  {
    ...denied,
    server: 'selectors',
    proves: "a role outside the selector's account is denied",
    review: made({ roleARN: own }, { namespace: 'sel-label' }),
    says: ['which is not in account 181818181818 (namespace "sel-label")'],
  },
  {
    endpoint: 'validate',
    reason: 'SelectorNotMatched',
    outcome: 'denied',
    server: 'selectors',
    proves: 'an association that no selector matches is denied for that',
    review: made({ roleARN: own }, { namespace: 'sel-none' }),
  },
];

const changes: readonly Row[] = [
  ...(
    [
      ['the role', { roleARN: arn(account, 'other') }],
      ['the ServiceAccount', { serviceAccount: 'admin' }],
      ['the cluster', { clusterName: 'other' }],
      ['session tags, by which trust policies tell namespaces apart,', { disableSessionTags: true }],
      ['a role by reference', { roleARN: undefined, roleRef: { from: { name: 'web' } } }],
    ] as const
  ).map(
    ([what, after]): Row => ({
      ...denied,
      proves: `${what} of an old association for another namespace may not change`,
      review: changed({ namespace: 'team-b' }, { namespace: 'team-b', ...after }),
    }),
  ),
  {
    ...denied,
    proves: 'an association may not turn to another namespace',
    review: changed({}, { namespace: 'team-b' }),
  },
  {
    ...denied,
    proves: 'an association may not turn to a role in another account',
    review: changed({}, { targetRoleARN: foreignRole }),
  },
  {
    ...denied,
    proves: 'an association that is being deleted may not turn to another namespace',
    review: changed({}, { namespace: 'team-b' }, { terminating: true, finalizers: ['x/y'] }),
  },
  {
    ...checked,
    proves: 'an old association for another namespace may change its tags',
    review: changed({ namespace: 'team-b' }, { namespace: 'team-b', tags: { owner: 'a' } }),
  },
  {
    endpoint: 'validate',
    reason: 'Terminating',
    outcome: 'allowed',
    proves: 'an old association for another namespace may go',
    review: updated(
      'PodIdentityAssociation',
      { terminating: true, finalizers: ['x/y'], spec: spec({ namespace: 'team-b' }) },
      { terminating: true, spec: spec({ namespace: 'team-b' }) },
    ),
  },
  {
    ...checked,
    proves: 'an old association for another namespace may be put right',
    review: changed({ namespace: 'team-b', roleARN: foreignRole }, {}),
  },
  {
    ...checked,
    proves: 'another kind may have such fields',
    review: created('DBInstance', { spec: spec({ namespace: 'team-b', roleARN: foreignRole }) }),
  },
];

export const roleGrantRows: readonly Row[] = [...inNamespaces, ...inAccounts, ...byOtherBindings, ...changes];
