import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Unreadable, whyUnreadable } from '../../why-unreadable.ts';
import { UsageError } from '../usage-error.ts';

/** Files of one folder, with those of its subfolders under `-R`. */
export const mostFiles = 10_000;
/** What is looked at to find them: a folder such as `/` holds millions. */
export const mostEntries = 100_000;

/** As kubectl takes them: the end of the name, in lower case, hidden files too. */
const manifestFile = /\.(?:ya?ml|json)$/;

/** @throws {UsageError} that names what cannot be read. */
export async function readingInput<T>(path: string, what: Unreadable, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (cause) {
    const why = whyUnreadable(cause, what);
    if (why === undefined) throw cause;
    throw new UsageError(`cannot read ${JSON.stringify(path)}: ${why}`, { cause });
  }
}

function inOrderOfNames(entries: readonly Dirent[]): readonly Dirent[] {
  return entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

/**
 * The manifests of a folder, in kubectl's order: by name, a folder's files where its own name stands. Like kubectl, this
 * follows no link to a folder, so there is no circle to get lost in.
 * https://github.com/kubernetes/cli-runtime/blob/master/pkg/resource/visitor.go (ExpandPathsToFileVisitors)
 * @throws {UsageError}
 */
export async function filesOfFolder(folder: string, recursive: boolean): Promise<readonly string[]> {
  const files: string[] = [];
  let entries = 0;
  let skippedFolders = false;
  const walk = async (path: string): Promise<void> => {
    const found = await readingInput(path, 'folder', readdir(path, { withFileTypes: true }));
    entries += found.length;
    if (entries > mostEntries) {
      throw new UsageError(
        `folder ${JSON.stringify(folder)} has more than ${mostEntries} entries; name smaller folders with -f`,
      );
    }
    for (const entry of inOrderOfNames(found)) {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) {
        skippedFolders ||= !recursive;
        if (recursive) await walk(inside);
      } else if (manifestFile.test(entry.name)) {
        files.push(inside);
        if (files.length > mostFiles) {
          throw new UsageError(
            `folder ${JSON.stringify(folder)} has more than ${mostFiles} manifests; name smaller folders with -f`,
          );
        }
      }
    }
  };
  await walk(folder);
  if (files.length === 0) {
    const hint = skippedFolders ? '; -R reads its subfolders too' : '';
    throw new UsageError(`there is no .yaml, .yml or .json file in folder ${JSON.stringify(folder)}${hint}`);
  }
  for (const file of files) {
    const target = await readingInput(file, 'file', stat(file));
    // A pipe would be waited for without end.
    if (!target.isFile() && !target.isDirectory())
      throw new UsageError(`cannot read ${JSON.stringify(file)}: it is not a file`);
  }
  return files;
}
