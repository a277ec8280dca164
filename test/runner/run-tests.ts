/** `npm test`: every test that needs no cluster. One file alone: `node --test FILE`. */

import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { filesAlone, groupFiles } from './shared-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Types are stripped and code is compiled once, not once for each process.
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/node-compile');

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
}

run({
  cwd: root,
  // What takes long comes first, else one core waits for it at the end.
  files: ['test/decisions/decisions.test.ts', ...groupFiles, ...filesAlone]
    .filter((file, index, files) => files.indexOf(file) === index)
    .map(file => join(root, file)),
  // More than there are cores: some wait for time to pass.
  concurrency: 6,
  timeout: 180_000,
  signal: interrupted.signal,
})
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(spec)
  .pipe(process.stdout);
