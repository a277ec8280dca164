import {
  ackResource,
  ackStatus,
  adoptedResourceKind,
  bucket,
  bucketKind,
  databaseKind,
  fieldExport,
  podIdentityAssociationKind,
  roleSelector,
  securityGroupKind,
} from './ack-crds.ts';
import { boundNamespace, type Metadata, namespace, ownerAnnotation, roleMap } from './cluster-objects.ts';
import { mapPatch } from './patch-arguments.ts';

export const account = '111122223333';
const foreign = '999999999999';
const unmapped = '444455556666';
const team = 'services.k8s.aws/team-id';
const region = 'eu-central-1';
const roleOf = (accountId: string): string => `arn:aws:iam::${accountId}:role/ack`;

/** Written past the webhook: something right, and each kind of wrong. */
export const accountMap = {
  [account]: roleOf(account),
  '222222222222': 'role/shop\nWarning: all is well',
  '333333333333': roleOf(foreign),
};
export const teamMap = { payments: roleOf(account) };

/** One denial, as it is met at the command line. */
export interface AckDenialCase {
  readonly what: string;
  readonly reason: string;
  /** Made before, past the webhook. */
  readonly given?: (name: string) => readonly object[];
  /** The namespace is deleted before, and stays in deletion: nobody is there to empty it. */
  readonly inDeletion?: boolean;
  /** The status that ACK has given to the Bucket `assets`. */
  readonly status?: object;
  /** What is applied, and denied; `name` is that of a fresh namespace. */
  readonly apply?: (name: string) => object;
  /** Arguments of another command of kubectl than apply. */
  readonly command?: (name: string) => readonly string[];
}

const annotated = (annotations: Readonly<Record<string, string>>): Metadata => ({ annotations });
const shop = (name: string) => [boundNamespace(name, account)];
/** What is made past the webhook has no label of its making. */
const labelledShop = (name: string) => [
  boundNamespace(name, account, { labels: { 'carm-webhook.dev/inject': 'enabled' } }),
];
const shopWithBucket = (name: string) => [...shop(name), bucket(name, 'assets')];
const plainBucket = (name: string) => bucket(name, 'assets');

/** Denials of resources for want of a map. */
export const withoutMaps: readonly AckDenialCase[] = [
  { what: 'no account map', reason: 'AccountMapMissing', given: shop, apply: plainBucket },
  {
    what: 'no team map',
    reason: 'TeamMapMissing',
    given: name => [namespace(name, annotated({ [team]: 'payments' }))],
    apply: plainBucket,
  },
];

function inNamespace(what: string, reason: string, metadata: Metadata): AckDenialCase {
  return { what, reason, given: name => [namespace(name, metadata)], apply: plainBucket };
}

const roles: readonly AckDenialCase[] = [
  inNamespace('a labelled namespace without a binding', 'NamespaceNotBound', {
    labels: { 'carm-webhook.dev/inject': 'enabled' },
  }),
  inNamespace('an account id that is none', 'InvalidAccountId', annotated({ [ownerAnnotation]: 's3.111122223333' })),
  inNamespace('a team id with a dot', 'InvalidTeamId', annotated({ [team]: 's3.payments' })),
  inNamespace('an account that is not mapped', 'AccountNotMapped', annotated({ [ownerAnnotation]: unmapped })),
  inNamespace('a team that is not mapped', 'TeamNotMapped', annotated({ [team]: 'orders' })),
  inNamespace('a map value that is no role', 'InvalidRoleArn', annotated({ [ownerAnnotation]: '222222222222' })),
  inNamespace('a role of another account', 'AccountMismatch', annotated({ [ownerAnnotation]: '333333333333' })),
];

/** A Bucket with these annotations. */
function ofBucket(what: string, reason: string, annotations: Readonly<Record<string, string>>): AckDenialCase {
  return { what, reason, given: shop, apply: name => bucket(name, 'assets', { annotations }) };
}

