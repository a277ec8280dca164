/** Writes the pages that are made from the source. */

import { readFile, writeFile } from 'node:fs/promises';
import { withFindings } from './findings-table.ts';
import { withLimits } from './limits-table.ts';
import { withFlags } from './readme-flags.ts';
import '../admission/catalogue/write-reasons-page.ts';

const findings = new URL('../../docs/findings.md', import.meta.url);
await writeFile(findings, withFindings(await readFile(findings, 'utf8')));
const readme = new URL('../../README.md', import.meta.url);
await writeFile(readme, withFlags(await readFile(readme, 'utf8')));
const limits = new URL('../../docs/limits.md', import.meta.url);
await writeFile(limits, withLimits(await readFile(limits, 'utf8')));
