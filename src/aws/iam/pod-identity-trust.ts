import { policyValues, type Statement } from './policy.ts';
import { assumeActions } from './role-trust.ts';
import { type Subject, withoutCovered } from './subject.ts';

/**
 * That a role trusts EKS Pod Identity for ServiceAccounts, by the session tags that it brings. One statement for each
 * namespace: lists of namespaces and of names in one would trust every pair of them.
 * https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
 * @param clusterArns of the clusters that are trusted; empty for every cluster of the role's account.
 */
export function podIdentityTrust(trusted: readonly Subject[], clusterArns: readonly string[]): readonly Statement[] {
  const byNamespace = Map.groupBy(withoutCovered(trusted), ({ namespace }) => namespace);
  return [...byNamespace]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([namespace, subjects]) => {
      const names = subjects.flatMap(({ serviceAccount }) => serviceAccount ?? []);
      return {
        Effect: 'Allow',
        Principal: { Service: 'pods.eks.amazonaws.com' },
        Action: assumeActions(true),
        Condition: {
          StringEquals: {
            'aws:RequestTag/kubernetes-namespace': namespace,
            ...(names.length > 0 && { 'aws:RequestTag/kubernetes-service-account': policyValues(names) }),
            ...(clusterArns.length > 0 && { 'aws:RequestTag/eks-cluster-arn': policyValues(clusterArns) }),
          },
        },
      };
    });
}
