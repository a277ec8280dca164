import type { ProviderProblems } from '../accounts/provider-problem.ts';
import { defaultAudience } from '../injection/token-settings.ts';
import type { EffectiveDecision } from './effective-decision.ts';

/** Where nothing is verified. */
export const noProviderProblems: ProviderProblems = { problemOf: () => undefined };

/**
 * Adds a warning to the decision on a pod whose tokens AWS will certainly not take. It is read from memory, after the decision: it
 * can neither delay nor change it.
 */
export function withProviderWarning(effective: EffectiveDecision, providers: ProviderProblems): EffectiveDecision {
  const { decision } = effective;
  if (decision.tokenFor === undefined) return effective;
  const { accountId, audience } = decision.tokenFor;
  const problem = providers.problemOf(accountId);
  // The audience that was verified is the usual one.
  if (problem === undefined || (problem === 'WrongAudience' && audience !== defaultAudience)) return effective;
  const warning = { reason: 'RoleBroken', accountId, problem } as const;
  return { ...effective, decision: { ...decision, warnings: [warning, ...(decision.warnings ?? [])] } };
}
