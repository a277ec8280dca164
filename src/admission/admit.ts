import { ObjectTooLargeError } from '../objects/object-size.ts';
import { answer, type EffectiveDecision, type ReviewResult } from './answer.ts';
import { type Cluster, UnverifiedError, type View } from './cluster.ts';
import type { Config } from './config.ts';
import type { Decision } from './decision.ts';
import { fault, unverified, unverifiedWords } from './failure.ts';
import { decideLive } from './live-view.ts';
import { type Mode, modeOf } from './mode.ts';
import type { AdmissionRequest } from './review.ts';
import { type Endpoint, type Rule, ruleFor } from './rule.ts';
import { tooLarge } from './too-large.ts';

export type { ReviewResult } from './answer.ts';
export type { Endpoint } from './rule.ts';

/**
 * Answers a review; never rejects.
 * @param deadline milliseconds of `performance.now()`, by which the answer must be there.
 */
export type Admit = (
  endpoint: Endpoint,
  request: AdmissionRequest,
  deadline: number,
) => ReviewResult | Promise<ReviewResult>;

/**
 * Makes the answers to reviews out of the rules and what is known of the cluster.
 * A decision from the cache is answered at once, without I/O, unless it rests on state that the cache may have wrong.
 */
export function createAdmit(cluster: Cluster, config: Config): Admit {
  return (endpoint, request, deadline) => {
    const rule = ruleFor(endpoint, request);
    let byCache: EffectiveDecision | undefined;
    try {
      const { cache } = cluster;
      if (cache !== undefined) {
        byCache = effectiveDecision(rule, request, cache, config);
        if (!byCache.decision.confirmLive) return answer(rule, request, byCache);
      }
    } catch (error) {
      return answer(rule, request, fault(request, error, cachedMode(cluster, request, config), config));
    }
    return answerLive({ rule, request, config, cluster, deadline, byCache });
  };
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

function effectiveDecision(rule: Rule, request: AdmissionRequest, view: View, config: Config): EffectiveDecision {
  const decision = decideBounded(rule, request, view, config);
  const softened = decision.verdict === 'deny' && !decision.ignoresMode;
  const mode = softened ? modeOf(view.namespace(request.namespace), config.defaultMode) : 'enforce';
  return { decision, mode, code: 403 };
}

/** A request that the cache alone does not answer. */
interface LiveQuestion {
  readonly rule: Rule;
  readonly request: AdmissionRequest;
  readonly config: Config;
  readonly cluster: Cluster;
  readonly deadline: number;
  /** Undefined when nothing may be decided from the cache. */
  readonly byCache: EffectiveDecision | undefined;
}

async function answerLive(question: LiveQuestion): Promise<ReviewResult> {
  const { rule, request, config, cluster, deadline } = question;
  try {
    const effective = await decideLive(cluster, request.namespace, deadline, view =>
      effectiveDecision(rule, request, view, config),
    ).catch(error => withoutCluster(question, error));
    return answer(rule, request, effective);
  } catch (error) {
    return answer(rule, request, fault(request, error, cachedMode(cluster, request, config), config));
  }
}

/** @throws what is no UnverifiedError. */
function withoutCluster({ rule, request, config, byCache }: LiveQuestion, error: unknown): EffectiveDecision {
  if (!(error instanceof UnverifiedError)) throw error;
  const words = unverifiedWords(request, error.message);
  const decision = rule.unverified?.(request, config, words);
  if (decision !== undefined) return { decision, mode: 'enforce', code: error.status };
  // What is never more than a warning holds nobody up.
  return byCache?.decision.advisory ? byCache : unverified(error.status, words, config, error);
}

/** The mode of a request's namespace, as far as the cache tells: for a fault that may lie in the looking up itself. */
function cachedMode(cluster: Cluster, request: AdmissionRequest, config: Config): Mode {
  try {
    return modeOf(cluster.cache?.namespace(request.namespace), config.defaultMode);
  } catch {
    return config.defaultMode;
  }
}
