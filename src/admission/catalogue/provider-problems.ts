import type { AccountId } from '../../accounts/account-id.ts';
import type { ProviderProblem } from '../../accounts/provider-problem.ts';
import { defaultAudience } from '../../injection/token-settings.ts';

interface ProviderProblemWords {
  /** What is wrong, in the fewest words that name the account. */
  readonly wrong: (accountId: AccountId) => string;
  /** Goes on after "Ask your platform team to". */
  readonly remedy: string;
}

/** What is wrong with an account's OIDC provider, in the same words wherever it is said. */
export const providerProblemWords: Readonly<Record<ProviderProblem, ProviderProblemWords>> = {
  NoProvider: {
    wrong: accountId => `account ${accountId} has no OIDC provider for this cluster`,
    remedy: 'create it',
  },
  WrongAudience: {
    wrong: accountId => `the OIDC provider in account ${accountId} does not list the audience ${defaultAudience}`,
    remedy: 'add it',
  },
};

/** As an event says it of a namespace. */
export function describeProviderProblem(accountId: AccountId, problem: ProviderProblem): string {
  const { wrong, remedy } = providerProblemWords[problem];
  return `AWS will not accept the tokens of these pods: ${wrong(accountId)}. Ask your platform team to ${remedy}.`;
}
