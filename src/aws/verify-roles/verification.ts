import type { ProviderProblem } from '../../accounts/provider-problem.ts';
import { type RefusalKind, refusalKinds } from '../sts-refusal.ts';

/** What is known of a role: that it answers, that AWS gives it to no pod that comes with a token, or neither. */
export const verificationResults = ['ok', 'broken', 'unknown'] as const;

export type VerificationResult = (typeof verificationResults)[number];

/** What came of one call: the role's session, a refusal, or no call as the webhook's own token cannot be used. */
export type CallOutcome = 'ok' | RefusalKind | 'NoToken';

export const callOutcomes: readonly CallOutcome[] = ['ok', ...refusalKinds, 'NoToken'];

export interface Verification {
  readonly result: VerificationResult;
  /** Only where it is broken. */
  readonly problem?: ProviderProblem;
  /** STS did not judge the token: it hung, was out of reach, asked for fewer calls, or something else answered in its place. */
  readonly unheard?: true;
}

/** What is said of a role that was not asked for yet. */
export const unverified: Verification = { result: 'unknown' };

const unheard: Verification = { result: 'unknown', unheard: true };

/**
 * What an outcome says for certain, whoever asks. The token of the webhook is one of another ServiceAccount than those of pods, so
 * most refusals say nothing about these: a role that lets exactly them in refuses us. But a provider that is not there, or does not
 * list the audience, refuses every token of the cluster with that audience.
 */
export function verificationOf(outcome: CallOutcome): Verification {
  switch (outcome) {
    case 'ok':
      return { result: 'ok' };
    case 'NoProvider':
    case 'WrongAudience':
      return { result: 'broken', problem: outcome };
    case 'Throttled':
    case 'Unreachable':
    case 'Unexpected':
    case 'OtherIdentity':
    case 'NoToken':
      return unheard;
    default:
      return unverified;
  }
}
