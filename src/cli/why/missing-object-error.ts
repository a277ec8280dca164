/** An error to be thrown when there is no object of the name that was asked about: one line for the user, exit 1. */
export class MissingObjectError extends Error {
  override readonly name = 'MissingObjectError';
  readonly code = 'MissingObject';
}
