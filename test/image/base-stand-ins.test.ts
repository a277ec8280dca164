import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { baseStandIn, type Machine } from '../../.ci/image/base-stand-ins.ts';
import { parseDockerfile } from '../../.ci/image/dockerfile.ts';
import { folderOf } from './folder-of.ts';

// A small program takes the place of Node.js: what is copied is the same.
const machine: Machine = { platform: 'linux', nodeVersion: '24.1.2', node: '/bin/ls' };

describe('what stands in for a base image', () => {
  test('is there for every base of the Dockerfile', async () => {
    const stages = parseDockerfile(await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8'));
    const standIns = stages.map(({ base }) => baseStandIn(base));
    assert.ok(standIns.at(-1)?.fill !== undefined);
    assert.deepEqual(standIns[0]?.programs, ['node', 'npm']);
  });

  for (const [base, message] of [
    ['alpine:3', /alpine:3/],
    ['node:24', /node:24/],
    ['node:24-alpine', /node:24-alpine/],
    ['gcr.io/distroless/nodejs24-debian12', /nodejs24-debian12/],
    ['scratch:1', /scratch:1/],
    ['node:22-bookworm-slim', /has Node\.js 22, this machine runs 24\.1\.2/],
    ['gcr.io/distroless/nodejs26-debian13:nonroot', /has Node\.js 26, this machine runs 24\.1\.2/],
  ] as const) {
    test(`is missing for ${base}`, () => {
      assert.throws(() => baseStandIn(base, machine), { code: 'NoStandIn', message });
    });
  }

  test('is missing on other systems', () => {
    const other = { ...machine, platform: 'darwin' } as const;
    assert.throws(() => baseStandIn('node:24-bookworm-slim', other), { code: 'NoStandIn', message: /darwin/ });
  });

  for (const base of [
    'gcr.io/distroless/nodejs24-debian12:nonroot',
    `gcr.io/distroless/nodejs24-debian13:nonroot@sha256:${'0'.repeat(64)}`,
  ]) {
    test(`has the files of ${base}`, async t => {
      const root = await folderOf(t);
      const { fill, config, programs, madeFrom } = baseStandIn(base, machine);
      await fill?.(root);
      assert.ok((await readFile(join(root, 'nodejs/bin/node'))).equals(await readFile(machine.node)));
      assert.match(await readFile(join(root, 'etc/passwd'), 'utf8'), /^root:x:0:0:.*\n(?:.*\n)*nonroot:x:65532:65532:/);
      assert.match(await readFile(join(root, 'etc/group'), 'utf8'), /^root:x:0:\n(?:.*\n)*nonroot:x:65532:\n/);
      assert.equal((await stat(join(root, 'tmp'))).mode & 0o7777, 0o1777);
      assert.ok((await stat(join(root, config.workingDir ?? ''))).isDirectory());
      assert.equal(config.user, '65532');
      // Distroless has no shell and no package manager.
      assert.deepEqual(programs, []);
      assert.match(madeFrom ?? '', /Node\.js 24\.1\.2/);
    });
  }
});
