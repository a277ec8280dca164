import { open } from 'node:fs/promises';
import { isJsonObject } from '../../objects/json.ts';

/** Tokens of ServiceAccounts have some 1 to 2 kB. */
const longestToken = 16 * 1024;

/** An error to be thrown when the webhook's own token cannot be used. */
export class OwnTokenError extends Error {
  override readonly name = 'OwnTokenError';
  readonly code = 'OwnToken';
}

function audiencesOf(token: string): readonly unknown[] {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const audience = isJsonObject(claims) ? claims['aud'] : undefined;
    return Array.isArray(audience) ? audience : [audience];
  } catch {
    return [];
  }
}

/**
 * Reads the token that the webhook asks with; kubelet writes a new one in its place long before it expires.
 * @param audience that it must have: by a token for another one, AWS would say nothing about those of pods.
 * @throws {OwnTokenError}
 */
export async function readOwnToken(file: string, audience: string): Promise<string> {
  const buffer = Buffer.alloc(longestToken + 1);
  let length: number;
  try {
    await using handle = await open(file, 'r');
    ({ bytesRead: length } = await handle.read(buffer, 0, buffer.length, 0));
  } catch (error) {
    throw new OwnTokenError(`cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`, { cause: error });
  }
  const token = buffer.toString('utf8', 0, length).trim();
  if (length > longestToken) throw new OwnTokenError(`is longer than ${longestToken} bytes`);
  if (!audiencesOf(token).includes(audience)) throw new OwnTokenError(`is not a token for the audience ${audience}`);
  return token;
}
