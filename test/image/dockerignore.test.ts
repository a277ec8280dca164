import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DockerignoreError, parseDockerignore } from '../../.ci/image/dockerignore.ts';

describe('.dockerignore', () => {
  for (const [rules, included, left] of [
    ['', ['a', 'a/b'], []],
    ['# a\n\n', ['a', '# a'], []],
    ['a', ['ab', 'b/a'], ['a', 'a/b', 'a/b/c']],
    ['/a/', ['b/a'], ['a', 'a/b']],
    ['*', [], ['a', 'a/b', '.git/c']],
    ['*\n!a\n!b/c.ts', ['a', 'a/d/e', 'b/c.ts'], ['b', 'b/d', 'c']],
    ['!a\n*', [], ['a']],
    ['*.md', ['a/b.md', 'amd', 'b.mdx'], ['a.md', '.md', 'b.md/c']],
    ['**/*.md', ['a.mdx'], ['a.md', 'b/a.md', 'b/c/a.md']],
    ['a/**', ['b', 'b/a/c'], ['a/b', 'a/b/c']],
    ['a/**/b', ['a/c'], ['a/b', 'a/c/b', 'a/c/d/b']],
    ['a?c', ['ac', 'a/c', 'abbc'], ['abc']],
    ['a.c', ['abc'], ['a.c']],
    ['(a|b)+', ['a', 'aa'], ['(a|b)+']],
  ] as const) {
    test(JSON.stringify(rules), () => {
      const includes = parseDockerignore(rules);
      const all: string[] = [...included, ...left];
      assert.deepEqual(all.filter(includes), included);
    });
  }

  for (const rule of ['a\n[ab]', 'a\n\\a']) {
    test(`${JSON.stringify(rule)} is not understood`, () => {
      assert.throws(
        () => parseDockerignore(rule),
        (error: Error) => {
          assert.ok(error instanceof DockerignoreError);
          return error.code === 'InvalidDockerignore' && /^\.dockerignore:2: /.test(error.message);
        },
      );
    });
  }
});
