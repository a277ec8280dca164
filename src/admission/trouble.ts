import { MalformedObjectError } from '../injection/fields.ts';
import type { Judgement } from './answer.ts';
import type { TroubleReason } from './catalogue.ts';
import type { Mode } from './mode.ts';
import { quote } from './quote.ts';
import type { AdmissionRequest } from './review.ts';
import type { Rules } from './rules.ts';

function troubled(
  reason: TroubleReason,
  code: number,
  words: string,
  mode: Mode,
  rules: Rules,
  error?: unknown,
): Judgement {
  const message = rules.supportMessage === undefined ? words : `${words} ${rules.supportMessage}`;
  return { decision: { verdict: 'deny', reason, message, restsOnState: false }, mode, code, error };
}

function subjectOf(request: AdmissionRequest): string {
  return `${request.kind || 'object'} ${quote(request.name)} in namespace ${quote(request.namespace)}`;
}

/** What is said when the cluster could not be asked. */
export function unverifiedMessage(request: AdmissionRequest, why: string): string {
  return `${subjectOf(request)}: ${why}; you can: try again; if it lasts, your platform team must: look at carm-webhook (Unverified)`;
}

/** Refused whatever the mode: nothing is known that a mode could soften. */
export function unverified(code: 429 | 503, message: string, rules: Rules, error: unknown): Judgement {
  return troubled('Unverified', code, message, 'enforce', rules, error);
}

/** An exception while deciding: the object's fault if it has not the shape that its API gives it, else ours. */
export function fault(request: AdmissionRequest, error: unknown, mode: Mode, rules: Rules): Judgement {
  if (error instanceof MalformedObjectError) {
    const words = `${subjectOf(request)}: ${error.message}; you can: correct that field (InvalidReview)`;
    return troubled('InvalidReview', 400, words, 'enforce', rules);
  }
  const words = `internal error; your platform team must: look at the log of carm-webhook for review ${quote(request.uid)} (InternalError)`;
  return troubled('InternalError', 500, words, mode, rules, error);
}
