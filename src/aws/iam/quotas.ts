import { quote } from '../../objects/quote.ts';
import type { IamStep } from './iam-step.ts';
import { policyLength } from './policy.ts';

/**
 * AWS's quotas, in characters without white space, and in things an account may have.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const quotas = {
  /** By default; and what AWS raises it to when asked, or more: its pages have had more than one maximum. */
  trustPolicy: { byDefault: 2048, raised: 4096 },
  /** All inline policies of a role together. */
  inlinePolicies: 10_240,
  oidcProviders: 100,
  clientIds: 100,
} as const;

function ofTrust(roleArn: string, length: number): readonly string[] {
  const { byDefault, raised } = quotas.trustPolicy;
  if (length <= byDefault) return [];
  const is = `the trust policy of ${roleArn} has ${length} characters`;
  if (length <= raised)
    return [`${is}: more than ${byDefault} need a higher quota of AWS ("Role trust policy length")`];
  return [
    `${is}: AWS may not raise the quota above ${raised}. Split the role, or trust whole namespaces with --any-serviceaccount`,
  ];
}

/** What AWS would not take of the steps, or only with higher quotas. */
export function quotaWarnings(steps: readonly IamStep[]): readonly string[] {
  const providers = Map.groupBy(
    steps.filter(step => step.kind === 'oidc-provider'),
    ({ accountId }) => accountId,
  );
  const ofProviders = [...providers].flatMap(([accountId, ofAccount]) => {
    const { oidcProviders, clientIds } = quotas;
    const crowded = ofAccount.filter(step => step.clientIds.length > clientIds);
    return [
      ...(ofAccount.length > oidcProviders
        ? [`account ${accountId} would have ${ofAccount.length} OIDC providers: AWS allows ${oidcProviders} by default`]
        : []),
      ...crowded.map(
        step =>
          `the provider ${quote(step.url)} would have ${step.clientIds.length} audiences: IAM allows ${clientIds}`,
      ),
    ];
  });
  const ofPolicies = steps.flatMap(step => {
    if (step.kind === 'role') return ofTrust(step.role.text, policyLength(step.trust));
    if (step.kind !== 'role-policy') return [];
    const length = policyLength(step.policy);
    if (length <= quotas.inlinePolicies) return [];
    return [
      `policy ${step.name} of ${step.role.text} has ${length} characters: IAM allows ${quotas.inlinePolicies} for all inline policies of a role`,
    ];
  });
  return [...ofProviders, ...ofPolicies];
}
