import type { ProviderProblems } from '../accounts/provider-problem.ts';
import { answer, type ReviewResult } from './answer.ts';
import { type Cluster, UnverifiedError, type View } from './cluster.ts';
import type { Config } from './config.ts';
import { type EffectiveDecision, effectiveDecision } from './effective-decision.ts';
import { failure, unverified, unverifiedWords } from './failure.ts';
import { decideLive } from './live-view.ts';
import { type Mode, modeOf } from './mode.ts';
import { noProviderProblems, withProviderWarning } from './provider-warning.ts';
import type { Endpoint } from './record.ts';
import { RecordingView } from './recording-view.ts';
import type { AdmissionRequest } from './review.ts';
import type { Rule } from './rule.ts';
import { ruleFor } from './rules.ts';

export type { ReviewResult } from './answer.ts';
export type { Endpoint } from './record.ts';

/**
 * Answers a review; never rejects.
 * @param deadline milliseconds of `performance.now()`, by which the answer must be there.
 */
export type Admit = (
  endpoint: Endpoint,
  request: AdmissionRequest,
  deadline: number,
) => ReviewResult | Promise<ReviewResult>;

/** The answer to a review whose decision failed, or did not come in time. */
export type AnswerFailure = (endpoint: Endpoint, request: AdmissionRequest, error: unknown) => ReviewResult;

/** Makes the answers to reviews that cannot be decided: wherever they fail, they get the same one. */
export function createAnswerFailure(cluster: Pick<Cluster, 'cache'>, config: Config): AnswerFailure {
  return (endpoint, request, error) =>
    answer(
      endpoint,
      ruleFor(endpoint, request),
      request,
      failure(request, error, cachedMode(cluster, request, config), config),
    );
}

/**
 * Makes the answers to reviews out of the rules and what is known of the cluster.
 * A decision from the cache is answered at once, without I/O, unless it rests on state that the cache may have wrong.
 * @param providers what pods are warned of.
 */
export function createAdmit(cluster: Cluster, config: Config, providers = noProviderProblems): Admit {
  const answerFailure = createAnswerFailure(cluster, config);
  return (endpoint, request, deadline) => {
    const rule = ruleFor(endpoint, request);
    const fail = (error: unknown) => answerFailure(endpoint, request, error);
    try {
      const { cache } = cluster;
      const view = cache && new RecordingView(cache);
      const byCache = view && effectiveDecision(rule, request, view, config);
      if (byCache !== undefined && !byCache.decision.confirmLive) {
        return answer(endpoint, rule, request, withProviderWarning(byCache, providers));
      }
      return answerLive({ endpoint, rule, request, config, cluster, deadline, view, byCache, providers }).catch(fail);
    } catch (error) {
      return fail(error);
    }
  };
}

/** A request that the cache alone does not answer. */
interface LiveQuestion {
  readonly endpoint: Endpoint;
  readonly rule: Rule;
  readonly request: AdmissionRequest;
  readonly config: Config;
  readonly cluster: Cluster;
  readonly providers: ProviderProblems;
  readonly deadline: number;
  /** What was looked up in the cache, and decided by it; undefined when nothing may be. */
  readonly view: RecordingView | undefined;
  readonly byCache: EffectiveDecision | undefined;
}

async function answerLive(question: LiveQuestion): Promise<ReviewResult> {
  const { endpoint, rule, request, config, cluster, deadline, view } = question;
  const decide = (live: View) => effectiveDecision(rule, request, live, config);
  const effective = await decideLive(cluster, request.namespace, deadline, decide, view?.lookups).catch(error =>
    withoutCluster(question, error),
  );
  return answer(endpoint, rule, request, withProviderWarning(effective, question.providers));
}

/** @throws what is no UnverifiedError. */
function withoutCluster({ rule, request, config, byCache }: LiveQuestion, error: unknown): EffectiveDecision {
  if (!(error instanceof UnverifiedError)) throw error;
  const words = unverifiedWords(request, error.message);
  const decision = rule.unverified?.(request, config, words);
  if (decision !== undefined) return { decision, mode: 'enforce', code: error.status };
  return byCache?.decision.advisory ? byCache : unverified(error.status, words, config, error);
}

/** The mode of a request's namespace, as far as the cache tells: for a fault that may lie in the looking up itself. */
function cachedMode(cluster: Pick<Cluster, 'cache'>, request: AdmissionRequest, config: Config): Mode {
  try {
    return modeOf(cluster.cache?.namespace(request.namespace), config.defaultMode);
  } catch {
    return config.defaultMode;
  }
}
