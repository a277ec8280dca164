import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isExecutable, promlintFolder, TestbedMissing } from './binaries.ts';

/**
 * What `promtool check metrics` has to say of a page of metrics, a line each.
 * @throws {TestbedMissing}
 */
export async function promlint(page: string): Promise<readonly string[]> {
  const program = join(promlintFolder(), 'promlint');
  if (!isExecutable(program))
    throw new TestbedMissing(`${program} is not built: run "make testbed" first (it needs Go)`);
  const child = spawn(program, { stdio: ['pipe', 'ignore', 'pipe'], timeout: 20_000 });
  const ended = once(child, 'close');
  const problems = text(child.stderr);
  child.stdin.end(page);
  const [code] = await ended;
  const lines = (await problems).split('\n').filter(line => line !== '');
  if (code !== 0 && code !== 3) throw new Error(`promlint ended with ${code}: ${lines.join('; ')}`);
  return lines;
}
