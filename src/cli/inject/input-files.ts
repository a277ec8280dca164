import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type ManifestFile, parseManifests } from '../../cluster/state/manifests.ts';
import { whyUnreadable } from '../../why-unreadable.ts';
import { UsageError } from '../usage-error.ts';
import { filesOfFolder, readingInput } from './folder-files.ts';

/** Of all files and stdin together. */
export const mostInputMiB = 256;
const mostInputBytes = mostInputMiB * 1024 * 1024;

function nameOf(file: string): string {
  return file === '-' ? 'stdin' : JSON.stringify(file);
}

class InputReader {
  readonly #stdin: Readable;
  #bytes = 0;

  constructor(stdin: Readable) {
    this.#stdin = stdin;
  }

  /** @throws {UsageError | ManifestError} */
  async read(file: string): Promise<ManifestFile> {
    return parseManifests(await this.#textOf(file), file === '-' ? 'stdin' : file);
  }

  /** @throws {UsageError} */
  async #textOf(file: string): Promise<string> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of file === '-' ? this.#stdin : createReadStream(file)) {
        chunks.push(Buffer.from(chunk));
        this.#bytes += chunk.length;
        if (this.#bytes > mostInputBytes) {
          throw new UsageError(`cannot read ${nameOf(file)}: with it, the input is larger than ${mostInputMiB} MiB`);
        }
      }
    } catch (cause) {
      const why = cause instanceof UsageError ? undefined : whyUnreadable(cause, 'file');
      if (why === undefined) throw cause;
      throw new UsageError(`cannot read ${nameOf(file)}: ${why}`, { cause });
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

/**
 * Reads the manifests of files, of the files in folders, of stdin for `-`.
 * @param recursive whether subfolders count.
 * @throws {UsageError | ManifestError}
 */
export async function readInput(
  names: readonly string[],
  recursive: boolean,
  stdin: Readable,
): Promise<readonly ManifestFile[]> {
  if (names.filter(name => name === '-').length > 1) throw new UsageError('stdin (-f -) can be read only once');
  const reader = new InputReader(stdin);
  const read: ManifestFile[] = [];
  for (const name of names) {
    const isFolder = name !== '-' && (await readingInput(name, 'file', stat(name))).isDirectory();
    for (const file of isFolder ? await filesOfFolder(name, recursive) : [name]) read.push(await reader.read(file));
  }
  return read;
}
