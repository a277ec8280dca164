import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

/** An error to be thrown when `tar` is not GNU tar, whose options make archives reproducible. */
export class GnuTarMissing extends Error {
  override readonly name = 'GnuTarMissing';
  readonly code = 'GnuTarMissing';
}

/** An error to be thrown when tar fails; the message has what it said. */
export class TarFailed extends Error {
  override readonly name = 'TarFailed';
  readonly code = 'TarFailed';
}

/** A file by its content, as OCI names it. */
export interface Digested {
  readonly digest: `sha256:${string}`;
  readonly size: number;
}

// TAR_OPTIONS would add to our options.
const env = { ...process.env, TAR_OPTIONS: '', LC_ALL: 'C' };

/** https://reproducible-builds.org/docs/archives/ */
const reproducible = [
  '--format=gnu',
  '--sort=name',
  '--mtime=@0',
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  // Whether two equal files are one on this disk is not content.
  '--hard-dereference',
];

/** @throws {GnuTarMissing} */
export async function requireGnuTar(program = 'tar'): Promise<void> {
  let version: string;
  try {
    ({ stdout: version } = await promisify(execFile)(program, ['--version'], { env }));
  } catch {
    throw new GnuTarMissing('tar is missing: install GNU tar');
  }
  const [first = ''] = version.split('\n');
  if (!first.includes('GNU tar')) {
    throw new GnuTarMissing(`GNU tar is needed as tar, this one is ${first}`);
  }
}

/**
 * Packs what is in a folder, without the folder itself. The same names, contents and modes give the same bytes.
 * @param options more options of tar, after those that make it reproducible.
 * @throws {TarFailed}
 */
export async function packFolder(folder: string, file: string, options: readonly string[] = []): Promise<Digested> {
  const names = (await readdir(folder)).sort();
  // An empty list of files, without --files-from, is an error for tar.
  const args = [...reproducible, ...options, '-C', folder, '-cf', '-', '--files-from=/dev/null', '--', ...names];
  const tar = spawn('tar', args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.once('error', reject);
    tar.once('close', resolve);
  });
  const [digested, said, code] = await Promise.all([writeDigested(tar.stdout, file), text(tar.stderr), ended]);
  if (code !== 0) throw new TarFailed(`tar could not pack ${folder}: ${said.trim() || `exit code ${code}`}`);
  return digested;
}

/** The digest and size of a file that is there. */
export async function digestOf(file: string): Promise<Digested> {
  return digesting(createReadStream(file), async chunks => {
    for await (const _ of chunks);
  });
}

async function writeDigested(source: Readable, file: string): Promise<Digested> {
  return digesting(source, chunks => pipeline(chunks, createWriteStream(file)));
}

async function digesting(
  source: Readable,
  consume: (chunks: AsyncIterable<Buffer>) => Promise<void>,
): Promise<Digested> {
  const hash = createHash('sha256');
  let size = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  await consume(counted());
  return { digest: `sha256:${hash.digest('hex')}`, size };
}
