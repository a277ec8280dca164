import type { Readable, Writable } from 'node:stream';
import type { Flags } from './flags/flag.ts';

/** What a command may touch of its surroundings; a test gives its own. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** One command of `carm-webhook`. */
export interface Command {
  readonly flags: Flags;
  /** Arguments that it takes, where they are a few words. */
  readonly words?: readonly string[];
  readonly help: () => string;
  /**
   * Runs the command.
   * @returns the exit code.
   * @throws {UsageError} and the errors that `run.ts` knows an exit code for.
   */
  readonly run: (argv: readonly string[], surroundings: Surroundings) => Promise<number>;
}

/** A command, loaded when it is asked for: only so `version` and help come at once. */
export interface LazyCommand {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}
