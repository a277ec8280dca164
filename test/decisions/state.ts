import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configMap, resource, roleSelector, type Strings } from './resources.ts';

/** The one cluster that every decision of the table is made in: a folder of manifests. */

export const account = '111111111111';
export const role = `arn:aws:iam::${account}:role/pods`;
export const foreignRole = 'arn:aws:iam::999999999999:role/theirs';
/** Of a ServiceAccount: too long for the name of a session with its namespace. */
export const longName = 'long-'.repeat(16).concat('name');
/** `\n`, a terminal sequence, quotes, a shell's substitution, and more than fits. */
export const hostile = `1\n2\u001b[31m"'\`$(reboot)\u2028é${'x'.repeat(100)}`;

const owner = (id: string) => ({ 'services.k8s.aws/owner-account-id': id });
const team = (id: string) => ({ 'services.k8s.aws/team-id': id });
const region = (value: string) => ({ 'services.k8s.aws/default-region': value });
const enabled = { 'carm-webhook.dev/inject': 'enabled' };
const disabled = { 'carm-webhook.dev/inject': 'disabled' };
const mode = (value: string) => ({ 'carm-webhook.dev/mode': value });

/** What users may bind, besides those of whom nobody can tell: `*` is every account and team. */
export const grants: Readonly<Record<string, readonly string[]>> = {
  platform: ['*'],
  owner: [`accounts/${account}`],
  neighbour: ['accounts/555555555555'],
  mover: [`accounts/${account}`, 'accounts/555555555555'],
  'team-lead': ['teams/platform'],
  nobody: [],
  'nobody-unsure': ['unsure'],
  'system:serviceaccount:ack-system:ack-s3-controller': [],
};

