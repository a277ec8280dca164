import { pod } from './manifests.ts';
import { created, statusUpdated, updated } from './resources.ts';
import type { Row } from './row.ts';
import { account } from './state.ts';

/** The role of an ACK resource: denied on CREATE where it does not resolve, by the maps or by selectors. */

const validate = { endpoint: 'validate' } as const;
const denied = { ...validate, outcome: 'denied' } as const;
const checked = { ...validate, reason: 'Checked', outcome: 'allowed' } as const;
const adopted = (group: string, namespace: string) => ({ namespace, spec: { kubernetes: { group, kind: 'Bucket' } } });

const byMaps: readonly Row[] = [
  { ...checked, proves: 'a resource whose role resolves is allowed', review: created('Bucket'), accountId: account },
  {
    ...denied,
    proves: 'a resource of an account that is not mapped is denied',
    review: created('Bucket', { namespace: 'unmapped' }),
    reason: 'AccountNotMapped',
    says: ['Bucket "things" in namespace "unmapped"', 'Ask your platform team to', '999999999990'],
  },
  {
    ...denied,
    proves: 'a resource with generateName is denied, and named by it',
    review: created('Bucket', { namespace: 'unmapped', name: '', metadata: { generateName: 'logs-' } }),
    reason: 'AccountNotMapped',
    says: ['Bucket "logs-*" in namespace "unmapped"'],
  },
  {
    ...denied,
    proves: 'a resource by an older API version is denied like the newest',
    review: created('OldBucket', { namespace: 'unmapped' }),
    reason: 'AccountNotMapped',
  },
  {
    ...denied,
    proves: 'a dry run of a resource gets the same answer',
    review: created('Bucket', { namespace: 'unmapped' }, { dryRun: true }),
    reason: 'AccountNotMapped',
  },
  {
    ...checked,
    proves: 'an UPDATE of a resource that changes nothing judged is allowed, though its role does not resolve',
    review: updated('Bucket', { namespace: 'unmapped' }, { spec: { name: 'things', versioning: {} } }),
  },
  {
    ...denied,
    proves: 'a resource takes no key of pods',
    review: created('Bucket', { namespace: 'govcloud' }),
    reason: 'AccountNotMapped',
  },
  {
    ...denied,
    proves: 'a resource of a namespace whose map entry is empty is denied',
    review: created('Bucket', { namespace: 'empty-values' }),
    reason: 'AccountNotMapped',
  },
  {
    ...denied,
    proves: 'a resource of a namespace whose map entry is garbage is denied',
    review: created('Bucket', { namespace: 'garbage-arn' }),
    reason: 'InvalidRoleArn',
  },
  {
    ...denied,
    proves: 'a resource of a namespace whose account id is none is denied',
    review: created('Bucket', { namespace: 'short-id' }),
    reason: 'InvalidAccountId',
  },
  {
    ...denied,
    proves: 'a resource of a namespace that does not exist is denied',
    review: created('Bucket', { namespace: 'nowhere' }),
    reason: 'NamespaceNotFound',
  },
  {
    ...denied,
    server: 'no-maps',
    proves: 'a resource is denied where there is no account map',
    review: created('Bucket'),
    reason: 'AccountMapMissing',
    says: ['elsewhere/ack-role-account-map'],
  },
  {
    ...denied,
    server: 'no-maps',
    proves: 'a resource is denied where there is no team map',
    review: created('Bucket', { namespace: 'team-only' }),
    reason: 'TeamMapMissing',
  },
  {
    ...denied,
    server: 'teams',
    proves: 'a team id with a dot reaches no service-level key by a resource either',
    review: created('Bucket', { namespace: 'team-dot' }),
    reason: 'InvalidTeamId',
  },
  {
    ...denied,
    server: 'teams',
    proves: 'a resource of a team that is not mapped is denied',
    review: created('Bucket', { namespace: 'team-unmapped' }),
    reason: 'TeamNotMapped',
  },
  {
    ...checked,
    server: 'services-and-teams',
    proves: 'the account of a team is that of the role under its service-level key',
    review: created('Bucket', { namespace: 'team-bucket' }),
    accountId: '464646464646',
  },
  {
    ...checked,
    server: 'teams',
    proves: 'without ServiceLevelCARM the account of a team is that of its own key',
    review: created('Bucket', { namespace: 'team-bucket' }),
    accountId: '454545454545',
  },
  {
    ...denied,
    proves: 'without ServiceLevelCARM a service-level key is no key',
    review: created('Bucket', { namespace: 'service-only' }),
    reason: 'AccountNotMapped',
  },
  {
    ...checked,
    server: 'services',
    proves: 'with ServiceLevelCARM a service-level key alone is enough',
    review: created('Bucket', { namespace: 'service-only' }),
    accountId: '131313131313',
  },
  {
    ...denied,
    server: 'services',
    proves: "another service's key is no key",
    review: created('Queue', { namespace: 'service-only' }),
    reason: 'AccountNotMapped',
    says: ['sqs.131313131313'],
  },
  {
    ...checked,
    server: 'services',
    proves: 'an empty service-level key falls back to the account',
    review: created('Bucket', { namespace: 'empty-service' }),
    accountId: '141414141414',
  },
  {
    ...checked,
    server: 'systems',
    proves: 'a service takes the map of the ACK system namespace that serves it',
    review: created('Role'),
    accountId: account,
  },
  {
    ...denied,
    server: 'systems',
    proves: 'an entry in the map of another ACK system namespace does not count',
    review: created('Role', { namespace: 'service-level' }),
    reason: 'AccountNotMapped',
    says: ['ack-iam/ack-role-account-map'],
  },
  {
    ...checked,
    proves: 'a FieldExport needs no role',
    review: created('FieldExport', { namespace: 'unmapped', spec: { to: { name: 'out', kind: 'configmap' } } }),
  },
  {
    ...denied,
    proves: 'an AdoptedResource needs the role of what it adopts',
    review: created('AdoptedResource', adopted('s3.services.k8s.aws', 'unmapped')),
    reason: 'AccountNotMapped',
  },
  {
    ...denied,
    proves: 'an AdoptedResource that turns to a service by UPDATE needs the role then',
    review: updated('AdoptedResource', adopted('none', 'unbound'), adopted('s3.services.k8s.aws', 'unbound')),
    reason: 'NamespaceNotBound',
  },
  {
    ...denied,
    proves: 'an AdoptedResource that turns to another service by UPDATE needs the role then',
    review: updated('AdoptedResource', adopted('x', 'unmapped'), adopted('s3.services.k8s.aws', 'unmapped')),
    reason: 'AccountNotMapped',
  },
];

