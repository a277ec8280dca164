import { type Container, container, containerWith, type Metadata, type PodFields } from './cluster-objects.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const foreignRole = 'arn:aws:iam::999999999999:role/admin';
const tokenPath = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const owner = 'services.k8s.aws/owner-account-id';
const team = 'services.k8s.aws/team-id';

/** What the map holds in the second part of the table: something right, and each kind of wrong. */
export const accountMap = {
  [account]: role,
  '222222222222': 'role/shop\nWarning: all is well',
  '333333333333': foreignRole,
  '666677778888': 'arn:aws:iam::666677778888:role/ack',
  'pods.666677778888': 'arn:aws:iam::666677778888:role/pods',
};
export const teamMap = { payments: role };

/** One denial, of a pod and of a workload with the same template. */
export interface DenialCase {
  readonly what: string;
  readonly reason: string;
  readonly namespace: Metadata;
  /** Annotations of the ServiceAccount `app`; null for none at all. */
  readonly serviceAccount?: Readonly<Record<string, string>> | null;
  readonly pod?: PodFields;
  /** The object that the message blames. */
  readonly blames: RegExp;
  /** Who fixes it and how. `NAMESPACE` stands for the namespace's name. */
  readonly remedy: string;
  /** What a person puts in place of the capitals of the command that the remedy ends with. */
  readonly filledIn?: readonly [placeholder: string, value: string];
}

const bound = (accountId: string): Metadata => ({ annotations: { [owner]: accountId } });
const ofTeam = (teamId: string): Metadata => ({ annotations: { [team]: teamId } });
const shop = bound(account);

const containers = (...list: readonly Container[]): PodFields => ({ containers: list });
const withRole = (value: string): PodFields => containers(containerWith({ name: 'AWS_ROLE_ARN', value }));

/** Denials where neither map is there. */
export const withoutMaps: readonly DenialCase[] = [
  {
    what: 'no account map',
    reason: 'AccountMapMissing',
    namespace: shop,
    blames: /ConfigMap ack-system\/ack-role-account-map/,
    remedy: `Ask your platform team to create it with the account's role, or set --ack-system-namespace if ACK runs elsewhere: kubectl create configmap ack-role-account-map --namespace ack-system --from-literal=${account}=ROLE_ARN`,
    filledIn: ['ROLE_ARN', role],
  },
  {
    what: 'no team map',
    reason: 'TeamMapMissing',
    namespace: ofTeam('payments'),
    blames: /ConfigMap ack-system\/ack-role-team-map/,
    remedy:
      "Ask your platform team to create it with the team's role, or set --ack-system-namespace if ACK runs elsewhere: kubectl create configmap ack-role-team-map --namespace ack-system --from-literal=payments=ROLE_ARN",
    filledIn: ['ROLE_ARN', role],
  },
];

