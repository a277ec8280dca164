import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chown, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { digestOf, packFolder, requireGnuTar } from '../../.ci/image/gnu-tar.ts';
import { folderOf } from './folder-of.ts';
import { listTar } from './read-archive.ts';

describe('a packed folder', () => {
  const entries = { 'b/c': 'text', 'b/a': { link: 'c' }, a: { text: 'x', mode: 0o755 }, 'é-': '', Z: {} } as const;

  test('has the same bytes whenever and in whatever order its files were made', async t => {
    const out = await folderOf(t);
    const first = await folderOf(t, entries);
    const second = await folderOf(t, Object.fromEntries(Object.entries(entries).reverse()));
    await utimes(join(second, 'b/c'), 1e9, 1e9);
    // Whoever is not root has another owner anyway.
    if (process.getuid?.() === 0) await chown(join(second, 'b/c'), 1, 1);
    assert.deepEqual(await packFolder(second, join(out, '2')), await packFolder(first, join(out, '1')));
    assert.deepEqual(await readFile(join(out, '2')), await readFile(join(out, '1')));
    assert.deepEqual(await listTar(join(out, '1')), [
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 Z/',
      '-rwxr-xr-x 0/0 1 1970-01-01 00:00 a',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 b/',
      'lrwxrwxrwx 0/0 0 1970-01-01 00:00 b/a -> c',
      '-rw-r--r-- 0/0 4 1970-01-01 00:00 b/c',
      '-rw-r--r-- 0/0 0 1970-01-01 00:00 \\303\\251-',
    ]);
  });

  test('has other bytes with another content, name or mode', async t => {
    const out = await folderOf(t);
    const pack = async (folder: string) => (await packFolder(folder, join(out, 'tar'))).digest;
    const changed = [
      { ...entries, 'b/c': 'test' },
      { ...entries, d: '' },
      { ...entries, a: { text: 'x', mode: 0o644 } },
    ];
    const digests = [await pack(await folderOf(t, entries))];
    for (const each of changed) digests.push(await pack(await folderOf(t, each)));
    assert.equal(new Set(digests).size, 4);
  });

  test('is named by its content', async t => {
    const folder = await folderOf(t, { in: entries.a, out: {} });
    const file = join(folder, 'out', 'tar');
    const digested = await packFolder(join(folder), file, ['--exclude=out']);
    const bytes = await readFile(file);
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    assert.deepEqual(digested, { digest, size: bytes.length });
    assert.deepEqual(await digestOf(file), digested);
  });

  test('may be empty, and may hold names that look like options', async t => {
    const file = join(await folderOf(t), 'tar');
    await packFolder(await folderOf(t), file);
    assert.deepEqual([(await stat(file)).size % 512, await listTar(file)], [0, []]);
    await packFolder(await folderOf(t, { '--help': '' }), file);
    assert.match((await listTar(file))[0] ?? '', / --help$/);
  });

  test('that tar cannot read is an error that says why', async t => {
    // The caller's options are tar's: one that it does not have stands for all that goes wrong.
    const file = join(await folderOf(t), 'tar');
    const failed = packFolder(await folderOf(t, entries), file, ['--no-such-option']);
    await assert.rejects(failed, { code: 'TarFailed', message: /no-such-option/ });
  });
});

describe('GNU tar', () => {
  test('is here', async () => requireGnuTar());

  test('is told from another tar', async t => {
    const folder = await folderOf(t, {
      tar: { text: '#!/bin/sh\necho bsdtar 3.5.3 - libarchive 3.7.4\n', mode: 0o755 },
    });
    await assert.rejects(requireGnuTar(join(folder, 'tar')), {
      code: 'GnuTarMissing',
      message: /this one is bsdtar 3\.5\.3/,
    });
    await assert.rejects(requireGnuTar(join(folder, 'none')), { code: 'GnuTarMissing', message: /tar is missing/ });
  });
});
