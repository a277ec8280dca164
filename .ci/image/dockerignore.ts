/** Which files of the context may be copied. https://docs.docker.com/build/concepts/context/#dockerignore-files */

/** An error to be thrown for a pattern that we do not know. */
export class DockerignoreError extends Error {
  override readonly name = 'DockerignoreError';
  readonly code = 'InvalidDockerignore';
}

/**
 * The rules of a .dockerignore, as a test for paths relative to the context. A rule for a folder holds for all that is in it,
 * and the last rule that matches decides.
 * @throws {DockerignoreError}
 */
export function parseDockerignore(text: string): (path: string) => boolean {
  const rules = text.split(/\r?\n/).flatMap((line, index) => {
    const pattern = line.trim();
    if (pattern === '' || line.startsWith('#')) return [];
    if (/[[\]\\]/.test(pattern)) {
      throw new DockerignoreError(`.dockerignore:${index + 1}: brackets and backslashes are not understood`);
    }
    const included = pattern.startsWith('!');
    return [{ included, matches: regExpOf(pattern.slice(included ? 1 : 0)) }];
  });
  return path => rules.findLast(({ matches }) => matches.test(path))?.included ?? true;
}

function regExpOf(pattern: string): RegExp {
  const clean = pattern.split('/').filter(part => part !== '' && part !== '.');
  const parts = clean.map(part =>
    part.replace(/\*+|[?.+^${}()|]/g, found => {
      if (found === '**') return '.*';
      return found === '*' ? '[^/]*' : found === '?' ? '[^/]' : `\\${found}`;
    }),
  );
  // `**/x` is also x itself.
  const joined = parts
    .map((part, index) => (part === '.*' && index < parts.length - 1 ? '(?:.*/)?' : `${part}/`))
    .join('');
  return new RegExp(`^${joined.replace(/\/$/, '')}(?:/|$)`, 's');
}
