import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { copyProgram, librariesIn, sharedLibraries } from '../../.ci/image/program-files.ts';
import { folderOf } from './folder-of.ts';

const run = promisify(execFile);

describe('what ldd says', () => {
  const answer = [
    '\tlinux-vdso.so.1 (0x00007f196b15f000)',
    '\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f196b069000)',
    '\tlibown.so => /opt/own/bin/../lib/libown.so (0x00007f196b049000)',
    '\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f196b069000)',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007f196b161000)',
    '',
  ].join('\n');

  test('names libraries and the loader, each once', () => {
    assert.deepEqual(librariesIn(answer), [
      '/lib/x86_64-linux-gnu/libm.so.6',
      '/opt/own/lib/libown.so',
      '/lib64/ld-linux-x86-64.so.2',
    ]);
  });

  test('may be that there are none', () => assert.deepEqual(librariesIn('\tstatically linked\n'), []));

  test('may be that one is missing', () => {
    assert.throws(() => librariesIn(`${answer}\tlibgone.so.1 => not found\n`), {
      code: 'ProgramFilesMissing',
      message: /libgone\.so\.1/,
    });
  });
});

describe('a program with its libraries', () => {
  const program = '/bin/ls';

  test('finds all of them in the root that it was copied to', async t => {
    const root = await folderOf(t);
    await copyProgram({ program, root, to: '/programs/list' });
    assert.ok((await lstat(join(root, 'programs/list'))).isFile());
    const libraries = await sharedLibraries(program);
    assert.ok(libraries.length >= 2, libraries.join());
    for (const library of libraries) {
      const copy = join(root, library);
      assert.ok((await lstat(copy)).isFile(), library);
      assert.ok((await readFile(copy)).equals(await readFile(library)), library);
    }
    const loader = libraries.find(library => basename(library).startsWith('ld-'));
    assert.ok(loader !== undefined);
    // The copied loader lists what it loads, where only the root is searched.
    const folders = new Set(libraries.map(library => dirname(join(root, library))));
    const args = ['--inhibit-cache', '--library-path', [...folders].join(':'), '--list', join(root, 'programs/list')];
    const { stdout } = await run(join(root, loader), args);
    const listed = librariesIn(stdout).filter(library => basename(library) !== basename(loader));
    assert.ok(listed.length > 0);
    for (const library of listed) assert.ok(library.startsWith(`${root}/`), library);
  });

  test('has its own path without another, and may be run by everyone', async t => {
    const root = await folderOf(t);
    await copyProgram({ program, root });
    await copyProgram({ program, root });
    assert.equal((await stat(join(root, program))).mode & 0o777, 0o755);
    const own = join(await folderOf(t, { own: { text: '#!/bin/sh\n', mode: 0o500 } }), 'own');
    await copyProgram({ program: own, root, to: '/own' });
    assert.equal((await stat(join(root, 'own'))).mode & 0o777, 0o755);
  });

  test('has no libraries when ldd says that it is not dynamic', async t => {
    const folder = await folderOf(t, { script: { text: '#!/bin/sh\n', mode: 0o700 } });
    assert.deepEqual(await sharedLibraries(join(folder, 'script')), []);
  });

  test('must be there', async t => {
    await assert.rejects(copyProgram({ program: '/no/such', root: await folderOf(t) }), {
      code: 'ProgramFilesMissing',
    });
    await assert.rejects(sharedLibraries('/no/such'), { code: 'ProgramFilesMissing', message: /\/no\/such/ });
  });
});
