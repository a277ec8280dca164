import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Unreadable, whyUnreadable } from '../src/why-unreadable.ts';

/** An error as Node makes it. */
function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: some words, open '/path'`), { code, syscall: 'open', path: '/path' });
}

describe('why a path cannot be read', () => {
  const cases: readonly [code: string, what: Unreadable, said: string][] = [
    ['ENOENT', 'file', 'there is no such file'],
    ['ENOENT', 'folder', 'there is no such folder'],
    ['ENOENT', 'link', 'it is a broken symbolic link'],
    ['ENOTDIR', 'file', 'there is no such file: a part of its path is not a folder'],
    ['ENOTDIR', 'folder', 'it is not a folder'],
    ['EISDIR', 'file', 'it is a folder; name the files in it'],
    ['EACCES', 'file', 'permission denied'],
    ['EPERM', 'folder', 'permission denied'],
    ['ELOOP', 'link', 'its symbolic links form a loop'],
    ['ENAMETOOLONG', 'file', 'its name is too long'],
    ['EMFILE', 'file', 'too many files are open'],
    ['EREMOTEIO', 'file', 'the operating system reports EREMOTEIO'],
  ];
  for (const [code, what, said] of cases) {
    test(`${code} of a ${what}: ${said}`, () => assert.equal(whyUnreadable(systemError(code), what), said));
  }

  test('more than Node reads at once, or than a string can hold', () => {
    const tooBig = Object.assign(new RangeError('File size (3) is greater than 2 GiB'), {
      code: 'ERR_FS_FILE_TOO_LARGE',
    });
    assert.equal(whyUnreadable(tooBig, 'file'), 'it is too large');
    let tooLong: unknown;
    try {
      'x'.repeat(2 ** 29).concat('x'.repeat(2 ** 29));
    } catch (error) {
      tooLong = error;
    }
    assert.equal(whyUnreadable(tooLong, 'file'), 'it is too large');
  });

  test('an error that is not about the path is none of its', () => {
    for (const error of [new TypeError('boom'), new RangeError('boom'), 'ENOENT', undefined]) {
      assert.equal(whyUnreadable(error, 'file'), undefined);
    }
  });
});
