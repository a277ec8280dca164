import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { ReleaseError } from './release-error.ts';

const limitMs = 600_000;

/** What a program says on stdout. @throws {ReleaseError} when it fails, or takes longer than ten minutes. */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = await once(child, 'close').catch((error: Error) => {
    throw new ReleaseError(`${program} cannot be run: ${error.message}`);
  });
  const [stdout, stderr] = await output;
  if (code !== 0)
    throw new ReleaseError(`${program} ${args.join(' ')} ended with ${code ?? signal}:\n${stderr.trim()}`);
  return stdout;
}