const namespaces: Readonly<Record<string, { readonly annotations?: Strings; readonly labels?: Strings }>> = {
  shop: { annotations: owner(account), labels: enabled },
  'bound-unlabelled': { annotations: owner(account) },
  regional: { annotations: { ...owner(account), ...region('eu-central-1') }, labels: enabled },
  deleting: {
    annotations: {
      ...owner(account),
      's3.services.k8s.aws/deletion-policy': 'delete',
      'sqs.services.k8s.aws/deletion-policy': 'retain',
      'rds.services.k8s.aws/deletion-policy': 'whatever it is, and however long that may be',
      'iam.services.k8s.aws/deletion-policy': '',
      'services.k8s.aws/deletion-policy': 'delete',
    },
    labels: enabled,
  },
  'bad-region': { annotations: { ...owner(account), ...region('Frankfurt') }, labels: enabled },
  'other-region': { annotations: { ...owner(account), ...region('cn-north-1') }, labels: enabled },
  china: { annotations: { ...owner('888888888888'), ...region('cn-north-1') }, labels: enabled },
  govcloud: { annotations: owner('888888888801'), labels: enabled },
  sovereign: { annotations: owner('888888888802'), labels: enabled },
  zeros: { annotations: owner('000000000012'), labels: enabled },
  shared: { annotations: owner('555555555555'), labels: enabled },
  'empty-pods-key': { annotations: owner('666666666666'), labels: enabled },
  'empty-values': { annotations: owner('777777777777'), labels: enabled },
  unmapped: { annotations: owner('999999999990'), labels: enabled },
  'unmapped-warn': { annotations: owner('999999999990'), labels: { ...enabled, ...mode('warn') } },
  'unmapped-audit': { annotations: owner('999999999990'), labels: { ...enabled, ...mode('audit') } },
  'unmapped-enforce': { annotations: owner('999999999990'), labels: { ...enabled, ...mode('enforce') } },
  'unmapped-odd-mode': { annotations: owner('999999999990'), labels: { ...enabled, ...mode('Warn') } },
  'shop-warn': { annotations: owner(account), labels: { ...enabled, ...mode('warn') } },
  'shop-audit': { annotations: owner(account), labels: { ...enabled, ...mode('audit') } },
  'garbage-arn': { annotations: owner('222222222222'), labels: enabled },
  'user-arn': { annotations: owner('222222222223'), labels: enabled },
  'unknown-partition': { annotations: owner('222222222224'), labels: enabled },
  'long-arn': { annotations: owner('222222222225'), labels: enabled },
  'spaced-arn': { annotations: owner('222222222226'), labels: enabled },
  mismatch: { annotations: owner('333333333333'), labels: enabled },
  'short-id': { annotations: owner('12345'), labels: enabled },
  'spaced-id': { annotations: owner(' 111111111111'), labels: enabled },
  'lost-zero': { annotations: owner('11122223333'), labels: enabled },
  'float-id': { annotations: owner('1.11122223333e+11'), labels: enabled },
  'dashed-id': { annotations: owner('1111-1111-1111'), labels: enabled },
  'arn-id': { annotations: owner(`arn:aws:iam::${account}:role/pods`), labels: enabled },
  'named-id': { annotations: owner('payments'), labels: enabled },
  'hostile-id': { annotations: owner(hostile), labels: enabled },
  'empty-id': { annotations: owner(''), labels: enabled },
  proto: { annotations: owner('__proto__'), labels: enabled },
  unbound: { labels: enabled },
  free: {},
  'opted-out': { annotations: owner(account), labels: disabled },
  'other-label': { labels: { 'carm-webhook.dev/inject': 'yes' } },
  keyed: { annotations: owner('252525252525'), labels: enabled },
  'both-keys': { annotations: owner('262626262626'), labels: enabled },
  'team-account': { annotations: owner('444444444444'), labels: enabled },
  'team-only': { annotations: team('platform'), labels: enabled },
  'team-and-account': { annotations: { ...team('platform'), ...owner(account) }, labels: enabled },
  'team-empty': { annotations: { ...team(''), ...owner(account) }, labels: enabled },
  'team-spaced': { annotations: team('platform\n'), labels: enabled },
  'free-team': { annotations: team('platform') },
  'team-dot': { annotations: team('s3.platform'), labels: enabled },
  'team-unmapped': { annotations: team('nobody'), labels: enabled },
  'team-broken': { annotations: team('broken'), labels: enabled },
  'team-proto': { annotations: team('__proto__'), labels: enabled },
  chained: {
    annotations: {
      ...owner(account),
      ...region('eu-central-1'),
      'carm-webhook.dev/credentials': 'chain',
      'carm-webhook.dev/hub-role-arn': 'arn:aws:iam::123456789012:role/hubs/chained',
      'carm-webhook.dev/external-id': '{account}/{namespace}:{serviceAccount}',
    },
    labels: enabled,
  },
  'chained-warn': {
    annotations: { ...owner(account), 'carm-webhook.dev/credentials': 'chain' },
    labels: { ...enabled, ...mode('warn') },
  },
  'odd-credentials': { annotations: { ...owner(account), 'carm-webhook.dev/credentials': 'irsa' }, labels: enabled },
  'by-web-identity': {
    annotations: { ...owner(account), 'carm-webhook.dev/credentials': 'web-identity' },
    labels: enabled,
  },
  a: { annotations: owner(account), labels: enabled },
  'mapped-hub': { annotations: owner('272727272727'), labels: enabled },
  'kube-system': { annotations: owner(account), labels: enabled },
  'kube-public': { annotations: owner(account), labels: enabled },
  'kube-node-lease': { annotations: owner(account), labels: enabled },
  'carm-webhook': { annotations: owner(account), labels: enabled },
  left: {},
  'left-bound': { annotations: owner(account), labels: enabled },
  'left-team': { annotations: team('platform') },
  'ack-system': {},
  'ack-iam': {},
  'free-regional-warn': { annotations: region('eu-west-1'), labels: mode('warn') },
  'free-warn': { labels: mode('warn') },
  'free-audit': { labels: mode('audit') },
  'free-enforce': { labels: mode('enforce') },
  'unbound-warn': { labels: { ...enabled, ...mode('warn') } },
  'free-regional': { annotations: region('eu-west-1') },
  'service-level': { annotations: owner('121212121212'), labels: enabled },
  'service-only': { annotations: owner('131313131313'), labels: enabled },
  'empty-service': { annotations: owner('141414141414'), labels: enabled },
  'team-bucket': { annotations: team('storage'), labels: enabled },
  'sel-one': { labels: { ...enabled, tier: 'one' } },
  'sel-two': { labels: enabled },
  'sel-typed': { labels: enabled },
  'sel-label': { labels: { ...enabled, env: 'prod' } },
  'sel-none': { labels: enabled },
  'sel-rebind': { labels: enabled },
  'sel-crossed': { labels: enabled },
  'sel-china': { annotations: region('eu-central-1'), labels: enabled },
  'sel-warn': { labels: { ...enabled, ...mode('warn') } },
  'sel-audit': { labels: { ...enabled, ...mode('audit') } },
  'sel-two-warn': { labels: { ...enabled, ...mode('warn') } },
};

