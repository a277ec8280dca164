import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type ManifestFile, parseManifests } from '../cluster/manifests.ts';
import { UsageError } from './usage-error.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder; name the files in it',
};

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}

/**
 * Reads the manifests of files, of stdin for `-`.
 * @throws {UsageError | ManifestError}
 */
export async function readInput(files: readonly string[], stdin: Readable): Promise<readonly ManifestFile[]> {
  if (files.filter(file => file === '-').length > 1) throw new UsageError('stdin (-f -) can be read only once');
  const read: ManifestFile[] = [];
  for (const file of files) {
    try {
      const content = file === '-' ? await text(stdin) : await readFile(file, 'utf8');
      read.push(parseManifests(content, file === '-' ? 'stdin' : file));
    } catch (cause) {
      if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
      throw new UsageError(`cannot read ${JSON.stringify(file)}: ${whyUnreadable(cause)}`, { cause });
    }
  }
  return read;
}
