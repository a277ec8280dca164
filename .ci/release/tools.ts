/* Puts the programs that a release is made with into a folder: `node .ci/release/tools.ts FOLDER`. Needs Go: helm, crane and cosign are built. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { helmProgram, releaseTool } from '../../test/testbed/binaries.ts';
import { runProgram } from './run-program.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node .ci/release/tools.ts FOLDER');
await runProgram(process.execPath, [join(import.meta.dirname, '..', '..', 'test', 'testbed', 'build.ts'), '--release']);
await mkdir(folder, { recursive: true });
await copyFile(helmProgram(), join(folder, 'helm'));
await copyFile(releaseTool('crane'), join(folder, 'crane'));
const module = join(import.meta.dirname, 'signing');
await runProgram('go', [
  '-C',
  module,
  'build',
  '-o',
  resolve(folder, 'cosign'),
  'github.com/sigstore/cosign/v3/cmd/cosign',
]);