export const accountMap: Strings = {
  [account]: `arn:aws:iam::${account}:role/ack-controller`,
  [`pods.${account}`]: role,
  '000000000012': 'arn:aws:iam::000000000012:role/pods',
  '555555555555': 'arn:aws:iam::555555555555:role/ack-controller',
  '666666666666': 'arn:aws:iam::666666666666:role/ack-controller',
  'pods.666666666666': '',
  '777777777777': '',
  'pods.777777777777': '',
  '222222222222': 'not a role',
  'pods.222222222223': 'arn:aws:iam::222222222223:user/jane',
  'pods.222222222224': 'arn:aws-moon:iam::222222222224:role/pods',
  'pods.222222222225': `arn:aws:iam::222222222225:role/${'p/'.repeat(1100)}x`,
  'pods.222222222226': ' arn:aws:iam::222222222226:role/pods',
  'pods.333333333333': 'arn:aws:iam::333333333334:role/pods',
  '333333333333': 'arn:aws:iam::333333333333:role/ack-controller',
  'pods.888888888888': 'arn:aws-cn:iam::888888888888:role/pods',
  'pods.888888888801': 'arn:aws-us-gov:iam::888888888801:role/team/pods',
  'pods.888888888802': 'arn:aws-eusc:iam::888888888802:role/pods',
  '888888888888': 'arn:aws-cn:iam::888888888888:role/ack-controller',
  '121212121212': 'arn:aws:iam::121212121212:role/base',
  's3.121212121212': 'arn:aws:iam::121212121212:role/s3',
  's3.131313131313': 'arn:aws:iam::131313131313:role/s3',
  '141414141414': 'arn:aws:iam::141414141414:role/base',
  's3.141414141414': '',
  '252525252525': 'arn:aws:iam::252525252525:role/keyed',
  's3.252525252525': 'arn:aws:iam::252525252525:role/keyed-s3',
  'pods.252525252525': 'arn:aws:iam::252525252525:role/pods',
  '262626262626': 'arn:aws:iam::262626262626:role/both',
  'pods.262626262626': 'arn:aws:iam::262626262626:role/both',
  'pods.272727272727': 'arn:aws:iam::272727272727:role/hub',
  '444444444444': 'arn:aws:iam::444444444444:role/ack-by-account',
  'pods.444444444444': 'arn:aws:iam::444444444444:role/pods',
  '123456789012': 'arn:aws:iam::123456789012:role/ack-hub',
  's3.989898989898': 'arn:aws:iam::989898989898:role/unused',
  '343434343434': 'arn:aws:iam::343434343434:role/ack-controller',
  'pods.343434343434': 'arn:aws:iam::343434343434:role/pods',
  's3.363636363636': 'arn:aws:iam::363636363636:role/s3',
  '373737373737': 'arn:aws:iam::373737373737:role/ack-controller',
  '383838383838': 'arn:aws:iam::383838383838:role/ack-controller',
};

/** In the ACK system namespace `ack-iam`. */
export const iamAccountMap: Strings = {
  [account]: `arn:aws:iam::${account}:role/iam-controller`,
  [`pods.${account}`]: `arn:aws:iam::${account}:role/never-looked-up`,
};

export const teamMap: Strings = {
  platform: 'arn:aws:iam::444444444444:role/ack-controller',
  'pods.platform': 'arn:aws:iam::444444444444:role/platform-pods',
  's3.platform': 'arn:aws:iam::444444444444:role/s3',
  storage: 'arn:aws:iam::454545454545:role/ack-controller',
  's3.storage': 'arn:aws:iam::464646464646:role/s3',
  broken: 'not a role',
  spare: 'arn:aws:iam::474747474747:role/ack-controller',
};

