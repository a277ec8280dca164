import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Tests that run in one process for all of them: they are many and short, and to start a process for each would take longer
 * than to run it. They must not change what the process is: its environment, its signals, its flags. A test that starts the
 * built program, or measures memory, has a process of its own.
 */
const patterns = {
  pure: /^test\/(?:accounts|admission|injection|objects)\/(?!.*\bbounded-copy\b)/,
  cli: /^test\/cli\/(?!.*\b(?:bundle|live-cluster|map-entries-metric|serve-warnings)\b)/,
} as const satisfies Readonly<Record<string, RegExp>>;

export type SharedProcess = keyof typeof patterns;

/** Every test file, from the root of the repository. */
const testFiles: readonly string[] = globSync('test/**/*.test.ts', { cwd: root }).sort();

/** The files that run in no shared process. */
export const filesAlone: readonly string[] = testFiles.filter(
  file => !Object.values(patterns).some(pattern => pattern.test(file)),
);

/** Runs the tests of a shared process in this one. */
export async function runShared(shared: SharedProcess): Promise<void> {
  for (const file of testFiles) {
    if (patterns[shared].test(file)) await import(`${root}${file}`);
  }
}
