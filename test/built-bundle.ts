import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const changedMs = (file: string) => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs;

/** The path of the built program. @throws {Error} where it is missing, or older than what it is built from. */
export function builtBundle(): string {
  const builtMs = changedMs('dist/carm-webhook.mjs');
  if (builtMs === undefined) throw new Error('dist/carm-webhook.mjs is missing: build first (make build)');
  const newer = globSync('src/**/*.ts', { cwd: root }).find(file => (changedMs(file) ?? 0) > builtMs);
  if (newer !== undefined) throw new Error(`dist/carm-webhook.mjs is older than ${newer}: build first (make build)`);
  return join(root, 'dist/carm-webhook.mjs');
}
