import { MalformedObjectError } from '../injection/fields.ts';
import type { TroubleReason } from './catalogue.ts';
import { type Cluster, UnverifiedError, type View } from './cluster.ts';
import type { Decision } from './decision.ts';
import { mutateEphemeralContainers, validateEphemeralContainers } from './ephemeral-containers.ts';
import { decideLive } from './live-view.ts';
import { type Mode, modeOf } from './mode.ts';
import { labelNamespace } from './namespaces.ts';
import { workloadKinds } from './pod-templates.ts';
import { mutatePod, validatePod } from './pods.ts';
import { quote } from './quote.ts';
import type { Outcome, ReviewRecord, WebhookEntry } from './record.ts';
import type { AdmissionResponse } from './response.ts';
import type { AdmissionRequest } from './review.ts';
import type { Rules } from './rules.ts';
import { sayRemark } from './say-remark.ts';
import { unverifiedWorkload, validateWorkload } from './workloads.ts';

/** The two paths that the webhook configurations name. */
export type Endpoint = 'mutate' | 'validate';

/** An answer, and what metrics and logs say of it. */
export interface Admitted {
  readonly response: AdmissionResponse;
  readonly record: ReviewRecord;
}

/**
 * Answers a review; never rejects.
 * @param deadline milliseconds of `performance.now()`, by which the answer must be there.
 */
export type Admit = (endpoint: Endpoint, request: AdmissionRequest, deadline: number) => Admitted | Promise<Admitted>;

interface Rule {
  readonly webhook: WebhookEntry | 'unknown';
  readonly decide: (request: AdmissionRequest, view: View, rules: Rules) => Decision;
  /** The decision when the cluster could not be asked; without it, the review is refused as `Unverified`. */
  readonly unverified?: (request: AdmissionRequest, rules: Rules, message: string) => Decision | undefined;
}

const notOurs: Rule = {
  webhook: 'unknown',
  decide: () => ({ verdict: 'allow', reason: 'NotOurs', restsOnState: false }),
};
const podRules: Readonly<Record<Endpoint, Rule>> = {
  mutate: { webhook: 'pods.carm-webhook.dev', decide: mutatePod },
  validate: { webhook: 'pods.carm-webhook.dev', decide: validatePod },
};
const ephemeralRules: Readonly<Record<Endpoint, Rule>> = {
  mutate: { webhook: 'pods.carm-webhook.dev', decide: mutateEphemeralContainers },
  validate: { webhook: 'pods.carm-webhook.dev', decide: validateEphemeralContainers },
};
const namespaceRule: Rule = {
  webhook: 'namespaces.carm-webhook.dev',
  decide: labelNamespace,
  unverified: (request, rules) => labelNamespace(request, undefined, rules),
};
const workloadRule: Rule = {
  webhook: 'workloads.carm-webhook.dev',
  decide: validateWorkload,
  unverified: (_, rules, message) => unverifiedWorkload(rules, message),
};

const namespaceSubResources: ReadonlySet<string | undefined> = new Set([undefined, 'status', 'finalize']);
const workloadResources: ReadonlySet<string> = new Set(
  workloadKinds.map(({ group, resource }) => `${group}/${resource}`),
);

/** The rule for a request. What we do not know is allowed: a webhook that was rolled back must not block. */
function ruleFor(endpoint: Endpoint, request: AdmissionRequest): Rule {
  const { operation, subResource } = request;
  const { group, resource } = request.resource;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return notOurs;
  if (group === '' && resource === 'pods') {
    if (operation === 'CREATE' && subResource === undefined) return podRules[endpoint];
    if (operation === 'UPDATE' && subResource === 'ephemeralcontainers') return ephemeralRules[endpoint];
    return notOurs;
  }
  if (group === '' && resource === 'namespaces') {
    return endpoint === 'mutate' && namespaceSubResources.has(subResource) ? namespaceRule : notOurs;
  }
  const isWorkload = subResource === undefined && workloadResources.has(`${group}/${resource}`);
  return endpoint === 'validate' && isWorkload ? workloadRule : notOurs;
}

const troubleStatus: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** A decision in the mode of its namespace. */
interface Judged {
  readonly decision: Decision;
  readonly mode: Mode;
  readonly code: number;
  readonly error?: unknown;
}

function outcomeOf({ decision, mode }: Judged): Outcome {
  if (decision.verdict === 'mutate') return 'mutated';
  if (decision.verdict === 'allow') return 'allowed';
  if (mode === 'audit') return 'audited';
  if (mode === 'warn' || decision.advisory) return 'warned';
  return isTrouble(decision.reason) ? 'error' : 'denied';
}

function isTrouble(reason: string): reason is TroubleReason {
  return reason === 'Unverified' || reason === 'InternalError' || reason === 'InvalidReview';
}

