import { isAccountId } from '../../accounts/account-id.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import { issuerForm, parseIssuer } from '../../aws/iam/oidc-issuer.ts';
import { resourceServices } from '../../aws/iam/resource-arn.ts';
import { clusterFlags, outputFlag } from '../flags/cluster-flags.ts';
import { configFlags } from '../flags/config-flags.ts';
import { listFlag, oneOf, optionalFlag, parserOf, switchFlag, textFlag } from '../flags/flag.ts';
import { parseNamespaceName } from '../flags/flag-values.ts';
import { existingKinds } from './existing.ts';

const all = <T>(values: readonly T[]): readonly T[] => values;
const setOf = <T>(values: readonly T[]): ReadonlySet<T> => new Set(values);

/** https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html (eks-cluster-arn) */
const clusterArnForm = /^arn:[a-z-]+:eks:[a-z0-9-]+:[0-9]{12}:cluster\/[A-Za-z0-9][\w-]{0,99}$/;

export const iamFlags = {
  namespace: optionalFlag('-n, --namespace NAMESPACE', 'Write what this namespace needs', parseNamespaceName),
  serviceAccounts: listFlag(
    '--serviceaccount NAME,...',
    'Only these ServiceAccounts of --namespace, which need not exist yet (default: all that it has)',
    name => name,
    all,
  ),
  account: optionalFlag(
    '--account ACCOUNT',
    'Write what all namespaces of this AWS account need',
    parserOf(text => (isAccountId(text) ? text : undefined), 'is not an account id of 12 digits'),
  ),
  all: switchFlag('--all', 'Write what all bound namespaces need'),
  output: outputFlag(['json', 'aws-cli', 'terraform', 'terraform-json']),
  oidcIssuers: listFlag(
    '--oidc-issuer URL,...',
    'Issuers of the ServiceAccount tokens of each cluster that is trusted (default: that of the cluster that is read)',
    parserOf(parseIssuer, `is not ${issuerForm}`),
    all,
  ),
  anyServiceAccount: switchFlag(
    '--any-serviceaccount',
    'Trust every ServiceAccount of the namespaces, those that come later too, by a wildcard in place of the name',
  ),
  podIdentity: switchFlag('--pod-identity', 'Pods get to their first role by EKS Pod Identity, not by web identity'),
  eksClusterArns: listFlag(
    '--eks-cluster-arn ARN,...',
    "Clusters that are trusted with --pod-identity (default: every cluster of the role's account)",
    parserOf(text => (clusterArnForm.test(text) ? text : undefined), 'is not the ARN of an EKS cluster'),
    all,
  ),
  ackRole: optionalFlag(
    '--ack-role-arn ARN',
    "Role of ACK's controllers: write what lets it assume the mapped roles, too",
    parserOf(parseRoleArn, 'is not the ARN of a role'),
  ),
  existing: listFlag(
    '--existing WHAT,...',
    'What is in AWS already: roles (their trust policies are replaced), oidc-providers (they are left alone)',
    oneOf(existingKinds),
    setOf,
  ),
  resource: optionalFlag(
    '--resource SERVICE',
    `Write what lets the roles use a resource instead: ${resourceServices.join(', ')}`,
    oneOf(resourceServices),
  ),
  resourceArn: textFlag('--resource-arn ARN', 'The resource, in whatever account'),
  resourcePolicy: textFlag(
    '--resource-policy FILE',
    'The policy that the resource has, as JSON: its statements are kept',
  ),
  resourceWrite: switchFlag('--resource-write', 'Let the roles write to the resource, too'),
  ...clusterFlags,
  ...configFlags,
} as const;
