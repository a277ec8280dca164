import { globSync } from 'node:fs';
import { describe } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Tests that run in one process for all of them: they are many and short, and to start a process for each would take longer
 * than to run it. They must not change what the process is: its environment, its signals, its flags. A test that starts the
 * built program, or measures memory or time, has a process of its own. `atOnce`: how many files run at the same time, which pays
 * where they wait for time to pass.
 */
const groups = {
  pure: {
    files: /^test\/(?:accounts|admission|injection|objects|decisions)\/(?!.*\b(?:bounded-copy|decisions\.test)\b)/,
    atOnce: 1,
  },
  cli: {
    files: /^test\/cli\/(?!.*\b(?:bundle|live-cluster|map-entries-metric|serve-warnings|verify-roles)\b)/,
    atOnce: 1,
  },
  server: {
    files:
      /^test\/server\/(?!.*\b(?:crowded|ops-flood|drain|signals|slow-bodies|whole-bodies|wire-fuzz|refused-requests|log-lines|node-warnings|shortage-lines)\b)/,
    atOnce: 4,
  },
  cluster: { files: /^test\/cluster\/(?!.*\b(?:heap|hostile|scale|chaos|faults|watch-loop|live-reads)\b)/, atOnce: 4 },
  image: { files: /^test\/image\//, atOnce: 4 },
} as const satisfies Readonly<Record<string, { readonly files: RegExp; readonly atOnce: number }>>;

export type SharedProcess = keyof typeof groups;

/** Every test file, from the root of the repository. */
const testFiles: readonly string[] = globSync('test/**/*.test.ts', { cwd: root }).sort();

/** The files that run in no shared process. */
export const filesAlone: readonly string[] = testFiles.filter(
  file => !Object.values(groups).some(({ files }) => files.test(file)),
);

/** What runs each of them. */
export const groupFiles: readonly string[] = Object.keys(groups).map(group => `test/runner/${group}.ts`);

/** Runs the tests of a shared process in this one. */
export async function runShared(shared: SharedProcess): Promise<void> {
  const { files, atOnce } = groups[shared];
  const shares = testFiles.filter(file => files.test(file));
  if (atOnce === 1) {
    for (const file of shares) await import(`${root}${file}`);
    return;
  }
  await describe(shared, { concurrency: atOnce }, () => {
    // Within a file one after the other: tests of a file share what it sets up.
    for (const file of shares) describe(file, { concurrency: 1 }, () => import(`${root}${file}`));
  });
}
