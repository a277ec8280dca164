import { ClusterUnreachableError } from '../cluster/api/api-errors.ts';
import { ManifestError } from '../cluster/state/manifests.ts';
import { StateError } from '../cluster/state/state-directory.ts';
import { MalformedObjectError } from '../objects/json.ts';
import { checkCommand } from './check/check.ts';
import type { Command, Surroundings } from './command.ts';
import { echo } from './flags/flag.ts';
import { injectCommand } from './inject/inject.ts';
import { serveCommand } from './serve/serve.ts';
import { exitCodes, UsageError } from './usage-error.ts';
import { versionCommand } from './version.ts';
import { MissingObjectError } from './why/missing-object-error.ts';
import { whyCommand } from './why/why.ts';

const commands: readonly Command[] = [serveCommand, injectCommand, checkCommand, whyCommand, versionCommand];

function generalHelp(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n');
  return `Usage: carm-webhook COMMAND [flags]

A Kubernetes admission webhook: pods get the AWS role of the account that their namespace is bound to.

Commands:
${list}

\`carm-webhook COMMAND --help\` lists the flags of a command.
Exit codes: 0 done, 1 something was denied or found, 2 bad usage or unreadable input, 3 the cluster cannot be reached.
`;
}

const helpWords: ReadonlySet<string> = new Set(['help', '--help', '-h']);

/** The exit code of an error that is an answer to the user, or theirs to fix; undefined for a fault of ours. */
function codeOf(error: unknown): number | undefined {
  if (error instanceof UsageError || error instanceof StateError) return exitCodes.usage;
  if (error instanceof ManifestError || error instanceof MalformedObjectError) return exitCodes.usage;
  if (error instanceof MissingObjectError) return exitCodes.denied;
  if (error instanceof ClusterUnreachableError) return exitCodes.unreachable;
  return undefined;
}

/** @throws {UsageError} */
function commandOf(name: string): Command {
  const command = commands.find(candidate => candidate.name === name || `--${candidate.name}` === name);
  if (command !== undefined) return command;
  const names = commands.map(candidate => candidate.name).join(', ');
  throw new UsageError(`unknown command ${echo(name)}; commands are: ${names}`);
}

/** The help on a command, or on all of them. @throws {UsageError} */
function helpOn(words: readonly string[]): string {
  const [name, more] = words.filter(word => !word.startsWith('-'));
  if (more !== undefined) throw new UsageError(`help takes one command, and no argument ${echo(more)}`);
  return name === undefined ? generalHelp() : commandOf(name).help();
}

async function dispatch(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    surroundings.stderr.write(generalHelp());
    return exitCodes.usage;
  }
  if (helpWords.has(name)) {
    surroundings.stdout.write(helpOn(rest));
    return exitCodes.done;
  }
  const command = commandOf(name);
  if (rest.some(word => word === '--help' || word === '-h')) {
    surroundings.stdout.write(command.help());
    return exitCodes.done;
  }
  return command.run(rest, surroundings);
}

/** A reader that has seen enough (`| head`) closes its end; what it does not want is not missed. */
function endQuietlyWhenUnread({ stdout, stderr }: Surroundings): void {
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** One line each thing to fix; only a state folder has several. */
function linesOf(error: unknown): readonly string[] {
  if (error instanceof StateError) return error.lines;
  return [error instanceof Error ? error.message : String(error)];
}

/** Runs a command line. @returns the exit code; what is the user's to fix is a line on stderr, never a trace. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  endQuietlyWhenUnread(surroundings);
  try {
    return await dispatch(argv, surroundings);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    for (const line of linesOf(error)) {
      surroundings.stderr.write(`carm-webhook: ${line.replaceAll(/\s*\n\s*/g, ' ')}\n`);
    }
    return code;
  }
}
