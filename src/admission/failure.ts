import { MalformedObjectError } from '../objects/json.ts';
import { quote } from '../objects/quote.ts';
import type { EffectiveDecision } from './answer.ts';
import { closeMessage } from './catalogue/message.ts';
import type { FailureReason } from './catalogue/reasons.ts';
import type { Config } from './config.ts';
import type { Mode } from './mode.ts';
import type { AdmissionRequest } from './review.ts';
import { subjectOf } from './subject.ts';

function failed(
  reason: FailureReason,
  code: number,
  words: string,
  mode: Mode,
  config: Config,
  error?: unknown,
): EffectiveDecision {
  const message = closeMessage(words, reason, config.supportMessage);
  return { decision: { verdict: 'deny', reason, message, confirmLive: false }, mode, code, error };
}

/** What is wrong with a field, in one line. */
export function describeMalformed({ path, expected }: MalformedObjectError): string {
  // The commonest of all: an account id without quotes.
  const hint = expected === 'a string' ? ' (in quotes, if YAML could take it for something else)' : '';
  return `${path === '' ? 'the object' : quote(path)} is not ${expected}${hint}`;
}

/** What is said when the cluster could not be asked. */
export function unverifiedWords(request: AdmissionRequest, why: string): string {
  return `${subjectOf(request)}: ${why}. Retry; if this persists, ask your platform team to check carm-webhook`;
}

/** Denied whatever the mode: nothing is known that a mode could soften. */
export function unverified(code: 429 | 503, words: string, config: Config, error: unknown): EffectiveDecision {
  return failed('Unverified', code, words, 'enforce', config, error);
}

/** An exception while deciding: the object's fault if it has not the shape that its API gives it, else ours. */
export function fault(request: AdmissionRequest, error: unknown, mode: Mode, config: Config): EffectiveDecision {
  if (error instanceof MalformedObjectError) {
    const words = `${subjectOf(request)}: ${describeMalformed(error)}. To fix this, correct that field`;
    return failed('InvalidReview', 400, words, 'enforce', config);
  }
  const words = `internal error. Ask your platform team to look for review ${quote(request.uid)} in the log of carm-webhook`;
  return failed('InternalError', 500, words, mode, config, error);
}
