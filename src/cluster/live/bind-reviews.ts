import { createHash } from 'node:crypto';
import { type BindAnswer, type BindGrant, bindGroup } from '../../admission/cluster.ts';
import type { UserInfo } from '../../admission/review.ts';
import { withDeadline } from '../../deadline.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import type { ApiConnection, ApiPool } from '../api/api-connection.ts';
import { ApiProtocolError } from '../api/api-errors.ts';
import { apiPaths } from '../api/api-requests.ts';
import { type BudgetOptions, ReadBudget } from './budget.ts';
import { BudgetSpentError, LiveReadError, type LiveReadResult, liveReadErrorOf } from './live-read-result.ts';
import { repeatInTime } from './repeat-in-time.ts';

export interface BindReviewsOptions {
  readonly connection: ApiConnection;
  readonly budget?: BudgetOptions;
  /** Must not throw. */
  readonly onResult?: (resource: string, result: LiveReadResult) => void;
}

/** Name of these reviews in metrics. */
export const bindReviewsResource = 'subjectaccessreviews';

/** At a time, on connections of their own: pods' live reads never stand behind them. */
const concurrency = 4;
/** Characters of a user's names: some 2,000 groups by their full names. Tokens and certificates decide how many there are. */
const mostCharacters = 128 * 1024;
/** What each name costs besides its characters. */
const perName = 8;
/** The API server repeats the question, in which each character may be an escape of six. */
const mostAnswerBytes = 2 * 1024 * 1024;
/**
 * Each user pays for what they ask, whatever the names of the namespaces: those may be any. One of them, who may write some 18
 * accounts into each, can have no more than half. Enough for a GitOps controller that binds hundreds of namespaces at once.
 */
const defaultBudget: BudgetOptions = {
  namespace: { perSecond: 100, burst: 500 },
  total: { perSecond: 200, burst: 1000 },
};

/** The bucket of a user: budgets know namespaces by their names, and a user's may be long, and of any characters. */
function payerOf({ username }: UserInfo): string {
  return createHash('sha256').update(username).digest('hex');
}

/** The extra fields of a user. @returns undefined for a shape that no API server sends. */
function readExtra(extra: unknown): ReadonlyMap<string, readonly string[]> | undefined {
  if (extra === undefined || extra === null) return new Map();
  if (!isJsonObject(extra)) return undefined;
  const read = new Map<string, readonly string[]>();
  for (const [key, values] of Object.entries(extra)) {
    if (!Array.isArray(values) || !values.every(value => typeof value === 'string')) return undefined;
    read.set(key, values);
  }
  return read;
}

/** Whether a user is too long to be passed on. */
function isTooLong({ username, uid, groups }: UserInfo, extra: ReadonlyMap<string, readonly string[]>): boolean {
  let left = mostCharacters;
  const names = [[username, uid], groups, ...Array.from(extra, ([key, values]) => [key, ...values])];
  for (const list of names) {
    for (const name of list) {
      left -= name.length + perName;
      if (left < 0) return true;
    }
  }
  return false;
}

/**
 * The question, about a resource without a namespace: a Role must not grant it, since whoever owns a namespace could then
 * grant themselves all accounts.
 * @returns undefined where the user cannot be passed on whole. Part of a user would be another user.
 * https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/
 */
function accessReview(user: UserInfo, { resource, id }: BindGrant): JsonObject | undefined {
  const extra = readExtra(user.extra);
  if (extra === undefined || isTooLong(user, extra)) return undefined;
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      resourceAttributes: { group: bindGroup, resource, verb: 'bind', ...(id !== undefined && { name: id }) },
      user: user.username,
      uid: user.uid,
      groups: user.groups,
      extra: Object.fromEntries(extra),
    },
  };
}

function answerOf(review: JsonObject): BindAnswer {
  const status = isJsonObject(review['status']) ? review['status'] : {};
  const { allowed, evaluationError } = status;
  if (typeof allowed !== 'boolean') throw new ApiProtocolError('the answer is not a SubjectAccessReview');
  if (allowed) return 'granted';
  return typeof evaluationError === 'string' && evaluationError !== '' ? 'unsure' : 'denied';
}

/**
 * Asks the API server whether a user may bind, by a SubjectAccessReview for each question. Nothing is cached: bindings seldom
 * change, and a right that was just granted or taken must count at once. The API server itself caches only what a webhook that
 * authorizes for it has said.
 * https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--authorization-webhook-cache-authorized-ttl)
 */
export class BindReviews {
  readonly #options: BindReviewsOptions;
  readonly #pool: ApiPool;
  readonly #budget: ReadBudget;

  constructor(options: BindReviewsOptions) {
    this.#options = options;
    this.#pool = options.connection.pool(concurrency);
    this.#budget = new ReadBudget({ ...defaultBudget, ...options.budget });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /**
   * @param what how messages name the question.
   * @param deadlineAt monotonic milliseconds at which the caller must have an answer.
   * @throws {BudgetSpentError | LiveReadError}
   */
  async ask(
    user: UserInfo,
    grant: BindGrant,
    { what, deadlineAt }: { what: string; deadlineAt: number },
  ): Promise<BindAnswer> {
    const question = { what, budgetNamespace: payerOf(user), deadlineAt };
    try {
      const review = accessReview(user, grant);
      if (review === undefined)
        throw new LiveReadError(what, 'the user has more groups and extra fields than are sent');
      const answer = repeatInTime(question, this.#budget, signal => this.#post(review, signal));
      const late = () => new LiveReadError(what, 'no answer came in time');
      const found = await withDeadline(answer, deadlineAt - performance.now(), late);
      this.#tell(found === 'granted' ? 'found' : 'absent');
      return found;
    } catch (error) {
      this.#tell(error instanceof BudgetSpentError ? 'throttled' : 'error');
      throw liveReadErrorOf(what, error);
    }
  }

  async #post(review: JsonObject, signal: AbortSignal): Promise<BindAnswer> {
    const options = { signal, maxBytes: mostAnswerBytes };
    return answerOf(await this.#pool.postJson(apiPaths.subjectAccessReviews, review, options));
  }

  #tell(result: LiveReadResult): void {
    this.#options.onResult?.(bindReviewsResource, result);
  }
}