export const selectors = [
  roleSelector('one', 'arn:aws:iam::151515151515:role/one', {
    names: ['sel-one', 'sel-warn'],
    labels: { pick: 'one' },
  }),
  roleSelector('two-a', 'arn:aws:iam::161616161616:role/same', { names: ['sel-two', 'sel-two-warn'] }),
  roleSelector('two-b', 'arn:aws:iam::161616161616:role/same', {
    names: ['sel-two', 'sel-two-warn'],
    types: [{ group: 's3.services.k8s.aws', version: '', kind: '' }],
  }),
  roleSelector('typed', 'arn:aws:iam::171717171717:role/typed', {
    names: ['sel-typed'],
    types: [{ group: 's3.services.k8s.aws', version: 'v1alpha1', kind: 'Bucket' }],
  }),
  roleSelector('by-label', 'arn:aws:iam::181818181818:role/prod', { namespaceLabels: { env: 'prod' } }),
  roleSelector('left-out', 'arn:aws:iam::191919191919:role/twice', { names: ['sel-none', 'sel-none'] }),
  roleSelector('blue', 'arn:aws:iam::212121212121:role/blue', { names: ['sel-rebind'], labels: { color: 'blue' } }),
  roleSelector('green', 'arn:aws:iam::232323232323:role/green', { names: ['sel-rebind'], labels: { color: 'green' } }),
  roleSelector('azure', 'arn:aws:iam::212121212121:role/azure', { names: ['sel-rebind'], labels: { color: 'azure' } }),
  roleSelector('crossed-blue', 'arn:aws:iam::212121212121:role/blue', {
    names: ['sel-crossed'],
    labels: { color: 'blue' },
  }),
  roleSelector('dark', 'arn:aws:iam::232323232323:role/dark', { names: ['sel-crossed'], labels: { shade: 'dark' } }),
  roleSelector('system', 'arn:aws:iam::282828282828:role/system', {
    names: ['kube-public', 'kube-node-lease'],
    types: [{ group: 'sqs.services.k8s.aws', version: '', kind: '' }],
  }),
  roleSelector('china', 'arn:aws-cn:iam::242424242424:role/cn', { names: ['sel-china'] }),
] as const;

const recorded = (ownerAccountID: string, at = 'eu-central-1') => ({ ownerAccountID, region: at });

/** What the selectors above match: each uses one of them, but for what two match, or none that counts. */
const storedResources = [
  resource('Bucket', { namespace: 'sel-one', name: 'assets', labels: { pick: 'one' } }),
  resource('Bucket', { namespace: 'sel-one', name: 'picked-by-none' }),
  resource('Bucket', { namespace: 'sel-two', name: 'twice' }),
  resource('Queue', { namespace: 'sel-two', name: 'once' }),
  resource('Bucket', { namespace: 'sel-typed', name: 'typed' }),
  resource('DBInstance', { namespace: 'sel-label', name: 'ledger', terminating: true, finalizers: ['x/y'] }),
  resource('Bucket', { namespace: 'sel-none', name: 'lost' }),
  ...[1, 2, 3, 4, 5, 6, 7].map(number =>
    resource('Queue', { namespace: 'sel-rebind', name: `azure-${number}`, labels: { color: 'azure' } }),
  ),
  // In accounts that no binding leads to: ACK goes by their status where the namespace is not bound.
  resource('Queue', { namespace: 'left', name: 'behind', ack: recorded('343434343434') }),
  resource('Bucket', { namespace: 'left', name: 'by-service', ack: recorded('363636363636') }),
  resource('Queue', { namespace: 'left', name: 'by-no-key', ack: recorded('363636363636') }),
  resource('Bucket', { namespace: 'left-bound', name: 'elsewhere', ack: recorded('373737373737') }),
  resource('Role', { namespace: 'left-team', name: 'of-a-team', ack: recorded('383838383838') }),
  // Of namespaces that are only in the reviews.
  resource('Bucket', { namespace: 'taken', name: 'assets', ack: recorded(account) }),
  resource('Queue', { namespace: 'taken', name: 'orders', ack: recorded(account), terminating: true }),
  resource('Bucket', { namespace: 'taken', name: 'new' }),
  resource('Bucket', { namespace: 'taken-new', name: 'new' }),
  resource('FieldExport', { namespace: 'taken-new', name: 'not-of-a-service', ack: recorded(account) }),
  resource('Bucket', { namespace: 'taken-unmapped', name: 'archive', ack: recorded('999999999999') }),
  resource('Bucket', { namespace: 'taken-by-service', name: 'files', ack: recorded('464646464646') }),
  resource('Queue', { namespace: 'taken-by-service', name: 'jobs', ack: recorded('454545454545') }),
  ...[1, 2, 3, 4, 5, 6, 7, 8].map(number =>
    resource('Queue', { namespace: 'taken-many', name: `q-${number}`, ack: recorded(account, 'us-east-1') }),
  ),
  resource('Bucket', { namespace: 'taken-many', name: 'last', ack: recorded('555555555555', 'us-east-1') }),
  resource('Queue', { namespace: 'taken-unmapped', name: 'events', ack: recorded('999999999999') }),
  resource('Bucket', { namespace: 'taken-odd', name: 'forged', ack: recorded(hostile, hostile) }),
  resource('Bucket', {
    namespace: 'taken-in-regions',
    name: 'pinned',
    ack: recorded(account, 'eu-west-1'),
    annotations: { 'services.k8s.aws/region': 'eu-west-1' },
  }),
  resource('Bucket', { namespace: 'taken-in-regions', name: 'unpinned', ack: recorded(account, 'eu-west-1') }),
  resource('Queue', { namespace: 'taken-in-regions', name: 'american', ack: recorded(account, 'us-east-1') }),
  resource('DBInstance', { namespace: 'taken-by-label', name: 'ledger', ack: recorded('181818181818') }),
  resource('Bucket', { namespace: 'taken-by-label', name: 'of-nobody', ack: recorded('123456789012') }),
  resource('Bucket', { namespace: 'sel-china', name: 'twice', ack: recorded('242424242424', 'cn-north-1') }),
];

