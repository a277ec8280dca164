/** Writes the pages that are made from the source, and what of the source is made from deploy/. */

import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chartReadme, readmeOfChart } from '../deploy/chart-readme.ts';
import { withFindings } from './findings-table.ts';
import { withFlags } from './flags-table.ts';
import { withLimits } from './limits-table.ts';
import { withRefusals } from './refusals-table.ts';
import { shippedWebhooks } from './shipped-webhooks.ts';
import '../admission/catalogue/write-reasons-page.ts';

const findings = new URL('../../docs/findings.md', import.meta.url);
await writeFile(findings, withFindings(await readFile(findings, 'utf8')));
const flags = new URL('../../docs/flags.md', import.meta.url);
await writeFile(flags, withFlags(await readFile(flags, 'utf8')));
const limits = new URL('../../docs/limits.md', import.meta.url);
await writeFile(limits, withLimits(await readFile(limits, 'utf8')));
const aws = new URL('../../docs/aws.md', import.meta.url);
await writeFile(aws, withRefusals(await readFile(aws, 'utf8')));
const webhooks = fileURLToPath(new URL('../../src/cli/check/installation/shipped-webhooks.json', import.meta.url));
await writeFile(webhooks, `${JSON.stringify(shippedWebhooks(), undefined, 2)}\n`);
spawnSync('biome', ['format', '--write', webhooks], { stdio: 'inherit' });
await writeFile(chartReadme, readmeOfChart());
