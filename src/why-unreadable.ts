/** What stands at a path that cannot be read. */
export type Unreadable = 'file' | 'folder' | 'link';

const noPermission = 'permission denied';
const tooLarge = 'it is too large';
export const inCircle = 'its symbolic links form a loop';

/** By the code of Node's error. Its text names a system call, and the path once more. */
const reasons: Readonly<Record<string, string | Readonly<Record<Unreadable, string>>>> = {
  ENOENT: {
    file: 'there is no such file',
    folder: 'there is no such folder',
    link: 'it is a broken symbolic link',
  },
  ENOTDIR: {
    file: 'there is no such file: a part of its path is not a folder',
    folder: 'it is not a folder',
    link: 'it is a broken symbolic link',
  },
  EISDIR: 'it is a folder; name the files in it',
  EACCES: noPermission,
  EPERM: noPermission,
  ELOOP: inCircle,
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ERR_FS_FILE_TOO_LARGE: tooLarge,
};

/**
 * Why the system lets a path not be read, in plain words.
 * @returns undefined for an error that is not about the path.
 */
export function whyUnreadable(error: unknown, what: Unreadable): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? String(error.code) : undefined;
  const reason = code === undefined ? undefined : reasons[code];
  if (reason !== undefined) return typeof reason === 'string' ? reason : reason[what];
  if ('syscall' in error) return `the operating system reports ${code ?? 'an unknown error'}`;
  // Longer than a string may be: https://nodejs.org/api/buffer.html#bufferconstantsmax_string_length
  return error instanceof RangeError && error.message === 'Invalid string length' ? tooLarge : undefined;
}
