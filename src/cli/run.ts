import type { Command, LazyCommand, Surroundings } from './command.ts';
import { echo } from './flags/flag.ts';
import { calledAs, type Program } from './program.ts';
import { exitCodes, UsageError } from './usage-error.ts';

/** Nothing else may be imported above: only so `version` and help come at once. */
const commands: readonly LazyCommand[] = [
  { name: 'serve', summary: 'Answer the admission reviews of an API server', load: () => import('./serve/serve.ts') },
  { name: 'inject', summary: 'Show what the webhook would do to manifests', load: () => import('./inject/inject.ts') },
  {
    name: 'check',
    summary: 'Find what is wrong with maps, namespaces, ServiceAccounts, ACK resources and pods',
    load: () => import('./check/check.ts'),
  },
  {
    name: 'label',
    summary: 'Label the namespaces that were bound before the webhook was installed',
    load: () => import('./label/label.ts'),
  },
  {
    name: 'why',
    summary: 'Explain the decision on a pod, a workload or a namespace',
    load: () => import('./why/why.ts'),
  },
  {
    name: 'verify',
    summary: 'Ask AWS whether pods get their role',
    load: () => import('./verify/verify.ts'),
  },
  {
    name: 'iam',
    summary: 'Write the trust and permission policies that the roles of pods need in AWS',
    load: () => import('./iam/iam.ts'),
  },
  {
    name: 'startup-check',
    summary: 'Prove that a pod would be injected, for the Job of the Helm chart',
    load: () => import('./release/startup-check.ts'),
  },
  {
    name: 'remove-configurations',
    summary: 'Remove the webhook configurations, for the Job of the Helm chart',
    load: () => import('./release/remove-configurations.ts'),
  },
  {
    name: 'completion',
    summary: 'Print a completion script for bash, zsh or fish',
    load: () => import('./completion/completion.ts'),
  },
  { name: 'version', summary: 'Print the version', load: () => import('./version.ts') },
];

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

/** @throws {UsageError} */
async function commandOf(name: string): Promise<Command> {
  const command = commands.find(candidate => candidate.name === name || `--${candidate.name}` === name);
  if (command !== undefined) return (await command.load()).command;
  const names = commands.map(candidate => candidate.name).join(', ');
  throw new UsageError(`unknown command ${echo(name)}; commands are: ${names}`);
}

/** The help on a command, or on all of them. @throws {UsageError} */
async function helpOn(words: readonly string[]): Promise<string> {
  const [name, more] = words.filter(word => !word.startsWith('-') && word !== 'help');
  if (more !== undefined) throw new UsageError(`help takes one command, and no argument ${echo(more)}`);
  return name === undefined ? generalHelp() : (await commandOf(name)).help();
}

async function dispatch(argv: readonly string[], surroundings: Surroundings, program: Program): Promise<number> {
  const [name, ...rest] = argv;
  const say = (help: string) => surroundings.stdout.write(calledAs(program, help));
  if (name === undefined) {
    surroundings.stderr.write(calledAs(program, generalHelp()));
    return exitCodes.usage;
  }
  // What completion scripts and kubectl ask: it is no command for people.
  if (name === '__complete') {
    const { complete } = await import('./completion/complete.ts');
    surroundings.stdout.write(await complete(rest, commands));
    return exitCodes.done;
  }
  if (helpWords.has(name)) {
    say(await helpOn(rest));
    return exitCodes.done;
  }
  const command = await commandOf(name);
  if (rest.some(word => word === '--help' || word === '-h')) {
    say(command.help());
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

/**
 * Runs a command line.
 * @param program as what it is called: help and hints say so.
 * @returns the exit code; what is the user's to fix is a line on stderr, never a trace.
 */
export async function run(
  argv: readonly string[],
  surroundings: Surroundings,
  program: Program = 'carm-webhook',
): Promise<number> {
  endQuietlyWhenUnread(surroundings);
  try {
    return await dispatch(argv, surroundings, program);
  } catch (error) {
    const { userErrorOf } = await import('./user-error.ts');
    const mistake = userErrorOf(error);
    if (mistake === undefined) throw error;
    for (const line of mistake.lines) {
      surroundings.stderr.write(`carm-webhook: ${calledAs(program, line).replaceAll(/\s*\n\s*/g, ' ')}\n`);
    }
    return mistake.code;
  }
}
