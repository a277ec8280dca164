/*
 * The steps of a release, as .github/workflows/release.yaml runs them: `node .ci/release/main.ts STEP --tag vX.Y.Z [--repository OWNER/NAME]
 * [--registry HOST] [--output FOLDER] [--dry-run]`.
 *
 *   check    the tag, package.json, Chart.yaml and CHANGELOG.md name one version
 *   assets   makes FOLDER/assets and FOLDER/notes.md, from dist/ (make build)
 *   image    checks FOLDER/image.oci.tar
 *   publish  pushes and signs image and chart, and signs the checksums of the assets; --dry-run prints the commands
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { assetsIn, makeAssets } from './assets.ts';
import { checkImage } from './check-image.ts';
import { publish } from './publish.ts';
import { ReleaseError } from './release-error.ts';
import { releaseNames } from './release-names.ts';
import { changesOf, versionOf } from './release-version.ts';

const repositoryFolder = join(import.meta.dirname, '..', '..');
const platforms = ['linux/amd64', 'linux/arm64'];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tag: { type: 'string', default: '' },
      repository: { type: 'string', default: process.env['GITHUB_REPOSITORY'] ?? '' },
      registry: { type: 'string', default: 'ghcr.io' },
      output: { type: 'string', default: join(repositoryFolder, 'release') },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const [step] = positionals;
  const read = (...path: readonly string[]) => readFile(join(repositoryFolder, ...path), 'utf8');
  const changelog = await read('CHANGELOG.md');
  const chart = parse(await read('deploy', 'chart', 'Chart.yaml'));
  const version = versionOf(values.tag, { packageJson, chart, changelog });
  const names = () => releaseNames(values.repository, version, values.registry);
  const folder = join(values.output, 'assets');
  const archive = join(values.output, 'image.oci.tar');

  if (step === 'check') {
    say(`${values.tag}: package.json, Chart.yaml and CHANGELOG.md name ${version}`);
  } else if (step === 'assets') {
    await mkdir(values.output, { recursive: true });
    await makeAssets(repositoryFolder, names(), version, folder);
    await writeFile(join(values.output, 'notes.md'), `${changesOf(changelog, version)}\n`);
    say(`${folder}: ${await readFile(join(folder, 'SHA256SUMS'), 'utf8')}`);
  } else if (step === 'image') {
    const { digest } = await checkImage(archive, platforms);
    say(`${archive}: ${digest}, ${platforms.join(', ')}, user 65532, no shell`);
  } else if (step === 'publish') {
    const { digest } = await checkImage(archive, platforms);
    const assets = assetsIn(folder, version);
    const publishing = { archive, imageDigest: digest, names: names(), assets, report: say, dryRun: values['dry-run'] };
    const published = await publish(publishing);
    say(`${values['dry-run'] ? 'Would be published' : 'Published'}: ${published.image}, ${published.chart}`);
  } else {
    throw new ReleaseError(`${JSON.stringify(step)} is not check, assets, image or publish`);
  }
}

try {
  await main();
} catch (error) {
  // What has a code is said by its message; anything else is a defect, and needs its stack.
  if (!(error instanceof Error) || !('code' in error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