/** ServiceAccounts of the namespace `shop`, beside the `default` one of every namespace. */
const wishes: Readonly<Record<string, Strings>> = {
  'bare-name': { 'carm-webhook.dev/role': 's3-reader' },
  'bare-path': { 'carm-webhook.dev/role': 'team/s3-reader' },
  'own-arn': { 'carm-webhook.dev/role': `arn:aws:iam::${account}:role/own` },
  'eks-bare': { 'eks.amazonaws.com/role-arn': 'eks-reader' },
  'eks-arn': { 'eks.amazonaws.com/role-arn': `arn:aws:iam::${account}:role/eks` },
  'both-wishes': { 'carm-webhook.dev/role': 'ours', 'eks.amazonaws.com/role-arn': 'theirs' },
  'empty-wish': { 'carm-webhook.dev/role': '', 'eks.amazonaws.com/role-arn': '' },
  'foreign-wish': { 'eks.amazonaws.com/role-arn': foreignRole },
  'source-wish': { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/hub' },
  'garbage-wish': { 'carm-webhook.dev/role': hostile },
  'user-wish': { 'eks.amazonaws.com/role-arn': `arn:aws:iam::${account}:user/jane` },
  'ack-wish': { 'carm-webhook.dev/role': 'ack-controller' },
  'ack-eks-wish': { 'eks.amazonaws.com/role-arn': 'ack-controller' },
  'ack-arn-wish': { 'carm-webhook.dev/role': `arn:aws:iam::${account}:role/ack-controller` },
  'ack-eks-arn-wish': { 'eks.amazonaws.com/role-arn': `arn:aws:iam::${account}:role/ack-controller` },
  'ack-case-wish': { 'carm-webhook.dev/role': 'ACK-Controller' },
  'ack-path-wish': { 'carm-webhook.dev/role': 'team/ack-controller' },
  'ack-neighbour-wish': { 'carm-webhook.dev/role': 'ack-controller-2' },
  'source-ack-wish': { 'carm-webhook.dev/role': 'arn:aws:iam::123456789012:role/ack-hub' },
  'iam-wish': { 'carm-webhook.dev/role': 'iam-controller' },
  'unused-wish': { 'carm-webhook.dev/role': 'never-looked-up' },
  'chain-mode': { 'carm-webhook.dev/credentials': 'chain' },
  'web-identity-mode': { 'carm-webhook.dev/credentials': 'web-identity' },
  'odd-mode': { 'carm-webhook.dev/credentials': 'Chain' },
  'empty-chain': {
    'carm-webhook.dev/credentials': '',
    'carm-webhook.dev/hub-role-arn': '',
    'carm-webhook.dev/external-id': '',
  },
  'own-hub': {
    'carm-webhook.dev/hub-role-arn': 'arn:aws:iam::123456789012:role/own-hub',
    'carm-webhook.dev/external-id': 'a=b:{serviceAccount}',
  },
  'garbage-hub': { 'carm-webhook.dev/hub-role-arn': hostile },
  'foreign-hub': { 'carm-webhook.dev/hub-role-arn': foreignRole },
  'own-account-hub': { 'carm-webhook.dev/hub-role-arn': `arn:aws:iam::${account}:role/mine` },
  'cn-hub': { 'carm-webhook.dev/hub-role-arn': 'arn:aws-cn:iam::123456789012:role/hub' },
  'ack-hub': { 'carm-webhook.dev/hub-role-arn': 'arn:aws:iam::123456789012:role/ack-hub' },
  'hub-wish': { 'carm-webhook.dev/role': 'arn:aws:iam::123456789012:role/elsewhere/Pods-Hub' },
  'line-external-id': { 'carm-webhook.dev/external-id': 'id\nsource_profile = other' },
  'section-external-id': { 'carm-webhook.dev/external-id': 'id\n[profile other]' },
  'comment-external-id': { 'carm-webhook.dev/external-id': 'id # note' },
  'semicolon-external-id': { 'carm-webhook.dev/external-id': 'id;note' },
  'placeholder-external-id': { 'carm-webhook.dev/external-id': '{pod}' },
  'long-external-id': { 'carm-webhook.dev/external-id': '{serviceAccount}'.repeat(5) },
  audience: { 'eks.amazonaws.com/audience': 'example.com' },
  [longName]: {},
  'short-token': { 'eks.amazonaws.com/token-expiration': '3600' },
  'too-short-token': { 'eks.amazonaws.com/token-expiration': '60' },
  'too-long-token': { 'eks.amazonaws.com/token-expiration': '604800' },
  'garbage-token': { 'eks.amazonaws.com/token-expiration': '1h' },
  'global-sts': { 'eks.amazonaws.com/sts-regional-endpoints': 'false' },
  'near-miss': { 'eks.amazon.com/role-arn': 'reader' },
  'misplaced-wish': { 'carm-webhook.dev/role-arn': `arn:aws:iam::${account}:role/own` },
  'slash-wish': { 'carm-webhook.dev/role': 'role/s3-reader' },
  'slash-eks-wish': { 'eks.amazonaws.com/role-arn': 'role/team/s3-reader' },
};

const china = { 'cn-bare': { 'carm-webhook.dev/role': 'cn-reader' } };

function serviceAccount(namespace: string, name: string, annotations: Strings = {}): unknown {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, annotations } };
}

