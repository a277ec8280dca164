import { ApiError, ClusterUnreachableError } from '../../cluster/api/api-errors.ts';
import { quote } from '../../objects/quote.ts';

/** What a Role must allow for it. */
export const tokenRight = 'create serviceaccounts/token';

/** An error to be thrown when the API server gives no token of a ServiceAccount: exit 3. */
export class NoTokenError extends ClusterUnreachableError {
  /** Whether a right is missing. */
  readonly isForbidden: boolean;

  /** @param subject NAMESPACE/NAME. */
  constructor(subject: string, cause: unknown) {
    const isForbidden = cause instanceof ApiError && cause.status === 403;
    const why = cause instanceof Error ? cause.message : String(cause);
    const right = ` (you need the right to ${tokenRight} in that namespace; the ClusterRole in deploy/examples/verifier.yaml has it)`;
    super(`cannot get a token of ServiceAccount ${quote(subject)}: ${why}${isForbidden ? right : ''}`, { cause });
    this.name = 'NoTokenError';
    this.isForbidden = isForbidden;
  }
}