/** Makes the answers to reviews out of the rules and what is known of the cluster. */
export function createAdmit(cluster: Cluster, rules: Rules): Admit {
  const judge = (rule: Rule, request: AdmissionRequest, view: View): Judged => {
    const decision = rule.decide(request, view, rules);
    const mode = decision.verdict === 'deny' ? modeOf(view.namespace(request.namespace), rules.defaultMode) : 'enforce';
    return { decision, mode, code: 403 };
  };

  const trouble = (reason: TroubleReason, code: number, message: string, mode: Mode, error?: unknown): Judged => {
    const said = rules.supportMessage === undefined ? message : `${message} ${rules.supportMessage}`;
    return { decision: { verdict: 'deny', reason, message: said, restsOnState: false }, mode, code, error };
  };

  const unverified = (rule: Rule, request: AdmissionRequest, error: UnverifiedError): Judged => {
    const what = `${request.kind || 'object'} ${quote(request.name)} in namespace ${quote(request.namespace)}`;
    const message = `${what}: ${error.message}; you can: try again; if it lasts, your platform team must: look at carm-webhook (Unverified)`;
    const decision = rule.unverified?.(request, rules, message);
    // Whatever the mode: nothing is known that a mode could soften.
    if (decision === undefined) return trouble('Unverified', error.status, message, 'enforce', error);
    return { decision, mode: 'enforce', code: error.status };
  };

  const fault = (request: AdmissionRequest, error: unknown): Judged => {
    if (error instanceof MalformedObjectError) {
      const message = `${request.kind || 'object'} ${quote(request.name)}: ${error.message}; you can: correct that field (InvalidReview)`;
      return trouble('InvalidReview', 400, message, 'enforce');
    }
    const message = `internal error; your platform team must: look at the log of carm-webhook for review ${quote(request.uid)} (InternalError)`;
    return trouble('InternalError', 500, message, modeInMemory(cluster, request, rules), error);
  };

  const live = async (rule: Rule, request: AdmissionRequest, deadline: number): Promise<Judged> => {
    try {
      return await decideLive(cluster, request.namespace, deadline, view => judge(rule, request, view));
    } catch (error) {
      try {
        if (error instanceof UnverifiedError) return unverified(rule, request, error);
      } catch (nested) {
        return fault(request, nested);
      }
      return fault(request, error);
    }
  };

  return (endpoint, request, deadline) => {
    const rule = ruleFor(endpoint, request);
    try {
      const { memory } = cluster;
      if (memory !== undefined) {
        const judged = judge(rule, request, memory);
        if (!judged.decision.restsOnState) return admitted(rule, request, judged);
      }
    } catch (error) {
      return admitted(rule, request, fault(request, error));
    }
    return live(rule, request, deadline).then(judged => admitted(rule, request, judged));
  };
}

/** The mode of a request's namespace, as far as memory tells; for a fault that may lie in the looking up itself. */
function modeInMemory(cluster: Cluster, request: AdmissionRequest, rules: Rules): Mode {
  try {
    return modeOf(cluster.memory?.namespace(request.namespace), rules.defaultMode);
  } catch {
    return rules.defaultMode;
  }
}

function auditAnnotations({ verdict, reason, accountId, role }: Decision): Readonly<Record<string, string>> {
  return {
    decision: verdict,
    reason,
    ...(accountId === undefined ? {} : { 'account-id': accountId }),
    ...(role === undefined ? {} : { 'role-arn': role.text }),
  };
}

function admitted(rule: Rule, request: AdmissionRequest, judged: Judged): Admitted {
  const { decision, code } = judged;
  const outcome = outcomeOf(judged);
  const { uid } = request;
  const remarks = decision.remarks ?? [];
  const message = decision.message ?? '';
  const warnings = [
    ...(outcome === 'warned' ? [message] : []),
    ...(outcome === 'audited' ? [] : remarks.map(sayRemark)),
  ];
  const refusedNow = outcome === 'denied' || outcome === 'error';
  const response: AdmissionResponse = {
    uid,
    allowed: !refusedNow,
    ...(refusedNow ? { status: { code, reason: troubleStatus[code] ?? 'Forbidden', message } } : {}),
    ...(outcome === 'mutated'
      ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(decision.patch)).toString('base64') }
      : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
    auditAnnotations: auditAnnotations(decision),
  };
  const record: ReviewRecord = {
    webhook: rule.webhook,
    operation: request.operation,
    outcome,
    reason: decision.reason,
    warnings: remarks.map(({ reason }) => reason),
    uid,
    namespace: request.namespace,
    name: request.name,
    kind: request.kind,
    dryRun: request.dryRun,
    accountId: decision.accountId,
    roleArn: decision.role?.text,
    message: decision.message,
    error: judged.error,
  };
  return { response, record };
}
