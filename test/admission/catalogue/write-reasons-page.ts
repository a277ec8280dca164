import { writeFileSync } from 'node:fs';
import { renderReasonsPage } from './reasons-page.ts';

writeFileSync(new URL('../../../docs/reasons.md', import.meta.url), renderReasonsPage());
