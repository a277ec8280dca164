import type { Readable, Writable } from 'node:stream';

/** What a command may touch of its surroundings; a test gives its own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** One command of `carm-webhook`. */
export interface Command {
  readonly help: () => string;
  /**
   * Runs the command.
   * @returns the exit code.
   * @throws {UsageError} and the errors that `run.ts` knows an exit code for.
   */
  readonly run: (argv: readonly string[], surroundings: Surroundings) => Promise<number>;
}
