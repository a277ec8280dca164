import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { packFolder } from '../../.ci/image/gnu-tar.ts';
import { checkImage } from '../../.ci/release/check-image.ts';
import { folderOf } from '../image/folder-of.ts';

interface Made {
  readonly platform: string;
  readonly user?: string;
  readonly files?: readonly string[];
}

const index = 'application/vnd.oci.image.index.v1+json';
const manifest = 'application/vnd.oci.image.manifest.v1+json';

/** An archive as BuildKit writes it: one index, with an image and an attestation for each platform. */
async function archiveOf(t: TestContext, images: readonly Made[]): Promise<string> {
  const folder = await folderOf(t);
  const layout = join(folder, 'layout');
  const blobs = join(layout, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (content: string | Buffer) => {
    const digest = createHash('sha256').update(content).digest('hex');
    await writeFile(join(blobs, digest), content);
    return { digest: `sha256:${digest}`, size: content.length };
  };
  const putJson = (value: object) => put(JSON.stringify(value));
  const manifests: object[] = [];
  for (const { platform, user = '65532:65532', files = ['nodejs/bin/node'] } of images) {
    const [os = '', architecture = ''] = platform.split('/');
    const root = await folderOf(t, Object.fromEntries(files.map(name => [name, 'x'])));
    const tar = join(folder, 'layer.tar');
    await packFolder(root, tar);
    const { stdout } = await promisify(execFile)('gzip', ['-c', tar], { encoding: 'buffer' });
    const layers = [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...(await put(stdout)) }];
    const config = await putJson({ os, architecture, config: { User: user } });
    const image = await putJson({ mediaType: manifest, config, layers });
    manifests.push({ mediaType: manifest, ...image, platform: { os, architecture } });
    const attested = await putJson({ mediaType: manifest, config: await putJson({}), layers: [] });
    manifests.push({ mediaType: manifest, ...attested, platform: { os: 'unknown', architecture: 'unknown' } });
  }
  const top = await putJson({ mediaType: index, manifests });
  await writeFile(join(layout, 'index.json'), JSON.stringify({ manifests: [{ mediaType: index, ...top }] }));
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const archive = join(folder, 'image.oci.tar');
  await packFolder(layout, archive);
  return archive;
}

const both: readonly Made[] = [{ platform: 'linux/amd64' }, { platform: 'linux/arm64' }];
const wanted = both.map(({ platform }) => platform);

describe('an image that is to be published', () => {
  test('is taken with its platforms, and the digest that covers them', async t => {
    const { platforms, digest } = await checkImage(await archiveOf(t, both), wanted);
    assert.deepEqual(platforms, wanted);
    assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  });

  for (const [what, images, message] of [
    ['a platform too few', both.slice(1), /it is for linux\/arm64, not linux\/amd64, linux\/arm64$/],
    ['another platform', [...both, { platform: 'linux/s390x' }], /it is for .*s390x/],
    ['root', [{ platform: 'linux/amd64', user: '' }, both[1]], /linux\/amd64 runs as "", not 65532:65532$/],
    ['a name for a user', [both[0], { platform: 'linux/arm64', user: 'nonroot' }], /linux\/arm64 runs as "nonroot"/],
    ['a shell', [both[0], { platform: 'linux/arm64', files: ['busybox/sh'] }], /linux\/arm64 has busybox\/sh$/],
    ['a package manager', [{ platform: 'linux/amd64', files: ['usr/bin/dpkg'] }, both[1]], /amd64 has usr\/bin\/dpkg$/],
  ] as const) {
    test(`is not taken with ${what}`, async t => {
      const made = images.flatMap(image => (image === undefined ? [] : [image]));
      await assert.rejects(checkImage(await archiveOf(t, made), wanted), message);
    });
  }
});
