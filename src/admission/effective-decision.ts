import { ObjectTooLargeError } from '../objects/object-size.ts';
import type { View } from './cluster.ts';
import type { Config } from './config.ts';
import type { Decision } from './decision.ts';
import { type Mode, modeOf } from './mode.ts';
import type { Outcome } from './record.ts';
import type { AdmissionRequest } from './review.ts';
import type { Rule } from './rule.ts';
import { tooLarge } from './too-large.ts';

/** A decision in the mode of its namespace. */
export interface EffectiveDecision {
  readonly decision: Decision;
  readonly mode: Mode;
  /** `status.code`, should the decision be spoken as a denial. */
  readonly code: number;
  readonly error?: unknown;
}

/** The rule's decision; that of every rule on an object that holds more than it may. */
function decideBounded(rule: Rule, request: AdmissionRequest, view: View, config: Config): Decision {
  if (request.excess !== undefined && rule.webhook !== 'unknown')
    return tooLarge(rule, request, request.excess, config);
  try {
    return rule.decide(request, view, config);
  } catch (error) {
    if (error instanceof ObjectTooLargeError) return tooLarge(rule, request, error, config);
    throw error;
  }
}

export function effectiveDecision(
  rule: Rule,
  request: AdmissionRequest,
  view: View,
  config: Config,
): EffectiveDecision {
  const decision = decideBounded(rule, request, view, config);
  const softened = decision.verdict === 'deny' && !decision.ignoresMode;
  const mode = softened ? modeOf(view.namespace(request.namespace), config.defaultMode) : 'enforce';
  return { decision, mode, code: 403 };
}

export function outcomeOf({ decision, mode, code }: EffectiveDecision): Outcome {
  if (decision.verdict === 'mutate') return 'mutated';
  if (decision.verdict === 'allow') return 'allowed';
  if (mode === 'audit') return 'audited';
  if (mode === 'warn' || decision.advisory) return 'warned';
  return code === 403 ? 'denied' : 'error';
}
