/** Writes the pages that are made from the source. */

import { readFile, writeFile } from 'node:fs/promises';
import { withFlags } from './readme-flags.ts';
import '../admission/write-reasons-page.ts';

const readme = new URL('../../README.md', import.meta.url);
await writeFile(readme, withFlags(await readFile(readme, 'utf8')));
