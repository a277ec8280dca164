/** Programs of this machine, with what they need to run in a root folder of their own. */

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, copyFile, mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** An error to be thrown when a program or a library of it is not on this machine. */
export class ProgramFilesMissing extends Error {
  override readonly name = 'ProgramFilesMissing';
  readonly code = 'ProgramFilesMissing';
}

export interface ProgramCopy {
  /** An absolute path on this machine. */
  readonly program: string;
  readonly root: string;
  /** Its path in the root, if it is another. */
  readonly to?: string;
}

/**
 * Copies a program and the shared libraries that it names. Libraries keep the paths where the loader finds them here, also
 * when links lead there; a program that finds its libraries relative to itself can therefore not be moved.
 * @throws {ProgramFilesMissing}
 */
export async function copyProgram({ program, root, to = program }: ProgramCopy): Promise<void> {
  await copyFollowed(program, join(root, to));
  for (const library of await sharedLibraries(program)) await copyFollowed(library, join(root, library));
}

/**
 * The paths of the shared libraries that a program loads at its start, the loader among them. A static program has none.
 * https://man7.org/linux/man-pages/man1/ldd.1.html
 * @throws {ProgramFilesMissing}
 */
export async function sharedLibraries(program: string): Promise<string[]> {
  await access(program, constants.R_OK).catch(() => {
    throw new ProgramFilesMissing(`${program} cannot be read`);
  });
  // What only this shell's LD_LIBRARY_PATH finds, no container finds.
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
  const { stdout } = await promisify(execFile)('ldd', [program], { env }).catch(
    (failed: Error & { stdout?: string; stderr?: string }) => {
      if (/not a dynamic executable/.test(`${failed.stderr}${failed.stdout}`)) return { stdout: '' };
      throw new ProgramFilesMissing(`ldd ${program}: ${failed.stderr?.trim() || failed.message}`);
    },
  );
  return librariesIn(stdout);
}

/**
 * What ldd's answer names: `NAME => PATH (ADDRESS)`, and the loader by its path alone. The kernel's vdso has no path.
 * @throws {ProgramFilesMissing}
 */
export function librariesIn(answer: string): string[] {
  const missing = /^\s*(\S+) => not found$/m.exec(answer)?.[1];
  if (missing !== undefined) throw new ProgramFilesMissing(`the library ${missing} is not on this machine`);
  const paths = answer.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x[0-9a-f]+\)$/gm);
  return [...new Set(Array.from(paths, ([, path = '']) => resolve(path)))];
}

/** Copies what a path leads to, as a file that everyone may read and run. */
async function copyFollowed(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to, constants.COPYFILE_FICLONE).catch(error => {
    throw new ProgramFilesMissing(`${from} could not be copied: ${String(error)}`);
  });
  // The user of a container may be another than the owner here; and two programs may bring the same library.
  await chmod(to, 0o755);
}
