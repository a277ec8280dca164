import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { packFolder } from '../../.ci/image/gnu-tar.ts';
import { type ImageConfig, writeOciArchive } from '../../.ci/image/oci-archive.ts';
import { folderOf } from './folder-of.ts';
import { type Descriptor, listTar, readArchive, textIn } from './read-archive.ts';

const lower = { 'etc/passwd': 'root:x:0:0:::\n', 'bin/run': { text: '#!', mode: 0o755 } } as const;
const upper = { 'app/a': 'x'.repeat(100_000) } as const;
const config: ImageConfig = {
  user: '65532:65532',
  env: new Map([
    ['B', '1'],
    ['A', 'x=y z'],
  ]),
  entrypoint: ['/bin/run', 'a b'],
  cmd: ['c'],
  workingDir: '/app',
  exposedPorts: ['8443', '53/udp'],
  labels: new Map([['org.example', 'é']]),
};

describe('an OCI archive', () => {
  test('names every blob by its content, and leads to every blob', async t => {
    const folder = await folderOf(t);
    const layers = [{ folder: await folderOf(t, lower) }, { folder: await folderOf(t, upper) }];
    const written = await writeOciArchive({ file: join(folder, 'a.tar'), name: 'a:1', layers, config });
    const { layout, index, manifest, config: image, blob } = await readArchive(t, written.file);

    const named: Descriptor[] = [...index.manifests, manifest.config, ...manifest.layers];
    for (const descriptor of named) {
      const bytes = await readFile(blob(descriptor));
      assert.equal(`sha256:${createHash('sha256').update(bytes).digest('hex')}`, descriptor.digest);
      assert.equal(bytes.length, descriptor.size);
    }
    const there = (await readdir(join(layout, 'blobs/sha256'))).map(hex => `sha256:${hex}`);
    assert.deepEqual(there.sort(), named.map(({ digest }) => digest).sort());
    assert.deepEqual(
      image.rootfs.diff_ids,
      manifest.layers.map(({ digest }) => digest),
    );
    assert.deepEqual(
      named.map(({ mediaType }) => mediaType.replace('application/vnd.oci.image.', '')),
      ['manifest.v1+json', 'config.v1+json', 'layer.v1.tar', 'layer.v1.tar'],
    );
    assert.deepEqual(JSON.parse(await readFile(join(layout, 'oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' });
    assert.deepEqual([written.digest, written.size], [index.manifests[0]?.digest, (await stat(written.file)).size]);
    assert.deepEqual(await readdir(folder), ['a.tar']);
  });

  test('has the name for containerd, and the tag for others', async t => {
    const file = join(await folderOf(t), 'a.tar');
    const { name } = await writeOciArchive({ file, name: 'carm-webhook:dev', layers: [], config: {} });
    assert.equal(name, 'docker.io/library/carm-webhook:dev');
    const { index } = await readArchive(t, file);
    assert.deepEqual(index.manifests[0]?.annotations, {
      'io.containerd.image.name': 'docker.io/library/carm-webhook:dev',
      'org.opencontainers.image.ref.name': 'dev',
    });
  });

  test('holds the files of its layers in their order, all owned by root', async t => {
    const layers = [{ folder: await folderOf(t, lower) }, { folder: await folderOf(t, upper) }];
    const file = join(await folderOf(t), 'a.tar');
    await writeOciArchive({ file, name: 'a', layers, config });
    const { manifest, blob } = await readArchive(t, file);
    const [first, second] = manifest.layers.map(blob);
    assert.ok(first !== undefined && second !== undefined);
    const lines = await listTar(first);
    assert.deepEqual(
      lines.map(line => line.split(' ').at(-1)),
      ['bin/', 'bin/run', 'etc/', 'etc/passwd'],
    );
    assert.ok(lines.every(line => / 0\/0 /.test(line)));
    assert.equal(await textIn(first, 'etc/passwd'), lower['etc/passwd']);
    assert.equal(await textIn(second, 'app/a'), upper['app/a']);
  });

  test('has the config in the words of the image spec', async t => {
    const file = join(await folderOf(t), 'a.tar');
    await writeOciArchive({ file, name: 'a', layers: [], config });
    const { config: image } = await readArchive(t, file);
    assert.equal(image.os, 'linux');
    assert.deepEqual(image.config, {
      User: '65532:65532',
      ExposedPorts: { '53/udp': {}, '8443/tcp': {} },
      Env: ['B=1', 'A=x=y z'],
      Entrypoint: ['/bin/run', 'a b'],
      Cmd: ['c'],
      WorkingDir: '/app',
      Labels: { 'org.example': 'é' },
    });
    assert.deepEqual(Object.keys(image.config['ExposedPorts'] ?? {}), ['53/udp', '8443/tcp']);
  });

  test('has the same bytes for the same content, also from layers that were packed before', async t => {
    const folder = await folderOf(t);
    const write = async (file: string, layers: Parameters<typeof writeOciArchive>[0]['layers']) => {
      await writeOciArchive({ file: join(folder, file), name: 'a:1', layers, config });
      return readFile(join(folder, file));
    };
    const once = await write('once', [{ folder: await folderOf(t, lower) }, { folder: await folderOf(t, upper) }]);
    const tar = join(folder, 'layer.tar');
    await packFolder(await folderOf(t, lower), tar);
    // Whoever packed it may have another umask.
    await chmod(tar, 0o600);
    const again = await write('again', [{ tar }, { folder: await folderOf(t, upper) }]);
    assert.ok(again.equals(once));
    const other = await write('other', [{ tar }, { folder: await folderOf(t, { ...upper, b: '' }) }]);
    assert.ok(!other.equals(once));
  });

  test('may have one layer twice', async t => {
    const folder = await folderOf(t);
    const [file, tar] = [join(folder, 'a'), join(folder, 'layer.tar')];
    const layer = { folder: await folderOf(t, upper) };
    await packFolder(layer.folder, tar);
    await writeOciArchive({ file, name: 'a', layers: [layer, { tar }, { tar }, layer], config });
    const { manifest, blob } = await readArchive(t, file);
    assert.equal(manifest.layers.length, 4);
    for (const each of manifest.layers) assert.equal((await stat(blob(each))).size, each.size);
  });

  test('that cannot be finished leaves nothing, and the one before it as it was', async t => {
    const folder = await folderOf(t, { 'a.tar': 'before' });
    const layers = [{ folder: join(folder, 'none') }];
    await assert.rejects(writeOciArchive({ file: join(folder, 'a.tar'), name: 'a', layers, config }), {
      code: 'ENOENT',
    });
    assert.deepEqual(await readdir(folder), ['a.tar']);
    assert.equal(await readFile(join(folder, 'a.tar'), 'utf8'), 'before');
  });
});
