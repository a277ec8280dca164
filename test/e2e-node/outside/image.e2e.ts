import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownPlatform } from '../../../.ci/image/oci-archive.ts';
import { checkImage } from '../../../.ci/release/check-image.ts';
import { repositoryFolder } from '../../deploy/helm.ts';

/** What the nodes of these tests run; a release checks what it publishes in the same way. */
test('the image runs as 65532, and has neither shell nor package manager', { timeout: 60_000 }, async () => {
  const archive = join(repositoryFolder, 'image', 'carm-webhook-test.oci.tar');
  const { platforms } = await checkImage(archive, [ownPlatform()]);
  assert.deepEqual(platforms, [ownPlatform()]);
});