const bindings: readonly DenialCase[] = [
  {
    what: 'a labelled namespace without a binding',
    reason: 'NamespaceNotBound',
    namespace: { labels: { 'carm-webhook.dev/inject': 'enabled' } },
    blames: /namespace "NAMESPACE" is labelled/,
    remedy: `Ask your platform team to bind it, unless the namespace has ACK resources of another account: kubectl annotate namespace NAMESPACE ${owner}=ACCOUNT_ID`,
    filledIn: ['ACCOUNT_ID', account],
  },
  {
    what: 'an account id of eleven digits, as YAML makes of a leading zero',
    reason: 'InvalidAccountId',
    namespace: bound('11112222333'),
    blames:
      /namespace "NAMESPACE" has services\.k8s\.aws\/owner-account-id "11112222333", which has 11 digits instead of 12/,
    remedy: `Ask your platform team to correct it (write it in quotes: as a bare number it loses a leading zero), unless the namespace has ACK resources of another account: kubectl annotate --overwrite namespace NAMESPACE ${owner}=ACCOUNT_ID`,
    filledIn: ['ACCOUNT_ID', account],
  },
  {
    what: 'an account id with a line break at its end',
    reason: 'InvalidAccountId',
    namespace: bound(`${account}\n`),
    blames:
      /namespace "NAMESPACE" has services\.k8s\.aws\/owner-account-id "111122223333\\u000a", which starts or ends with white space/,
    remedy: `Ask your platform team to correct it, unless the namespace has ACK resources of another account: kubectl annotate --overwrite namespace NAMESPACE ${owner}=${account}`,
    filledIn: [account, account],
  },
  {
    what: 'a binding by the name of a team',
    reason: 'InvalidAccountId',
    namespace: bound('payments'),
    blames: /namespace "NAMESPACE" has services\.k8s\.aws\/owner-account-id "payments", which is not 12 digits/,
    remedy: `Ask your platform team to correct it (to bind by a name, use services.k8s.aws/team-id), unless the namespace has ACK resources of another account: kubectl annotate --overwrite namespace NAMESPACE ${owner}=ACCOUNT_ID`,
    filledIn: ['ACCOUNT_ID', account],
  },
  {
    what: 'a team id with a dot',
    reason: 'InvalidTeamId',
    namespace: ofTeam('s3.payments'),
    blames: /namespace "NAMESPACE" has services\.k8s\.aws\/team-id "s3\.payments"/,
    remedy: `Ask your platform team to correct it, unless the namespace has ACK resources of another account: kubectl annotate --overwrite namespace NAMESPACE ${team}=TEAM_ID`,
    filledIn: ['TEAM_ID', 'payments'],
  },
  {
    what: 'an account that is not mapped',
    reason: 'AccountNotMapped',
    namespace: bound('444455556666'),
    blames: /ConfigMap ack-system\/ack-role-account-map has no role for account "444455556666"/,
    remedy: `Ask your platform team to add it: kubectl patch configmap ack-role-account-map --namespace ack-system --type merge --patch '{"data":{"pods.444455556666":"ROLE_ARN"}}'`,
    filledIn: ['ROLE_ARN', 'arn:aws:iam::444455556666:role/shop'],
  },
  {
    what: 'a team that is not mapped',
    reason: 'TeamNotMapped',
    namespace: ofTeam('orders'),
    blames: /ConfigMap ack-system\/ack-role-team-map has no role for team "orders"/,
    remedy: `Ask your platform team to add it: kubectl patch configmap ack-role-team-map --namespace ack-system --type merge --patch '{"data":{"pods.orders":"ROLE_ARN"}}'`,
    filledIn: ['ROLE_ARN', role],
  },
  {
    what: 'a map value that is no role ARN, with a line break',
    reason: 'InvalidRoleArn',
    namespace: bound('222222222222'),
    blames:
      /ConfigMap ack-system\/ack-role-account-map has "role\/shop\\u000aWarning: all is well" under "222222222222"/,
    remedy: 'Ask your platform team to correct that value',
  },
  {
    what: 'a role of another account in the map',
    reason: 'AccountMismatch',
    namespace: bound('333333333333'),
    blames: /ack-role-account-map maps "333333333333" to a role in account 999999999999/,
    remedy:
      'Ask your platform team to use a role in account 333333333333 for that key (if ACK has created resources with it, they are in account 999999999999: map that account to this role, and bind their namespaces to it)',
  },
];

const serviceAccounts: readonly DenialCase[] = [
  {
    what: 'a ServiceAccount that is not there',
    reason: 'ServiceAccountNotFound',
    namespace: shop,
    serviceAccount: null,
    blames: /ServiceAccount "app" does not exist in namespace "NAMESPACE"/,
    remedy:
      'To fix this, correct the name, or create it first: kubectl create serviceaccount app --namespace NAMESPACE',
    filledIn: ['', ''],
  },
  {
    what: "a ServiceAccount's wish that is no role",
    reason: 'InvalidRoleArn',
    namespace: shop,
    serviceAccount: { 'carm-webhook.dev/role': 'arn:aws:s3:::bucket' },
    blames: /ServiceAccount "app" has carm-webhook\.dev\/role "arn:aws:s3:::bucket"/,
    remedy: 'To fix this, correct that annotation',
  },
  {
    what: "a ServiceAccount's wish for a role of another account",
    reason: 'RoleOutsideAccount',
    namespace: shop,
    serviceAccount: { 'eks.amazonaws.com/role-arn': foreignRole },
    blames: /ServiceAccount "app" has eks\.amazonaws\.com\/role-arn "arn:aws:iam::999999999999:role\/admin"/,
    remedy: `To fix this, use a role in account ${account}, by its name or ARN (your platform team can allow account 999999999999 with --source-accounts)`,
  },
];

