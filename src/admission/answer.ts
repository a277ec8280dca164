import { isJsonObject } from '../objects/json.ts';
import { patchText } from '../objects/json-patch.ts';
import type { Warning } from './catalogue/warnings.ts';
import { formatWarning } from './catalogue/warnings.ts';
import type { Decision } from './decision.ts';
import { type EffectiveDecision, outcomeOf } from './effective-decision.ts';
import type { Endpoint, Outcome, ReviewRecord } from './record.ts';
import type { AdmissionResponse } from './response.ts';
import type { AdmissionRequest } from './review.ts';
import type { Rule } from './rule.ts';
import { fromUs, shortSubject } from './subject.ts';

/** An answer, and what metrics and logs say of it. */
export interface ReviewResult {
  readonly response: AdmissionResponse;
  readonly record: ReviewRecord;
}

/** https://github.com/kubernetes/apimachinery/blob/master/pkg/apis/meta/v1/types.go (StatusReason) */
const statusReasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

function auditAnnotations({ verdict, reason, accountId, role }: Decision): Readonly<Record<string, string>> {
  return {
    decision: verdict,
    reason,
    // The API server keeps the first value of a key for a webhook's name: after /mutate has said `mutate`, a denial by
    // /validate would leave no trace.
    // https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/audit/context.go
    ...(verdict === 'deny' && { denied: reason }),
    ...(accountId === undefined ? {} : { 'account-id': accountId }),
    ...(role === undefined ? {} : { 'role-arn': role.text }),
  };
}

/** Many objects may be applied at once, and kubectl prints a warning without the object that it is about. */
function formatWarnings(rule: Rule, warnings: readonly Warning[], request: AdmissionRequest): readonly string[] {
  if (warnings.length === 0) return [];
  const object = shortSubject(request, isJsonObject(request.object) ? request.object : {});
  const subject = rule.warnsOfPods ? fromUs(`pods of ${object}`) : object;
  return warnings.map(warning => `${subject}: ${formatWarning(warning)}`);
}

function responseOf(
  rule: Rule,
  request: AdmissionRequest,
  { decision, code }: EffectiveDecision,
  outcome: Outcome,
  message: string,
): AdmissionResponse {
  const denied = outcome === 'denied' || outcome === 'error';
  const warnings = [
    ...(outcome === 'warned' ? [message] : []),
    ...formatWarnings(rule, decision.warnings ?? [], request),
  ];
  return {
    uid: request.uid,
    allowed: !denied,
    ...(denied && { status: { code, reason: statusReasons[code] ?? 'Forbidden', message } }),
    ...(decision.verdict === 'mutate' && {
      patchType: 'JSONPatch',
      patch: Buffer.from(patchText(decision.patch)).toString('base64'),
    }),
    ...(warnings.length > 0 && { warnings }),
    auditAnnotations: auditAnnotations(decision),
  };
}

/** The answer to a review, out of what was decided. */
export function answer(
  endpoint: Endpoint,
  rule: Rule,
  request: AdmissionRequest,
  effective: EffectiveDecision,
): ReviewResult {
  const { decision } = effective;
  const outcome = outcomeOf(effective);
  const denial = decision.verdict === 'deny' ? decision : undefined;
  const message = denial?.message();
  const { uid, operation, namespace, name, kind, dryRun } = request;
  const record: ReviewRecord = {
    webhook: rule.webhook,
    endpoint,
    operation,
    outcome,
    reason: decision.reason,
    warnings: (decision.warnings ?? []).map(({ reason }) => reason),
    uid,
    namespace,
    name,
    kind,
    dryRun,
    user: request.userInfo.username,
    accountId: decision.accountId,
    foreignAccountId: denial?.foreignAccountId,
    roleArn: decision.role?.text,
    message,
    loggedMessage: denial?.loggedMessage?.() ?? message,
    advisory: denial?.advisory ?? false,
    error: effective.error,
  };
  return { response: responseOf(rule, request, effective, outcome, message ?? ''), record };
}
