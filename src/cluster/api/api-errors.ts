/** What can go wrong between us and the API server. Each class has a stable `code`. */

/** The API server answered, but not with what was asked for. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError';
  readonly code = 'ApiError';
  /** HTTP status, or the `code` of a Status object that came in place of an event. */
  readonly status: number;
  /** `reason` of the Status object (`Expired`, `NotFound`, …); empty when the body was no Status. */
  readonly reason: string;
  /** How long the server asked us to wait, if it did. */
  readonly retryAfterMs: number | undefined;

  /** `message` of the Status object, of a length that fits in a line; empty when there was none. */
  readonly said: string;

  constructor(status: number, reason: string, message: string, retryAfterMs?: number, said = '') {
    super(message);
    this.said = said;
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }

  /**
   * The version that we asked for is no longer kept: only a new list helps.
   * https://kubernetes.io/docs/reference/using-api/api-concepts/#410-gone-responses
   */
  get gone(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }

  /** The object does not exist, in the API server's own words. A 404 of something between us and it says nothing. */
  get notFound(): boolean {
    return this.status === 404 && this.reason === 'NotFound';
  }
}

/** No answer: no connection, no credentials, a connection that broke, or a deadline that passed. */
export class ClusterUnreachableError extends Error {
  override name = 'ClusterUnreachableError';
  readonly code = 'ClusterUnreachable';
}

/** The answer is not what the API promises: not JSON, no such shape, an order that cannot be. */
export class ApiProtocolError extends Error {
  override readonly name: string = 'ApiProtocolError';
  readonly code = 'ApiProtocol';
}

/** The answer is longer than we take. A list may fit in smaller pages. */
export class AnswerTooLongError extends ApiProtocolError {
  override readonly name = 'AnswerTooLongError';

  constructor(maxBytes: number) {
    super(`the answer is longer than ${maxBytes} bytes`);
  }
}