const boundary: readonly DenialCase[] = [
  {
    what: 'a container that names a role of another account',
    reason: 'RoleOutsideAccount',
    namespace: shop,
    pod: withRole(foreignRole),
    blames: /container "app" sets AWS_ROLE_ARN to "arn:aws:iam::999999999999:role\/admin"/,
    remedy: `To fix this, remove AWS_ROLE_ARN (the webhook injects the role) or use a role in account ${account} (your platform team can allow account 999999999999 with --source-accounts)`,
  },
  {
    what: 'a pod that was copied from another account',
    reason: 'RoleOutsideAccount',
    namespace: shop,
    pod: { ...withRole(foreignRole), annotations: { 'carm-webhook.dev/role-arn': foreignRole } },
    blames:
      /It was injected for account 999999999999 \(annotation carm-webhook\.dev\/role-arn\): the pod was copied from there/,
    remedy: `To fix this, retry, or remove AWS_ROLE_ARN (the webhook injects the role) or use a role in account ${account} (your platform team can allow account 999999999999 with --source-accounts)`,
  },
  {
    what: 'an init container whose role forges a line, in a pod that opts out',
    reason: 'RoleOutsideAccount',
    namespace: shop,
    pod: {
      labels: { 'carm-webhook.dev/inject': 'disabled' },
      initContainers: [
        { ...containerWith({ name: 'AWS_ROLE_ARN', value: 'x\r\nWarning: \u001b[31mred' }), name: 'prepare' },
      ],
    },
    blames: /init container "prepare" sets AWS_ROLE_ARN to "x\\u000d\\u000aWarning: \\u001b\[31mred"/,
    remedy: `To fix this, remove AWS_ROLE_ARN (the webhook injects the role) or use a role in account ${account}`,
  },
  {
    what: 'a role that comes from a Secret',
    reason: 'RoleNotVerifiable',
    namespace: shop,
    pod: containers(containerWith({ name: 'AWS_ROLE_ARN', valueFrom: { secretKeyRef: { name: 'aws', key: 'role' } } })),
    blames: /container "app" sets AWS_ROLE_ARN by valueFrom/,
    remedy: 'To fix this, remove AWS_ROLE_ARN (the webhook injects the role) or write the role ARN as a literal value',
  },
  {
    what: 'a role with a reference to another variable',
    reason: 'RoleNotVerifiable',
    namespace: shop,
    pod: containers(
      containerWith(
        { name: 'ACCOUNT', value: '999999999999' },
        { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::$(ACCOUNT):role/admin' },
      ),
    ),
    blames: /container "app" sets AWS_ROLE_ARN to "arn:aws:iam::\$\(ACCOUNT\):role\/admin", with a \$\( reference/,
    remedy: 'To fix this, remove AWS_ROLE_ARN (the webhook injects the role) or write the role ARN as a literal value',
  },
];

const volumes: readonly DenialCase[] = [
  {
    what: 'a volume of our name that is another one',
    reason: 'VolumeConflict',
    namespace: shop,
    pod: { volumes: [{ name: 'aws-iam-token', emptyDir: {} }] },
    blames: /the pod has a volume aws-iam-token that is not a projected service account token/,
    remedy: 'To fix this, rename or remove that volume (the webhook injects the right one)',
  },
  {
    what: 'another volume below our path',
    reason: 'VolumeConflict',
    namespace: shop,
    pod: {
      ...containers(container({ volumeMounts: [{ name: 'mine', mountPath: `${tokenPath}/../serviceaccount/token` }] })),
      volumes: [{ name: 'mine', emptyDir: {} }],
    },
    blames: /container "app" mounts volume "mine" at /,
    remedy: 'To fix this, remove that mount or move it elsewhere',
  },
];

/** Denials where the maps are there. */
export const withMaps: readonly DenialCase[] = [...bindings, ...serviceAccounts, ...boundary, ...volumes];

const ackRole = 'arn:aws:iam::666677778888:role/ack';

/** Denials with `--require-pods-key`. */
export const withPodsKey: readonly DenialCase[] = [
  {
    what: 'a labelled namespace with a team id, without the gate that it needs',
    reason: 'NamespaceNotBound',
    namespace: { ...ofTeam('payments'), labels: { 'carm-webhook.dev/inject': 'enabled' } },
    blames:
      /is not bound to an account \(its services\.k8s\.aws\/team-id "payments" needs the feature gate TeamLevelCARM\)/,
    remedy: `Ask your platform team to turn the gate on with --feature-gates=TeamLevelCARM=true, or bind it, unless the namespace has ACK resources of another account: kubectl annotate namespace NAMESPACE ${owner}=ACCOUNT_ID`,
  },
  {
    what: "a ServiceAccount's wish for ACK's role",
    reason: 'ControllerRole',
    namespace: bound('666677778888'),
    serviceAccount: { 'carm-webhook.dev/role': 'ack' },
    blames:
      /ServiceAccount "app" has carm-webhook\.dev\/role "ack", which is a role of ACK's controllers \(ConfigMap ack-system\/ack-role-account-map\)/,
    remedy: 'To fix this, remove that annotation (the webhook injects the role for pods) or use another role',
  },
  {
    what: "a container that names ACK's role",
    reason: 'ControllerRole',
    namespace: bound('666677778888'),
    pod: withRole(ackRole),
    blames:
      /container "app" sets AWS_ROLE_ARN to "arn:aws:iam::666677778888:role\/ack", which is a role of ACK's controllers/,
    remedy: 'To fix this, remove AWS_ROLE_ARN (the webhook injects the role for pods) or use another role',
  },
];