const resources: readonly AckDenialCase[] = [
  ofBucket('another account on the resource', 'AccountMismatch', { [ownerAnnotation]: foreign }),
  ofBucket('no region', 'InvalidRegion', { 'services.k8s.aws/region': 'Frankfurt' }),
  ofBucket('a region of another partition', 'InvalidRegion', { 'services.k8s.aws/region': 'cn-north-1' }),
  {
    what: "a namespace's default region that is none",
    reason: 'InvalidRegion',
    given: name => [boundNamespace(name, account, annotated({ 'services.k8s.aws/default-region': 'Frankfurt' }))],
    apply: plainBucket,
  },
  {
    what: 'another region for a resource that exists',
    reason: 'RegionChange',
    given: shopWithBucket,
    status: ackStatus(account, region),
    apply: name => bucket(name, 'assets', annotated({ 'services.k8s.aws/region': 'us-east-1' })),
  },
  ofBucket('an adoption policy', 'InvalidAnnotation', { 'services.k8s.aws/adoption-policy': 'adopt-only' }),
  ofBucket('adoption fields', 'InvalidAnnotation', { 'services.k8s.aws/adoption-fields': '{"name":1}' }),
  ofBucket('adoption of nothing', 'InvalidAnnotation', { 'services.k8s.aws/adoption-policy': 'adopt' }),
  ofBucket('read-only', 'InvalidAnnotation', { 'services.k8s.aws/read-only': 'yes' }),
  ofBucket('a deletion policy', 'InvalidAnnotation', { 'services.k8s.aws/deletion-policy': 'Delete' }),
  ofBucket('adopted', 'ForgedAnnotation', { 'services.k8s.aws/adopted': 'true' }),
  {
    what: 'a finalizer',
    reason: 'ForgedFinalizer',
    given: shop,
    apply: name => bucket(name, 'assets', { finalizers: ['finalizers.s3.services.k8s.aws/Bucket'] }),
  },
  {
    what: 'the account in the status',
    reason: 'ForgedStatus',
    given: shopWithBucket,
    command: name => {
      const status = JSON.stringify({ status: ackStatus(foreign, region) });
      return ['patch', 'bucket', 'assets', '-n', name, '--subresource=status', '--type=merge', '-p', status];
    },
  },
  {
    what: 'a FieldExport',
    reason: 'CrossNamespaceReference',
    given: shop,
    apply: name =>
      fieldExport(name, 'steal', { kind: 'configmap', name: 'ack-role-account-map', namespace: 'ack-system' }),
  },
  {
    what: 'a Secret',
    reason: 'CrossNamespaceReference',
    given: shop,
    apply: name => {
      const masterUserPassword = { namespace: 'payroll', name: 'database', key: 'password' };
      return ackResource(databaseKind, name, 'ledger', {}, { masterUserPassword });
    },
  },
  {
    what: 'a resource',
    reason: 'CrossNamespaceReference',
    given: shop,
    apply: name => {
      const vpcRef = { from: { name: 'main', namespace: 'payroll' } };
      return ackResource(securityGroupKind, name, 'web', {}, { vpcRef });
    },
  },
  {
    what: 'an AdoptedResource',
    reason: 'CrossNamespaceReference',
    given: shop,
    apply: name => {
      const metadata = { name: 'payroll', namespace: 'payroll' };
      const spec = { aws: { nameOrID: 'payroll' }, kubernetes: { group: bucketKind.group, kind: 'Bucket', metadata } };
      return ackResource(adoptedResourceKind, name, 'payroll', {}, spec);
    },
  },
];

/** An association as ACK's users write it. https://github.com/aws-controllers-k8s/eks-controller/blob/main/config/crd/bases/eks.services.k8s.aws_podidentityassociations.yaml */
const association = (name: string, fields: object): object =>
  ackResource(
    podIdentityAssociationKind,
    name,
    'web',
    {},
    {
      clusterName: 'main',
      namespace: name,
      serviceAccount: 'web',
      roleARN: `arn:aws:iam::${account}:role/web`,
      ...fields,
    },
  );