const unbound: readonly Row[] = [
  {
    ...validate,
    proves: 'a resource in a namespace that is not bound is warned of by default',
    review: created('Bucket', { namespace: 'free' }),
    reason: 'NamespaceNotBound',
    outcome: 'warned',
    says: ["controllers' own"],
  },
  {
    ...denied,
    server: 'unbound-denied',
    proves: '--unbound-resources=deny denies it',
    review: created('Bucket', { namespace: 'free' }),
    reason: 'NamespaceNotBound',
  },
  ...(['free-warn', 'free-audit'] as const).map(
    (namespace): Row => ({
      endpoint: 'validate',
      server: 'unbound-denied',
      proves: `nor by another mistake that it softens: ${namespace}`,
      review: created('Bucket', { namespace, annotations: { 'services.k8s.aws/region': 'nowhere' } }),
      reason: 'NamespaceNotBound',
      outcome: 'denied',
    }),
  ),
  ...(['free-warn', 'free-audit'] as const).map(
    (namespace): Row => ({
      ...denied,
      server: 'unbound-denied',
      proves: `the mode label does not soften --unbound-resources=deny: ${namespace}`,
      review: created('Bucket', { namespace }),
      reason: 'NamespaceNotBound',
    }),
  ),
  ...(['plain', 'unbound-denied', 'unbound-allowed'] as const).map(
    (server): Row => ({
      ...denied,
      server,
      proves: `the mode label does not soften it for a namespace that must be bound: ${server}`,
      review: created('Bucket', { namespace: 'unbound-warn' }),
      reason: 'NamespaceNotBound',
    }),
  ),
  {
    ...validate,
    server: 'unbound-denied-warning',
    proves: '--default-mode softens --unbound-resources=deny',
    review: created('Bucket', { namespace: 'free' }),
    reason: 'NamespaceNotBound',
    outcome: 'warned',
  },
  {
    ...denied,
    server: 'unbound-denied-warning',
    proves: 'a namespace may be stricter than the default mode with --unbound-resources=deny',
    review: created('Bucket', { namespace: 'free-enforce' }),
    reason: 'NamespaceNotBound',
  },
  {
    endpoint: 'mutate',
    server: 'unbound-denied-warning',
    proves: 'what --default-mode lets pass in an unbound namespace is left as it is',
    review: created('Bucket', { namespace: 'free-regional' }),
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    ...validate,
    proves: 'a namespace of mode audit is not warned of being unbound',
    review: created('Bucket', { namespace: 'free-audit' }),
    reason: 'NamespaceNotBound',
    outcome: 'audited',
  },
  {
    endpoint: 'mutate',
    proves: 'a pod follows the mode label in a namespace that must be bound',
    review: { object: pod({ namespace: 'unbound-warn' }) },
    reason: 'NamespaceNotBound',
    outcome: 'warned',
  },
  {
    ...checked,
    server: 'unbound-allowed',
    proves: '--unbound-resources=allow says nothing',
    review: created('Bucket', { namespace: 'free' }),
  },
  ...(['plain', 'unbound-denied', 'unbound-allowed'] as const).map(
    (server): Row => ({
      ...denied,
      server,
      proves: `a namespace labelled enabled must be bound for resources, whatever the flag: ${server}`,
      review: created('Bucket', { namespace: 'unbound' }),
      reason: 'NamespaceNotBound',
      says: ['kubectl annotate namespace unbound services.k8s.aws/owner-account-id=ACCOUNT_ID'],
    }),
  ),
  {
    ...denied,
    proves: 'with TeamLevelCARM off a team id alone binds no resource',
    review: created('Bucket', { namespace: 'team-only' }),
    reason: 'NamespaceNotBound',
  },
  {
    ...checked,
    server: 'unbound-denied',
    proves: 'an UPDATE of a resource in an unbound namespace is not judged by it',
    review: updated('Bucket', { namespace: 'free' }, { spec: { name: 'others' } }),
  },
  {
    ...checked,
    server: 'unbound-denied',
    proves: 'a FieldExport in an unbound namespace is no matter of accounts',
    review: created('FieldExport', { namespace: 'free', spec: {} }),
  },
  {
    ...denied,
    server: 'unbound-denied',
    proves: 'an opted-out namespace opts its pods out, not its resources',
    review: created('Bucket', { namespace: 'opted-out', annotations: { 'services.k8s.aws/adoption-policy': 'Adopt' } }),
    reason: 'InvalidAnnotation',
  },
  ...['kube-system', 'kube-public', 'kube-node-lease'].map(
    (namespace): Row => ({
      ...validate,
      server: 'unbound-denied',
      proves: `a resource in ${namespace}, whose binding ACK ignores, is not ours`,
      review: created('Bucket', { namespace }),
      reason: 'NamespaceNotManaged',
      outcome: 'allowed',
    }),
  ),
];

