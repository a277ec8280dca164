import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TestbedMissing } from '../testbed/binaries.ts';
import { BuildLock } from '../testbed/build-lock.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';

const limitMs = 600_000;
/** Is written last: some of what is installed cannot be moved to its place when it is whole. */
const marker = '.installed';

export function isInstalled(folder: string): boolean {
  return existsSync(join(folder, marker));
}

/** Fills a folder that all clones of a user share, unless it is whole already; `install` finds no folder. @throws what `install` does */
export async function installOnce(
  folder: string,
  install: () => Promise<void>,
  report: (line: string) => void,
): Promise<void> {
  if (isInstalled(folder)) return;
  let isWaiting = false;
  const lock = await BuildLock.acquire(`${folder}.lock`, pid => {
    if (!isWaiting) report(`waiting for the installation of process ${pid ?? '?'}`);
    isWaiting = true;
  });
  try {
    if (isInstalled(folder)) return;
    rmSync(folder, { recursive: true, force: true });
    await install();
    writeFileSync(join(folder, marker), '');
  } finally {
    lock.release();
  }
}

/** Runs an installer to its end. @throws {TestbedMissing} with the end of what it said */
export async function runInstaller(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string | undefined>> } = {},
): Promise<void> {
  const started = new SupervisedProcess(program, args, options);
  const output = Promise.all([started.stdout, started.stderr].map(stream => (stream === null ? '' : text(stream))));
  const end = await started.wait(limitMs);
  if (end === undefined) started.signal('SIGKILL');
  const said = (await output).join('').trim();
  if (end?.code === 0) return;
  const why = said.slice(-2000) || `exit code ${end?.code ?? 'none in time'}`;
  throw new TestbedMissing(`${program} ${args.join(' ')} failed: ${why}`);
}
