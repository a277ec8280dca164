/** Every HTTP status that a request is refused with: the client's mistake, never a 5xx. */
export const httpErrorStatuses = [400, 404, 405, 408, 413, 415] as const;
export type HttpErrorStatus = (typeof httpErrorStatuses)[number];

/** An error to be thrown when a request is no review that could be answered. Its message is the one line of the answer. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code = 'HttpRefused';
  readonly status: HttpErrorStatus;
  /** The methods of the path, for 405: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6 */
  readonly allow: string | undefined;

  constructor(status: HttpErrorStatus, line: string, allow?: string) {
    super(line);
    this.status = status;
    this.allow = allow;
  }
}

/** An error to be thrown when the client left before its request was complete: nobody is there to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
  readonly code = 'ClientGone';
}
