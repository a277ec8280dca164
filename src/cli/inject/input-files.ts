import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type ManifestFile, parseManifests } from '../../cluster/state/manifests.ts';
import { whyUnreadable } from '../../why-unreadable.ts';
import { UsageError } from '../usage-error.ts';

/** @throws {UsageError} */
async function readText(file: string, stdin: Readable): Promise<string> {
  try {
    return await (file === '-' ? text(stdin) : readFile(file, 'utf8'));
  } catch (cause) {
    const why = whyUnreadable(cause, 'file');
    if (why === undefined) throw cause;
    throw new UsageError(`cannot read ${file === '-' ? 'stdin' : JSON.stringify(file)}: ${why}`, { cause });
  }
}

/**
 * Reads the manifests of files, of stdin for `-`.
 * @throws {UsageError | ManifestError}
 */
export async function readInput(files: readonly string[], stdin: Readable): Promise<readonly ManifestFile[]> {
  if (files.filter(file => file === '-').length > 1) throw new UsageError('stdin (-f -) can be read only once');
  const read: ManifestFile[] = [];
  for (const file of files) {
    read.push(parseManifests(await readText(file, stdin), file === '-' ? 'stdin' : file));
  }
  return read;
}
