import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { ownPlatform, writeOciArchive } from '../../.ci/image/oci-archive.ts';
import { type Assets, makeAssets } from '../../.ci/release/assets.ts';
import { checkImage } from '../../.ci/release/check-image.ts';
import { publish } from '../../.ci/release/publish.ts';
import { type ReleaseNames, releaseNames } from '../../.ci/release/release-names.ts';
import { version } from '../../src/version.ts';
import { repositoryFolder, runHelm } from '../deploy/helm.ts';
import { helmProgram, releaseTool } from '../testbed/binaries.ts';
import { freePort } from '../testbed/loopback-port.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import { eventually } from './eventually.ts';

const run = promisify(execFile);

/** A release into a registry on loopback. cosign only writes down what it was asked: there is nobody here who could prove an identity. */
describe('a release', () => {
  let folder: string;
  let names: ReleaseNames;
  let assets: Assets;
  let registry: SupervisedProcess;
  let archive: string;
  let digest: string;
  const path = process.env['PATH'];
  const crane = async (...args: readonly string[]) => (await run(releaseTool('crane'), args)).stdout.trim();
  const signed = () => readFileSync(join(folder, 'signed'), 'utf8').trim().split('\n');

  before(
    async () => {
      folder = mkdtempSync(join(tmpdir(), 'carm-webhook-release-'));
      const bin = mkdtempSync(join(folder, 'bin-'));
      symlinkSync(helmProgram(), join(bin, 'helm'));
      symlinkSync(releaseTool('crane'), join(bin, 'crane'));
      writeFileSync(join(bin, 'cosign'), `#!/bin/sh\necho "$*" >> '${join(folder, 'signed')}'\n`);
      chmodSync(join(bin, 'cosign'), 0o755);
      process.env['PATH'] = `${bin}${delimiter}${path}`;
      const port = await freePort();
      registry = new SupervisedProcess('crane', ['registry', 'serve', '--address', `127.0.0.1:${port}`]);
      registry.stdout?.resume();
      registry.stderr?.resume();
      const host = `127.0.0.1:${port}`;
      names = releaseNames('Example-Org/carm', version, host);
      await eventually('the registry answers', async () =>
        (await fetch(`http://${host}/v2/`).catch(() => undefined))?.ok === true ? true : undefined,
      );
      assets = await makeAssets(repositoryFolder, names, version, join(folder, 'assets'));
      archive = join(folder, 'image.oci.tar');
      const content = mkdtempSync(join(folder, 'content-'));
      writeFileSync(join(content, 'app'), 'x');
      await writeOciArchive({
        file: archive,
        name: 'carm-webhook:test',
        layers: [{ folder: content }],
        config: { user: '65532:65532' },
      });
      ({ digest } = await checkImage(archive, [ownPlatform()]));
    },
    { timeout: 120_000 },
  );
  after(async () => {
    process.env['PATH'] = path;
    await registry?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('says beforehand what it would do, and does nothing', { timeout: 30_000 }, async () => {
    const said: string[] = [];
    const report = (line: string) => said.push(line);
    await publish({ archive, imageDigest: digest, names, assets, report, dryRun: true });
    assert.deepEqual(
      said.map(line => line.split(' ').slice(0, 2).join(' ')),
      [
        'tar -xf',
        'crane push',
        'helm push',
        'crane digest',
        'cosign sign',
        'cosign attest',
        'cosign sign',
        'cosign sign-blob',
      ],
    );
    await assert.rejects(crane('digest', names.image.reference), /NAME_UNKNOWN|404/);
  });

  test('pushes image and chart, and signs both by what was pushed', { timeout: 60_000 }, async () => {
    const published = await publish({ archive, imageDigest: digest, names, assets, report: () => {}, dryRun: false });
    assert.equal(await crane('digest', names.image.reference), digest);
    const chart = await crane('digest', names.chart.reference);
    assert.equal(published.image, `${names.image.reference.replace(/:[^:]+$/, '')}@${digest}`);
    assert.ok(published.chart.endsWith(`/example-org/charts/carm-webhook@${chart}`));
    assert.deepEqual(signed(), [
      `sign --yes --recursive ${published.image}`,
      `attest --yes --type cyclonedx --predicate ${assets.sbom} ${published.image}`,
      `sign --yes ${published.chart}`,
      `sign-blob --yes --bundle ${assets.checksums}.sigstore.json ${assets.checksums}`,
    ]);
  });

  test('its chart, from the registry, runs its image without a value that says so', { timeout: 60_000 }, async () => {
    const source = [`${names.chart.parent}/carm-webhook`, '--version', version, '--plain-http'];
    const { code, stdout, stderr } = await runHelm(helmProgram(), ['template', 'release', ...source]);
    assert.equal(code, 0, stderr);
    const images = [...stdout.matchAll(/^ +image: "(.+)"$/gm)].map(([, image]) => image);
    assert.ok(images.length >= 2);
    assert.deepEqual([...new Set(images)], [names.image.reference]);
    // By this annotation GitHub shows the chart at its repository.
    const { annotations } = JSON.parse(await crane('manifest', names.chart.reference));
    assert.equal(annotations['org.opencontainers.image.source'], 'https://github.com/Example-Org/carm');
  });

  test('its checksums are those of every other asset', { timeout: 30_000 }, async () => {
    const { stdout } = await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: join(folder, 'assets') });
    assert.deepEqual(stdout.trim().split('\n'), [
      `carm-webhook-${version}.tgz: OK`,
      `carm-webhook-cli-${version}.cdx.json: OK`,
      `carm-webhook-cli-${version}.tar.gz: OK`,
      'install.yaml: OK',
    ]);
  });

  test('its program runs from the archive alone', { timeout: 30_000 }, async () => {
    await run('tar', ['-xzf', join(folder, 'assets', `carm-webhook-cli-${version}.tar.gz`), '-C', folder]);
    const home = join(folder, `carm-webhook-${version}`);
    for (const name of ['carm-webhook', 'kubectl-carm']) {
      const { stdout } = await run(join(home, name), ['version'], { cwd: folder });
      assert.ok(stdout.includes(version), name);
    }
    assert.match(readFileSync(join(home, 'LICENSE'), 'utf8'), /Apache License/);
  });

  test('its SBOM has the packages that are bundled, and no tool', () => {
    const { bomFormat, components } = parse(readFileSync(assets.sbom, 'utf8'));
    const packages = new Set(components.map((each: { name: string }) => each.name));
    assert.equal(bomFormat, 'CycloneDX');
    const packageJson = JSON.parse(readFileSync(join(repositoryFolder, 'package.json'), 'utf8'));
    for (const name of Object.keys(packageJson.dependencies)) {
      assert.ok(packages.has(name) || packages.has(name.split('/')[1]), name);
    }
    for (const name of ['typescript', 'esbuild', '@biomejs/biome', 'biome']) assert.ok(!packages.has(name), name);
  });
});
