import type { AccountId } from './account-id.ts';

/**
 * Why AWS gives no role of an account to any pod of the cluster that comes with a token: the account has no OIDC provider for the
 * issuer of the cluster's tokens, or that provider does not list the tokens' audience. Which role is asked for, and by whom, is no
 * part of it. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export const providerProblems = ['NoProvider', 'WrongAudience'] as const;

export type ProviderProblem = (typeof providerProblems)[number];

/** What is known to be wrong with the OIDC providers of accounts. */
export interface ProviderProblems {
  problemOf(accountId: AccountId): ProviderProblem | undefined;
}
