import { ApiError, ClusterUnreachableError } from '../../cluster/api/api-errors.ts';
import { quote } from '../../objects/quote.ts';

/** An error to be thrown when a namespace could not be changed: exit 3. */
export class UnwrittenError extends ClusterUnreachableError {
  /** The API server's own answer, if it gave one. */
  readonly answer: ApiError | undefined;

  constructor(namespace: string, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const answer = cause instanceof ApiError ? cause : undefined;
    // RBAC and another webhook both answer 403.
    const right = answer?.status === 403 ? ' (you need the right to patch namespaces)' : '';
    super(`cannot label Namespace ${quote(namespace)}: ${message}${right}`, { cause });
    this.name = 'UnwrittenError';
    this.answer = answer;
  }
}
