import { delimiter, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { SupervisedProcess } from '../../test/testbed/supervised-process.ts';

export interface RunStep {
  readonly command: string;
  readonly cwd: string;
  readonly env: ReadonlyMap<string, string>;
  /** What it may start. */
  readonly programs: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

const limitMs = 600_000;
const linesKept = 20;

/**
 * Runs the command of a RUN, as this machine's own process: it is not isolated. Its root is this machine's, so a package manager
 * would change this machine, and an absolute path would be a file of this machine. Therefore it may only start the programs
 * that are given, with words that mean the same in a root of its own.
 * @returns what is wrong, if something is: with the end of what the command has said.
 */
export async function runStep({ command, cwd, env, programs, signal }: RunStep): Promise<string | undefined> {
  const [program = '', ...args] = command.split(/\s+/);
  if (!programs.includes(program)) {
    const allowed = programs.length === 0 ? 'no program' : programs.join(' and ');
    return `without a container engine it can run ${allowed}, not ${JSON.stringify(program)}`;
  }
  const unclear = args.find(
    word => !/^[\w.@%+:,=-][\w.@%+:,=/-]*$/.test(word) || /=\/|(?:^|[/=])\.\.(?:\/|$)/.test(word),
  );
  if (unclear !== undefined) {
    return `without a container engine its words must be plain, with no path out of its folder, not ${JSON.stringify(unclear)}`;
  }
  const child = startForEveryone(() => new SupervisedProcess(program, args, { cwd, env: environment(env) }));
  const stop = () => void child.stop();
  signal?.addEventListener('abort', stop, { once: true });
  const last: string[] = [];
  const read = (output: Readable | null) => keepLines(output, last);
  const outputs = Promise.all([read(child.stdout), read(child.stderr)]);
  const end = await child.wait(limitMs);
  if (end === undefined) await child.stop();
  await outputs;
  signal?.removeEventListener('abort', stop);
  if (end?.code === 0) return undefined;
  const how = end === undefined ? `took longer than ${limitMs / 1000} s` : `ended with ${end.code ?? end.signal}`;
  return [`${command} ${how}`, ...last, ...registryProblem(last)].join('\n');
}

/** In an image another user reads what a RUN has written, so this machine's umask must not be in it. */
function startForEveryone(start: () => SupervisedProcess): SupervisedProcess {
  const umask = process.umask(0o022);
  try {
    return start();
  } finally {
    process.umask(umask);
  }
}

async function keepLines(output: Readable | null, last: string[]): Promise<void> {
  if (output === null) return;
  for await (const line of createInterface({ input: output })) {
    last.push(line);
    if (last.length > linesKept) last.shift();
  }
}

/** This Node.js comes first. What another npm has set for its own script, and a NODE_ENV, would change what npm installs. */
function environment(env: ReadonlyMap<string, string>): Record<string, string | undefined> {
  const foreign = Object.keys(process.env).filter(
    name => /^(?:npm_(?!config_)|npm_config_(?:local_prefix|omit|include)$)/i.test(name) || name === 'NODE_ENV',
  );
  return {
    ...Object.fromEntries(foreign.map(name => [name, undefined])),
    ...Object.fromEntries(env),
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
  };
}

/** npm's codes for a registry that does not answer. https://nodejs.org/api/errors.html#common-system-errors */
function registryProblem(lines: readonly string[]): string[] {
  const unreachable =
    /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/;
  const code = lines.map(line => unreachable.exec(line)?.[0]).find(found => found !== undefined);
  return code === undefined
    ? []
    : [
        `npm cannot reach its registry (${code}). \`npm config get registry\` shows which one, \`npm config set registry URL\` sets another.`,
      ];
}
