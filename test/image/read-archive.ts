import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { folderOf } from './folder-of.ts';

const run = promisify(execFile);

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ReadArchive {
  /** The unpacked layout. */
  readonly layout: string;
  readonly index: { readonly manifests: readonly Descriptor[] };
  readonly manifest: { readonly config: Descriptor; readonly layers: readonly Descriptor[] };
  readonly config: {
    readonly architecture: string;
    readonly os: string;
    readonly config: Readonly<Record<string, unknown>>;
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
  /** The path of a blob. */
  readonly blob: (descriptor: Descriptor) => string;
}

/** Reads an OCI archive as a tool does that did not write it: with tar, from index.json on. */
export async function readArchive(t: TestContext, file: string): Promise<ReadArchive> {
  const layout = await folderOf(t);
  await run('tar', ['-xf', file, '-C', layout]);
  const blob = ({ digest }: Descriptor) => join(layout, 'blobs', ...digest.split(':'));
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
  const index: ReadArchive['index'] = await read(join(layout, 'index.json'));
  const [first] = index.manifests;
  if (first === undefined) throw new Error('index.json names no manifest');
  const manifest: ReadArchive['manifest'] = await read(blob(first));
  return { layout, index, manifest, config: await read(blob(manifest.config)), blob };
}

/** What a tar file lists, a line for each entry: mode, owner, size, time, path. */
export async function listTar(file: string): Promise<string[]> {
  const { stdout } = await run('tar', ['--numeric-owner', '--utc', '-tvf', file], {
    env: { ...process.env, LC_ALL: 'C' },
  });
  return stdout.split('\n').flatMap(line => (line === '' ? [] : [line.replace(/ +/g, ' ')]));
}

/** The text of a file in a tar file. */
export async function textIn(file: string, path: string): Promise<string> {
  return (await run('tar', ['-xOf', file, path])).stdout;
}