/** Every object of the cluster. */
export function manifests(): readonly unknown[] {
  return [
    ...Object.entries(namespaces).flatMap(([name, metadata]) => [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...metadata } },
      serviceAccount(name, 'default'),
    ]),
    ...Object.entries(wishes).map(([name, annotations]) => serviceAccount('shop', name, annotations)),
    ...Object.entries(china).map(([name, annotations]) => serviceAccount('china', name, annotations)),
    ...['team-only', 'team-and-account'].map(namespace =>
      serviceAccount(namespace, 'bare-name', { 'carm-webhook.dev/role': 's3-reader' }),
    ),
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: {
        name: 'ignored-keys',
        namespace: 'shop',
        labels: { 'carm-webhook.dev/inyect': 'reader', 'eks.amazonaws.com/role-arn': 'reader', app: 'web' },
        annotations: {
          'eks.amazonaws.com/rolearn': 'reader',
          'eks.amazonaws.com/sts-regional-endpoint': 'reader',
          'eks.amazonaws.com/skip-containers': 'reader',
        },
      },
    },
    serviceAccount('keyed', 'service-wish', { 'carm-webhook.dev/role': 'keyed-s3' }),
    serviceAccount('both-keys', 'both-wish', { 'carm-webhook.dev/role': 'both' }),
    serviceAccount('team-only', 'platform-wish', { 'carm-webhook.dev/role': 'ack-controller' }),
    serviceAccount('team-only', 'platform-s3-wish', { 'carm-webhook.dev/role': 's3' }),
    serviceAccount('team-only', 'platform-account-wish', { 'carm-webhook.dev/role': 'ack-by-account' }),
    serviceAccount('unmapped', 'bare-name', { 'carm-webhook.dev/role': 's3-reader' }),
    configMap('ack-role-account-map', accountMap),
    configMap('ack-role-account-map', iamAccountMap, 'ack-iam'),
    configMap('ack-role-team-map', teamMap),
    ...selectors,
    ...storedResources,
  ];
}

/** Writes the state into a folder of its own. JSON is YAML, and a computed key `__proto__` needs no care in it. */
export async function writeState(): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-decisions-'));
  const text = manifests()
    .map(manifest => JSON.stringify(manifest, undefined, 2))
    .join('\n---\n');
  await writeFile(join(folder, 'cluster.yaml'), text);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
