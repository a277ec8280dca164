import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf, packFolder, requireGnuTar } from '../image/gnu-tar.ts';
import type { ReleaseNames } from './release-names.ts';
import { releasedChart, releasedManifests, releasedReadme, releasedValues } from './released-text.ts';
import { runProgram } from './run-program.ts';

export interface Assets {
  /** The packages of what the program is bundled from, as CycloneDX. */
  readonly sbom: string;
  readonly chart: string;
  /** Of every other file. */
  readonly checksums: string;
}

/** The names of the assets in their folder. */
export function assetsIn(folder: string, version: string): Assets {
  return {
    sbom: join(folder, `carm-webhook-cli-${version}.cdx.json`),
    chart: join(folder, `carm-webhook-${version}.tgz`),
    checksums: join(folder, 'SHA256SUMS'),
  };
}

/** The program, which is the same for every platform: Node.js runs it. Under each of its names, so that the folder can be put on the PATH. */
async function packCli(repository: string, version: string, file: string, scratch: string): Promise<void> {
  const home = join(scratch, 'cli', `carm-webhook-${version}`);
  await mkdir(home, { recursive: true });
  await cp(join(repository, 'dist'), home, { recursive: true });
  for (const name of ['LICENSE', 'CHANGELOG.md']) await cp(join(repository, name), join(home, name));
  const { bin } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  for (const [name, path] of Object.entries<string>(bin)) await symlink(basename(path), join(home, name));
  const tar = join(scratch, 'cli.tar');
  await packFolder(join(scratch, 'cli'), tar);
  await writeFile(file, gzipSync(await readFile(tar), { level: 9 }));
}

async function packChart(
  repository: string,
  names: ReleaseNames,
  version: string,
  folder: string,
  scratch: string,
): Promise<void> {
  const chart = join(scratch, 'chart');
  await cp(join(repository, 'deploy', 'chart'), chart, { recursive: true });
  const edit = async (name: string, edited: (text: string) => string) =>
    writeFile(join(chart, name), edited(await readFile(join(chart, name), 'utf8')));
  await edit('values.yaml', text => releasedValues(text, names));
  await edit('Chart.yaml', text => releasedChart(text, names));
  await edit('README.md', text => releasedReadme(text, names, version));
  await runProgram('helm', ['package', chart, '--destination', folder]);
}

/**
 * Makes what a release offers for download, from the build in `dist/`: the program, the chart, the manifests for kubectl, an SBOM, and the
 * checksums of all. Needs Helm and npm.
 * @throws {ReleaseError}
 */
export async function makeAssets(
  repository: string,
  names: ReleaseNames,
  version: string,
  folder: string,
): Promise<Assets> {
  await requireGnuTar();
  const { sbom, chart, checksums } = assetsIn(folder, version);
  const scratch = await mkdtemp(join(tmpdir(), 'carm-webhook-release-'));
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await packCli(repository, version, join(folder, `carm-webhook-cli-${version}.tar.gz`), scratch);
    await packChart(repository, names, version, folder, scratch);
    const manifests = await readFile(join(repository, 'deploy', 'install.yaml'), 'utf8');
    await writeFile(join(folder, 'install.yaml'), releasedManifests(manifests, names));
    const format = ['--sbom-format=cyclonedx', '--omit=dev', '--package-lock-only'];
    await writeFile(sbom, await runProgram('npm', ['sbom', '--prefix', repository, ...format]));
    const lines = (await readdir(folder)).toSorted().map(async name => {
      const { digest } = await digestOf(join(folder, name));
      return `${digest.replace('sha256:', '')}  ${basename(name)}\n`;
    });
    await writeFile(checksums, (await Promise.all(lines)).join(''));
    return { sbom, chart, checksums };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
