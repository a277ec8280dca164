/** Exit codes of every command. */
export const exitCodes = {
  done: 0,
  /** Something was denied or found, or is not there. */
  denied: 1,
  /** Bad usage or unreadable input. */
  usage: 2,
  /** The cluster cannot be reached. */
  unreachable: 3,
} as const;

/** An error to be thrown when the command line, the environment or an input cannot be used: one line for the user, exit 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'Usage';
}

/** An error to be thrown when there is no object of the name that was asked about: one line for the user, exit 1. */
export class MissingObjectError extends Error {
  override readonly name = 'MissingObjectError';
  readonly code = 'MissingObject';
}
