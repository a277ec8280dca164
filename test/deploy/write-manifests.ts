/** Writes `deploy/install.yaml` from the chart. */
import { writeFile } from 'node:fs/promises';
import { helmProgram } from '../testbed/binaries.ts';
import { installFile, installManifests } from './install-manifests.ts';

await writeFile(installFile, await installManifests(helmProgram()));
