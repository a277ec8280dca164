import { spawn } from 'node:child_process';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/run.ts';
import { builtBundle } from '../built-bundle.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandInput {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A path of the repository. */
export function inRepository(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** Namespaces `team-a` (bound, mapped) and `team-b` (bound, not mapped). */
export const demoState: string = inRepository('test/demo/state');

/** Runs a command line in this process, with streams and an environment of its own. */
export async function runCommand(argv: readonly string[], input: CommandInput = {}): Promise<CommandResult> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const output = Promise.all([text(stdout), text(stderr)]);
  const stdin = Readable.from([Buffer.from(input.stdin ?? '')]);
  const code = await run(argv, { env: input.env ?? {}, stdin, stdout, stderr });
  stdout.end();
  stderr.end();
  const [out, err] = await output;
  return { code, stdout: out, stderr: err };
}

const childLimitMs = 20_000;

/** Runs the built bundle as a process of its own. */
export async function runBundle(argv: readonly string[], input: CommandInput = {}): Promise<CommandResult> {
  const child = spawn(process.execPath, [builtBundle(), ...argv], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...input.env },
    timeout: childLimitMs,
    killSignal: 'SIGKILL',
  });
  const ended = Promise.withResolvers<number>();
  child.once('close', code => ended.resolve(code ?? -1));
  child.once('error', ended.reject);
  child.stdin.on('error', () => {});
  child.stdin.end(input.stdin ?? '');
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended.promise]);
  return { code, stdout, stderr };
}