const inNamespace = (namespace: string, labels?: Readonly<Record<string, string>>) => ({
  namespace,
  ...(labels === undefined ? {} : { labels }),
});
const inBlue = { ownerAccountID: '212121212121', region: 'eu-central-1' };
const selectors = { ...denied, server: 'selectors' } as const;
const selected = { ...checked, server: 'selectors' } as const;

const bySelectors: readonly Row[] = [
  {
    ...selected,
    proves: 'the one selector that matches gives the account',
    review: created('Bucket', inNamespace('sel-one', { pick: 'one' })),
    accountId: '151515151515',
  },
  {
    ...selectors,
    proves: 'no selector that matches: denied, for ACK would fall back to its own account',
    review: created('Bucket', inNamespace('sel-one')),
    reason: 'SelectorNotMatched',
    says: ['Bucket "things" in namespace "sel-one"', 'Ask your platform team to'],
  },
  ...(['kube-public', 'kube-node-lease'] as const).flatMap((namespace): Row[] => [
    {
      ...selectors,
      proves: `by selectors ACK does not ignore ${namespace}, so its resources are judged`,
      review: created('Bucket', { namespace }),
      reason: 'SelectorNotMatched',
    },
    {
      ...selectors,
      proves: `by selectors a status in ${namespace} is guarded`,
      review: statusUpdated('Bucket', { namespace }, { ack: inBlue }),
      reason: 'ForgedStatus',
    },
    {
      ...selected,
      proves: `a selector that matches in ${namespace} gives the account`,
      review: created('Queue', { namespace }),
      accountId: '282828282828',
    },
  ]),
  {
    ...validate,
    server: 'selectors',
    proves: 'a resource in kube-system is not ours by selectors either',
    review: created('Bucket', { namespace: 'kube-system' }),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    ...selectors,
    proves: 'matching is case-sensitive',
    review: created('Bucket', inNamespace('sel-one', { pick: 'One' })),
    reason: 'SelectorNotMatched',
  },
  {
    ...selectors,
    proves: 'more than one selector: denied, naming them, though they name the same role',
    review: created('Bucket', inNamespace('sel-two')),
    reason: 'SelectorConflict',
    says: ['"two-a"', '"two-b"'],
    neverSays: ['"one"'],
  },
  {
    ...selected,
    proves: 'a selector of another type does not count',
    review: created('Queue', inNamespace('sel-two')),
    accountId: '161616161616',
  },
  {
    ...selected,
    proves: 'group, version and kind all match',
    review: created('Bucket', inNamespace('sel-typed')),
    accountId: '171717171717',
  },
  {
    ...selectors,
    proves: 'another version is not matched',
    review: created('OldBucket', inNamespace('sel-typed')),
    reason: 'SelectorNotMatched',
  },
  {
    ...selected,
    proves: 'labels of the namespace match',
    review: created('Queue', inNamespace('sel-label')),
    accountId: '181818181818',
  },
  {
    ...selectors,
    proves: 'a selector that ACK leaves out does not count',
    review: created('Bucket', inNamespace('sel-none')),
    reason: 'SelectorNotMatched',
  },
  {
    ...selectors,
    proves: 'with IAMRoleSelector a binding by the maps is none',
    review: created('Bucket'),
    reason: 'SelectorNotMatched',
  },
  ...(['sel-warn', 'sel-audit'] as const).flatMap((namespace): Row[] => [
    {
      ...selectors,
      proves: `the mode label does not soften SelectorNotMatched: ${namespace}`,
      review: created('Bucket', inNamespace(namespace)),
      reason: 'SelectorNotMatched',
    },
    {
      ...selectors,
      proves: `the mode label does not soften SelectorNotMatched on UPDATE: ${namespace}`,
      review: updated('Bucket', inNamespace(namespace), { spec: { name: 'others' } }),
      reason: 'SelectorNotMatched',
    },
  ]),
  {
    ...validate,
    server: 'selectors-warning',
    proves: '--default-mode softens SelectorNotMatched',
    review: created('Bucket', inNamespace('sel-none')),
    reason: 'SelectorNotMatched',
    outcome: 'warned',
  },
  {
    ...validate,
    server: 'selectors-warning',
    proves: 'where --default-mode softens SelectorNotMatched, the label chooses how',
    review: created('Bucket', inNamespace('sel-audit')),
    reason: 'SelectorNotMatched',
    outcome: 'audited',
  },
  {
    ...validate,
    server: 'selectors',
    proves: 'the mode label softens what two selectors match: ACK stops there',
    review: created('Bucket', inNamespace('sel-two-warn')),
    reason: 'SelectorConflict',
    outcome: 'warned',
  },
  {
    ...selected,
    proves: 'with IAMRoleSelector a FieldExport needs no selector',
    review: created('FieldExport', { namespace: 'sel-none', spec: {} }),
  },
  {
    ...selectors,
    proves: 'no match is denied on an UPDATE of the spec too',
    review: updated('Bucket', inNamespace('sel-none'), { spec: { name: 'others' } }),
    reason: 'SelectorNotMatched',
  },
  {
    ...selected,
    proves: 'an UPDATE of annotations alone is not judged by selectors',
    review: updated('Bucket', inNamespace('sel-none'), { annotations: { note: 'x' } }),
  },
  {
    ...selectors,
    proves: 'a label change that leaves every selector is denied',
    review: updated('Bucket', inNamespace('sel-one', { pick: 'one' }), { labels: {} }),
    reason: 'SelectorNotMatched',
  },
  {
    ...selectors,
    proves: "a label change into another account's selector is denied",
    review: updated(
      'Bucket',
      { ...inNamespace('sel-rebind', { color: 'blue' }), ack: inBlue },
      { labels: { color: 'green' }, ack: inBlue },
    ),
    reason: 'RebindWithResources',
    says: ['"green"', '232323232323', '212121212121', 'To fix this'],
  },
  {
    ...selected,
    proves: 'a label change into another selector of the same account is allowed',
    review: updated(
      'Bucket',
      { ...inNamespace('sel-rebind', { color: 'blue' }), ack: inBlue },
      { labels: { color: 'azure' }, ack: inBlue },
    ),
    accountId: '212121212121',
  },
  {
    ...selected,
    proves: 'a resource that ACK has not taken up may still change its selector',
    review: updated('Bucket', inNamespace('sel-rebind', { color: 'blue' }), { labels: { color: 'green' } }),
    accountId: '232323232323',
  },
  {
    ...selected,
    proves: 'the account in a status that the user sends counts for nothing',
    review: updated(
      'Bucket',
      { ...inNamespace('sel-rebind', { color: 'blue' }) },
      { labels: { color: 'green' }, ack: inBlue },
    ),
    accountId: '232323232323',
  },
  {
    ...selected,
    proves: 'labels that stay are not judged, though the resource is in another account',
    review: updated(
      'Bucket',
      { ...inNamespace('sel-rebind', { color: 'green' }), ack: inBlue },
      { labels: { color: 'green' }, annotations: { note: 'x' }, ack: inBlue },
    ),
  },
  {
    ...selectors,
    proves: "a region of another partition than the selector's role is denied",
    review: created('Bucket', inNamespace('sel-china')),
    reason: 'InvalidRegion',
    says: ['aws-cn'],
  },
];

export const resourceRoleRows: readonly Row[] = [...byMaps, ...unbound, ...bySelectors];
