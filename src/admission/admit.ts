import { ObjectTooLargeError } from '../objects/object-size.ts';
import { type Admitted, answer, type Judgement } from './answer.ts';
import { type Cluster, UnverifiedError, type View } from './cluster.ts';
import type { Decision } from './decision.ts';
import { decideLive } from './live-view.ts';
import { type Mode, modeOf } from './mode.ts';
import type { AdmissionRequest } from './review.ts';
import { type Endpoint, type Rule, ruleFor } from './rule.ts';
import type { Rules } from './rules.ts';
import { tooLarge } from './too-large.ts';
import { fault, unverified, unverifiedWords } from './trouble.ts';

export type { Admitted } from './answer.ts';
export type { Endpoint } from './rule.ts';

/**
 * Answers a review; never rejects.
 * @param deadline milliseconds of `performance.now()`, by which the answer must be there.
 */
export type Admit = (endpoint: Endpoint, request: AdmissionRequest, deadline: number) => Admitted | Promise<Admitted>;

/**
 * Makes the answers to reviews out of the rules and what is known of the cluster.
 * A decision by memory is answered at once, without I/O, unless it rests on state that memory may have wrong.
 */
export function createAdmit(cluster: Cluster, rules: Rules): Admit {
  return (endpoint, request, deadline) => {
    const rule = ruleFor(endpoint, request);
    let byMemory: Judgement | undefined;
    try {
      const { memory } = cluster;
      if (memory !== undefined) {
        byMemory = judge(rule, request, memory, rules);
        if (!byMemory.decision.restsOnState) return answer(rule, request, byMemory);
      }
    } catch (error) {
      return answer(rule, request, fault(request, error, modeInMemory(cluster, request, rules), rules));
    }
    return answerLive({ rule, request, rules, cluster, deadline, byMemory });
  };
}

/** The rule's decision; that of every rule on an object that holds more than it may. */
function decideBounded(rule: Rule, request: AdmissionRequest, view: View, rules: Rules): Decision {
  if (request.excess !== undefined && rule.webhook !== 'unknown') return tooLarge(rule, request, request.excess, rules);
  try {
    return rule.decide(request, view, rules);
  } catch (error) {
    if (error instanceof ObjectTooLargeError) return tooLarge(rule, request, error, rules);
    throw error;
  }
}

function judge(rule: Rule, request: AdmissionRequest, view: View, rules: Rules): Judgement {
  const decision = decideBounded(rule, request, view, rules);
  const softened = decision.verdict === 'deny' && !decision.ignoresMode;
  const mode = softened ? modeOf(view.namespace(request.namespace), rules.defaultMode) : 'enforce';
  return { decision, mode, code: 403 };
}

/** A request that memory alone does not answer. */
interface LiveQuestion {
  readonly rule: Rule;
  readonly request: AdmissionRequest;
  readonly rules: Rules;
  readonly cluster: Cluster;
  readonly deadline: number;
  /** Undefined when nothing may be decided by memory. */
  readonly byMemory: Judgement | undefined;
}

async function answerLive(question: LiveQuestion): Promise<Admitted> {
  const { rule, request, rules, cluster, deadline } = question;
  try {
    const judgement = await decideLive(cluster, request.namespace, deadline, view =>
      judge(rule, request, view, rules),
    ).catch(error => withoutCluster(question, error));
    return answer(rule, request, judgement);
  } catch (error) {
    return answer(rule, request, fault(request, error, modeInMemory(cluster, request, rules), rules));
  }
}

/** @throws what is no UnverifiedError. */
function withoutCluster({ rule, request, rules, byMemory }: LiveQuestion, error: unknown): Judgement {
  if (!(error instanceof UnverifiedError)) throw error;
  const words = unverifiedWords(request, error.message);
  const decision = rule.unverified?.(request, rules, words);
  if (decision !== undefined) return { decision, mode: 'enforce', code: error.status };
  // What is never more than a warning holds nobody up.
  return byMemory?.decision.advisory ? byMemory : unverified(error.status, words, rules, error);
}

/** The mode of a request's namespace, as far as memory tells: for a fault that may lie in the looking up itself. */
function modeInMemory(cluster: Cluster, request: AdmissionRequest, rules: Rules): Mode {
  try {
    return modeOf(cluster.memory?.namespace(request.namespace), rules.defaultMode);
  } catch {
    return rules.defaultMode;
  }
}
