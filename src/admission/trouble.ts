import { MalformedObjectError } from '../objects/json.ts';
import type { Judgement } from './answer.ts';
import { closeMessage } from './catalogue/message.ts';
import { quote } from './catalogue/quote.ts';
import type { TroubleReason } from './catalogue/reasons.ts';
import type { Mode } from './mode.ts';
import type { AdmissionRequest } from './review.ts';
import type { Rules } from './rules.ts';
import { subjectOf } from './subject.ts';

function troubled(
  reason: TroubleReason,
  code: number,
  words: string,
  mode: Mode,
  rules: Rules,
  error?: unknown,
): Judgement {
  const message = closeMessage(words, reason, rules.supportMessage);
  return { decision: { verdict: 'deny', reason, message, restsOnState: false }, mode, code, error };
}

/** What is wrong with a field, in one line. */
export function whatIsMalformed({ path, expected }: MalformedObjectError): string {
  // The commonest of all: an account id without quotes.
  const hint = expected === 'a string' ? ' (in quotes, if YAML could take it for something else)' : '';
  return `${path === '' ? 'the object' : quote(path)} is not ${expected}${hint}`;
}

/** What is said when the cluster could not be asked. */
export function unverifiedWords(request: AdmissionRequest, why: string): string {
  return `${subjectOf(request)}: ${why}. Retry; if this persists, ask your platform team to check carm-webhook`;
}

/** Refused whatever the mode: nothing is known that a mode could soften. */
export function unverified(code: 429 | 503, words: string, rules: Rules, error: unknown): Judgement {
  return troubled('Unverified', code, words, 'enforce', rules, error);
}

/** An exception while deciding: the object's fault if it has not the shape that its API gives it, else ours. */
export function fault(request: AdmissionRequest, error: unknown, mode: Mode, rules: Rules): Judgement {
  if (error instanceof MalformedObjectError) {
    const words = `${subjectOf(request)}: ${whatIsMalformed(error)}. To fix this, correct that field`;
    return troubled('InvalidReview', 400, words, 'enforce', rules);
  }
  const words = `internal error. Ask your platform team to look for review ${quote(request.uid)} in the log of carm-webhook`;
  return troubled('InternalError', 500, words, mode, rules, error);
}
