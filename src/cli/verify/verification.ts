import type { RefusalKind } from '../../aws/sts-refusal.ts';
import type { WalkStep } from '../../aws/walk.ts';
import { exitCodes } from '../usage-error.ts';
import type { ResolvedTarget, Target } from './resolve-target.ts';

/**
 * `broken`: AWS refuses a call. `denied`: the webhook denies such pods. `unverified`: nothing is known, for nobody answered
 * or no call can tell.
 */
export const results = ['ok', 'broken', 'denied', 'not managed', 'unverified'] as const;
export type VerificationResult = (typeof results)[number];

export interface Verification extends Target {
  readonly result: VerificationResult;
  /** A reason of admission, the kind of a refusal, or why nothing is known; undefined where all is well. */
  readonly reason: string | undefined;
  /** What is to be said beside the steps. */
  readonly message: string | undefined;
  readonly resolved: ResolvedTarget | undefined;
  /** The calls that were made, in order. */
  readonly steps: readonly WalkStep[];
}

/** Refusals that tell nothing about the role. */
const saysNothing: ReadonlySet<RefusalKind> = new Set(['Throttled', 'Unreachable']);

/** What became of a walk. */
export function resultOf(steps: readonly WalkStep[]): Pick<Verification, 'result' | 'reason'> {
  const refusal = steps.at(-1)?.refusal;
  if (refusal === undefined) return { result: 'ok', reason: undefined };
  return { result: saysNothing.has(refusal.kind) ? 'unverified' : 'broken', reason: refusal.kind };
}

/** 1 for what is wrong, else 3 for what nobody could tell. What no call can tell is no fault. */
export function exitCodeOf(verifications: readonly Verification[]): number {
  const isWrong = ({ result }: Verification) => result === 'broken' || result === 'denied' || result === 'not managed';
  if (verifications.some(isWrong)) return exitCodes.denied;
  // Over EKS Pod Identity no call can tell.
  const isUnknown = ({ result, reason }: Verification) => result === 'unverified' && reason !== 'HubRoleMissing';
  return verifications.some(isUnknown) ? exitCodes.unreachable : exitCodes.done;
}
