/** Why a list or watch had to be started again: a closed set, the label `cause` of the metric. */

import { ApiError, ClusterUnreachableError } from '../api/api-errors.ts';

export const restartCauses = ['disconnect', 'silence', 'gone', 'throttled', 'unauthorized', 'error'] as const;
export type RestartCause = (typeof restartCauses)[number];

/** The server said and did nothing for longer than it may. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';
  readonly code = 'Silence';

  constructor(what: string, waitedMs: number) {
    super(`${what}: nothing came for ${Math.round(waitedMs)} ms`);
  }
}

/** `disconnect` no connection or a broken one, `gone` 410, `throttled` 429, `unauthorized` 401, `error` every other answer. */
export function restartCauseOf(error: unknown): RestartCause {
  if (error instanceof SilenceError) return 'silence';
  if (error instanceof ClusterUnreachableError) return 'disconnect';
  if (!(error instanceof ApiError)) return 'error';
  if (error.gone) return 'gone';
  if (error.status === 429) return 'throttled';
  return error.status === 401 ? 'unauthorized' : 'error';
}
