import { quoteField } from '../objects/field-path.ts';
import { MalformedObjectError } from '../objects/json.ts';
import { quote } from '../objects/quote.ts';
import { closeMessage } from './catalogue/message.ts';
import type { FailureReason } from './catalogue/reasons.ts';
import type { Config } from './config.ts';
import type { Denied } from './decision.ts';
import type { EffectiveDecision } from './effective-decision.ts';
import type { Mode } from './mode.ts';
import type { AdmissionRequest } from './review.ts';
import { subjectOf } from './subject.ts';

export class DecisionTimeoutError extends Error {
  override readonly name = 'DecisionTimeoutError';
  readonly code = 'DecisionTimeout';
}

/** A denial for what keeps a review from being decided. */
export function deniedFor<R extends FailureReason>(reason: R, words: string, { supportMessage }: Config): Denied<R> {
  return { verdict: 'deny', reason, message: () => closeMessage(words, reason, supportMessage), confirmLive: false };
}

/** What is wrong with a field, in one line. */
export function describeMalformed({ path, expected }: MalformedObjectError): string {
  // The commonest of all: an account id without quotes.
  const hint = expected === 'a string' ? ' (put it in quotes if YAML could read it as something else)' : '';
  return `${path === '' ? 'the object' : quoteField(path)} is not ${expected}${hint}`;
}

export function unverifiedWords(request: AdmissionRequest, why: string): string {
  return `${subjectOf(request)}: ${why}. Retry; if this persists, ask your platform team to check carm-webhook`;
}

/** Denied whatever the mode: nothing is known that a mode could soften. */
export function unverified(code: 429 | 503, words: string, config: Config, error: unknown): EffectiveDecision {
  return { decision: deniedFor('Unverified', words, config), mode: 'enforce', code, error };
}

/**
 * An exception while deciding, or a decision that does not come: the object's fault if it has not the shape that its API
 * gives it, else ours.
 */
export function failure(request: AdmissionRequest, error: unknown, mode: Mode, config: Config): EffectiveDecision {
  if (error instanceof MalformedObjectError) {
    const words = `${subjectOf(request)}: ${describeMalformed(error)}. To fix this, correct that field`;
    return { decision: deniedFor('InvalidReview', words, config), mode: 'enforce', code: 400 };
  }
  const words = `${subjectOf(request)}: internal error. Ask your platform team to look for review ${quote(request.uid)} in the log of carm-webhook`;
  return { decision: deniedFor('InternalError', words, config), mode, code: 500, error };
}
