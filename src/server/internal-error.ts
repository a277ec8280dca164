import type { Endpoint } from '../admission/admit.ts';
import type { ReviewRecord } from '../admission/record.ts';
import type { AdmissionResponse } from '../admission/response.ts';
import type { AdmissionRequest } from '../admission/review.ts';
import { ruleFor } from '../admission/rule.ts';
import { quote } from '../objects/quote.ts';

/** An error to be thrown when a decision is not there in time. */
export class DecisionTimeoutError extends Error {
  override readonly name = 'DecisionTimeoutError';
  readonly code = 'DecisionTimeout';
}

/**
 * The answer to a review whose decision failed: refused, with code 500 inside of the review. An HTTP error would reach
 * the user as "failed calling webhook" alone, without the uid to look for.
 */
export function internalError(
  endpoint: Endpoint,
  request: AdmissionRequest,
  error: unknown,
  supportMessage: string,
): { readonly response: AdmissionResponse; readonly record: ReviewRecord } {
  const message = [
    `internal error. Ask your platform team to look for review ${quote(request.uid)} in the log of carm-webhook (InternalError)`,
    ...(supportMessage === '' ? [] : [supportMessage]),
  ].join(' ');
  return {
    response: {
      uid: request.uid,
      allowed: false,
      status: { code: 500, reason: 'InternalError', message },
      auditAnnotations: { decision: 'deny', reason: 'InternalError' },
    },
    record: {
      webhook: ruleFor(endpoint, request).webhook,
      operation: request.operation,
      outcome: 'error',
      reason: 'InternalError',
      warnings: [],
      uid: request.uid,
      namespace: request.namespace,
      name: request.name,
      kind: request.kind,
      dryRun: request.dryRun,
      accountId: undefined,
      roleArn: undefined,
      message,
      loggedMessage: message,
      advisory: false,
      error,
    },
  };
}
