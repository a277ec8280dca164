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

  constructor({ named, right }: What, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // RBAC's own words name the verb that is missing.
    const forbidden = cause instanceof ApiError && cause.status === 403;
    const why = forbidden ? `${message} (you need the right to ${right})` : message;
    super(`cannot read ${named}: ${why}`, { cause });
    this.name = 'UnreadError';
    this.why = why;
  }
}
