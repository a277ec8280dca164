/** What can come of a read while a review waits. */

/** The object may exist, but the budget for asking is spent. */
export class BudgetSpentError extends Error {
  override readonly name = 'BudgetSpentError';
  readonly code = 'BudgetSpent';

  constructor(what: string) {
    super(`${what} was not read: too many reads in a short time`);
  }
}

/** The object may exist, but nobody could tell in time. */
export class LiveReadError extends Error {
  override readonly name = 'LiveReadError';
  readonly code = 'LiveRead';

  constructor(what: string, why: string, options?: ErrorOptions) {
    super(`${what} could not be read: ${why}`, options);
  }
}

/** What a failed read is answered with. */
export function liveReadErrorOf(what: string, cause: unknown): BudgetSpentError | LiveReadError {
  if (cause instanceof BudgetSpentError || cause instanceof LiveReadError) return cause;
  return new LiveReadError(what, cause instanceof Error ? cause.message : String(cause), { cause });
}

/** `shared` counts callers that joined a read that was asked for by another; the others count reads. */
export const liveReadResults = ['found', 'absent', 'error', 'throttled', 'shared'] as const;
export type LiveReadResult = (typeof liveReadResults)[number];