const grants: readonly AckDenialCase[] = [
  {
    what: 'a role for pods of another namespace',
    reason: 'RoleGrantNotAllowed',
    given: shop,
    apply: name => association(name, { namespace: 'payroll' }),
  },
  {
    what: 'an association that turns to another namespace',
    reason: 'RoleGrantNotAllowed',
    given: name => [...shop(name), association(name, {})],
    apply: name => association(name, { namespace: 'payroll' }),
  },
  {
    what: 'a role in another account',
    reason: 'RoleGrantNotAllowed',
    given: shop,
    apply: name => association(name, { roleARN: roleOf(foreign) }),
  },
  {
    what: 'a target role for a namespace of mode audit that is bound to nothing',
    reason: 'RoleGrantNotAllowed',
    given: name => [namespace(name, { labels: { 'carm-webhook.dev/mode': 'audit' } })],
    apply: name => association(name, { targetRoleARN: roleOf(foreign) }),
  },
  {
    what: 'a role by reference to another namespace',
    reason: 'CrossNamespaceReference',
    given: shop,
    apply: name => association(name, { roleARN: undefined, roleRef: { from: { name: 'web', namespace: 'payroll' } } }),
  },
];

const edit = (data: object, map?: string) => (): readonly string[] => mapPatch(data, map);

const guards: readonly AckDenialCase[] = [
  { what: 'a value of the map', reason: 'InvalidRoleArn', command: edit({ [unmapped]: 'role/shop' }) },
  { what: 'a role under the wrong key', reason: 'AccountMismatch', command: edit({ [unmapped]: roleOf(account) }) },
  { what: 'a key of the account map', reason: 'InvalidAccountId', command: edit({ '1402433619': roleOf(account) }) },
  {
    what: 'a key of the team map',
    reason: 'InvalidTeamId',
    command: edit({ 's3.pay.ments': roleOf(account) }, 'ack-role-team-map'),
  },
  {
    what: 'a used entry',
    reason: 'MappingInUse',
    given: name => [boundNamespace(name, '555566667777')],
    command: edit({ '555566667777': null }),
  },
  ...(
    [
      ['a binding to another account', [`${ownerAnnotation}=${foreign}`]],
      ['a team that is not mapped', [`${team}=nobody`]],
      ['a binding that is no account', [`${ownerAnnotation}=payments`]],
    ] as const
  ).map(
    ([what, annotations]): AckDenialCase => ({
      what: `${what}, with resources`,
      reason: 'RebindWithResources',
      given: shopWithBucket,
      status: ackStatus(account, region),
      command: name => ['annotate', '--overwrite', 'namespace', name, ...annotations],
    }),
  ),
  {
    what: 'a binding that goes, with resources in an account that is not mapped',
    reason: 'RebindWithResources',
    given: name => [boundNamespace(name, unmapped), bucket(name, 'assets')],
    status: ackStatus(unmapped, region),
    command: name => ['annotate', 'namespace', name, `${ownerAnnotation}-`],
  },
  {
    what: 'the map whole',
    reason: 'MapImmutable',
    apply: () => ({ ...roleMap(accountMap), immutable: true }),
  },
  {
    what: 'an endpoint',
    reason: 'EndpointNotAllowed',
    apply: name => namespace(name, annotated({ 'services.k8s.aws/endpoint-url': 'https://sts.evil.example' })),
  },
  {
    what: 'our label taken off a namespace in deletion',
    reason: 'InvalidLabel',
    given: labelledShop,
    inDeletion: true,
    command: name => ['label', 'namespace', name, 'carm-webhook.dev/inject-'],
  },
  {
    what: 'a namespace in deletion opted out',
    reason: 'InvalidLabel',
    given: labelledShop,
    inDeletion: true,
    command: name => ['label', '--overwrite', 'namespace', name, 'carm-webhook.dev/inject=disabled'],
  },
  {
    what: 'a label that says neither enabled nor disabled',
    reason: 'InvalidLabel',
    apply: name => namespace(name, { labels: { 'carm-webhook.dev/inject': 'false' } }),
  },
  {
    what: 'a mode that is none',
    reason: 'InvalidLabel',
    given: shop,
    command: name => ['label', 'namespace', name, 'carm-webhook.dev/mode=Warn'],
  },
  {
    what: "a controller's note that ACK would copy",
    reason: 'ForgedAnnotation',
    given: shop,
    apply: name =>
      ackResource(
        adoptedResourceKind,
        name,
        'copied',
        {},
        {
          aws: { nameOrID: 'assets' },
          kubernetes: {
            group: bucketKind.group,
            kind: 'Bucket',
            metadata: { annotations: { 'services.k8s.aws/adopted': 'true' } },
          },
        },
      ),
  },
];

