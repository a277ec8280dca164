/** Writes the pages that are made from the source. */

import { readFile, writeFile } from 'node:fs/promises';
import { chartReadme, readmeOfChart } from '../deploy/chart-readme.ts';
import { withFindings } from './findings-table.ts';
import { withFlags } from './flags-table.ts';
import { withLimits } from './limits-table.ts';
import { withRefusals } from './refusals-table.ts';
import '../admission/catalogue/write-reasons-page.ts';

const findings = new URL('../../docs/findings.md', import.meta.url);
await writeFile(findings, withFindings(await readFile(findings, 'utf8')));
const flags = new URL('../../docs/flags.md', import.meta.url);
await writeFile(flags, withFlags(await readFile(flags, 'utf8')));
const limits = new URL('../../docs/limits.md', import.meta.url);
await writeFile(limits, withLimits(await readFile(limits, 'utf8')));
const aws = new URL('../../docs/aws.md', import.meta.url);
await writeFile(aws, withRefusals(await readFile(aws, 'utf8')));
await writeFile(chartReadme, readmeOfChart());
