import { ApiError, ClusterUnreachableError } from '../../cluster/api/api-errors.ts';

/** What is read, as errors name it and as RBAC grants it. */
export interface What {
  readonly named: string;
  readonly right: string;
}

/** An error to be thrown when an object could not be read: exit 3. */
export class UnreadError extends ClusterUnreachableError {
  /** Without the object. */
  readonly why: string;
  /** Whether it exists for others: a right is missing. */
  readonly isForbidden: boolean;

  constructor({ named, right }: What, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // RBAC's own words name the verb that is missing.
    const isForbidden = cause instanceof ApiError && cause.status === 403;
    const why = isForbidden ? `${message} (you need the right to ${right})` : message;
    super(`cannot read ${named}: ${why}`, { cause });
    this.name = 'UnreadError';
    this.why = why;
    this.isForbidden = isForbidden;
  }
}