/** Denials where the maps are there. */
export const withMaps: readonly AckDenialCase[] = [...roles, ...resources, ...grants, ...guards];

const gold = { labels: { tier: 'gold' } };
const selecting = (name: string, arn: string, labels?: Readonly<Record<string, string>>): object => ({
  arn,
  namespaceSelector: { names: [name] },
  ...(labels && { resourceLabelSelector: { matchLabels: labels } }),
});

/** Denials by IAMRoleSelectors. The fresh namespace gives them their names too. */
export const bySelectors: readonly AckDenialCase[] = [
  {
    what: 'a binding by someone who may edit the namespace only',
    reason: 'BindingForbidden',
    given: name => [
      namespace(name),
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'tenant', namespace: name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tenant' }],
      },
    ],
    command: name => ['annotate', 'namespace', name, `${ownerAnnotation}=${account}`, '--as=tenant'],
  },
  { what: 'no selector', reason: 'SelectorNotMatched', given: name => [namespace(name)], apply: plainBucket },
  {
    what: 'a resource that two selectors match',
    reason: 'SelectorConflict',
    given: name => [
      namespace(name),
      roleSelector(`${name}-a`, selecting(name, roleOf(account))),
      roleSelector(`${name}-b`, selecting(name, roleOf(account))),
    ],
    apply: plainBucket,
  },
  {
    what: 'a selector that overlaps with another',
    reason: 'SelectorConflict',
    given: name => [namespace(name), roleSelector(`${name}-a`, selecting(name, roleOf(account)))],
    apply: name => roleSelector(`${name}-b`, selecting(name, roleOf(account), { tier: 'gold' })),
  },
  {
    what: 'a selector that ACK would leave out',
    reason: 'InvalidSelector',
    apply: name => roleSelector(name, { arn: roleOf(account), namespaceSelector: { names: [name, name] } }),
  },
  {
    what: 'the removal of a selector that resources use',
    reason: 'SelectorInUse',
    given: name => [
      namespace(name),
      roleSelector(name, selecting(name, roleOf(account))),
      bucket(name, 'assets'),
      bucket(name, 'logs'),
    ],
    command: name => ['delete', 'iamroleselector', name],
  },
  {
    what: 'labels of another account',
    reason: 'RebindWithResources',
    given: name => [
      namespace(name),
      roleSelector(`${name}-a`, selecting(name, roleOf(account), { tier: 'gold' })),
      roleSelector(`${name}-b`, selecting(name, roleOf(foreign), { tier: 'silver' })),
      bucket(name, 'assets', gold),
    ],
    status: ackStatus(account, region),
    command: name => ['label', 'bucket', 'assets', '-n', name, 'tier=silver', '--overwrite'],
  },
  {
    what: 'a label of a namespace that a selector asks for, with resources',
    reason: 'RebindWithResources',
    given: name => [
      namespace(name, { labels: { env: name } }),
      roleSelector(name, {
        arn: roleOf(account),
        namespaceSelector: { names: [], labelSelector: { matchLabels: { env: name } } },
      }),
      bucket(name, 'assets'),
    ],
    status: ackStatus(account, region),
    command: name => ['label', 'namespace', name, 'env-'],
  },
];
