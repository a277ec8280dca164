/** An error to be thrown when a release cannot be made as things are; the message says what to change. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';
  readonly code = 'ReleaseError';
}
