import { UnreadError } from './unread-error.ts';

/**
 * Reads what a command can do without.
 * @param onForbidden is told why, where a right is missing.
 * @returns undefined where a right is missing.
 */
export async function unlessForbidden<T>(
  onForbidden: (why: string) => void,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UnreadError && error.isForbidden)) throw error;
    onForbidden(error.message);
    return undefined;
  }
}
