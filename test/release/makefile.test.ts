import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ownPlatform } from '../../.ci/image/oci-archive.ts';
import { repositoryFolder } from '../deploy/helm.ts';

/** What make would run. */
async function planOf(...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], GITHUB_REPOSITORY: 'owner/name' };
  // `true` is an engine that is there.
  const make = ['--dry-run', 'CONTAINER_ENGINE=true', 'IMAGE=a:1', ...args];
  return (await promisify(execFile)('make', make, { cwd: repositoryFolder, env })).stdout;
}

test('make image names its platform: that of this machine, or the one that is asked for', {
  timeout: 30_000,
}, async () => {
  assert.match(await planOf('image'), new RegExp(`^true build --platform ${ownPlatform()} --tag a:1 \\.$`, 'm'));
  assert.match(await planOf('image', 'PLATFORM=linux/s390x'), /^true build --platform linux\/s390x --tag a:1 \.$/m);
});

test('the image of a release is for both platforms, with SBOM, provenance and its repository', {
  timeout: 30_000,
}, async () => {
  const plan = (await planOf('image-release')).replaceAll(/\s*\\\n\s*/g, ' ');
  assert.match(
    plan,
    /^docker buildx build --platform linux\/amd64,linux\/arm64 --sbom=true --provenance=mode=max --label org\.opencontainers\.image\.source=https:\/\/github\.com\/owner\/name --output type=oci,dest=release\/image\.oci\.tar \.$/m,
  );
});
