import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ClusterUnreachableError } from '../api/api-errors.ts';
import type { ReadBudget } from './budget.ts';
import { BudgetSpentError, LiveReadError } from './live-read-result.ts';

/** What is asked of the API server while reviews wait. */
export interface TimedQuestion {
  /** How messages name what is read. */
  readonly what: string;
  /** Whose budget pays. */
  readonly budgetNamespace: string;
  /** Monotonic milliseconds. A caller that joins may move it later. */
  readonly deadlineAt: number;
}

/** First pause before a failed attempt is repeated; it doubles. */
const firstPauseMs = 50;
/** Part of the time that the first attempt may use: it may be on a connection that died silently, the second will not. */
const firstAttemptPart = 0.4;

/**
 * Asks as often as it fails and there is time, a token of the budget each time.
 * @param attempt ends when its signal aborts: its part of the time is over.
 * @throws what the last attempt threw; {BudgetSpentError | LiveReadError} where there was none.
 */
export async function repeatInTime<T>(
  question: TimedQuestion,
  budget: ReadBudget,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { what, budgetNamespace } = question;
  let failure: unknown;
  for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
    const leftMs = question.deadlineAt - performance.now();
    if (leftMs <= 0) throw failure ?? new LiveReadError(what, 'no answer came in time');
    if (!budget.take(budgetNamespace)) throw failure ?? new BudgetSpentError(what);
    try {
      return await withLimit(failure === undefined ? leftMs * firstAttemptPart : leftMs, attempt);
    } catch (error) {
      failure = error;
      const waitMs = error instanceof ApiError ? Math.max(pauseMs, error.retryAfterMs ?? 0) : pauseMs;
      if (!isPassing(error) || performance.now() + waitMs >= question.deadlineAt) throw error;
      await sleep(waitMs);
    }
  }
}

async function withLimit<T>(limitMs: number, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs);
  try {
    return await attempt(limit.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Worth another try while there is time: a connection that broke, a server that is restarting or busy. */
function isPassing(error: unknown): boolean {
  if (error instanceof ClusterUnreachableError) return true;
  return error instanceof ApiError && (error.status >= 500 || error.status === 429);
}
