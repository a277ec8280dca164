import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { filesOfFolder, mostFiles } from '../../../src/cli/inject/folder-files.ts';
import { demoState, runCommand } from '../command-runs.ts';

const thing = (name: string) => `{apiVersion: v1, kind: ConfigMap, metadata: {name: ${name}}}\n`;

describe('inject -f FOLDER', () => {
  let folder: string;

  /** Each file holds an object of its own name. */
  async function write(...paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      await mkdir(join(folder, dirname(path)), { recursive: true });
      await writeFile(join(folder, path), thing(JSON.stringify(path)));
    }
  }

  async function inject(...argv: readonly string[]) {
    const { code, stdout, stderr } = await runCommand(['inject', '-o', 'json', '--state', demoState, ...argv], {
      stdin: thing('stdin'),
    });
    const list = stdout === '' ? {} : JSON.parse(stdout);
    const objects: { metadata: { name: string } }[] = list.items ?? (stdout === '' ? [] : [list]);
    return { code, stderr, names: objects.map(({ metadata }) => metadata.name) };
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carm-folder-'));
    await write('apps/b.yaml', 'apps/a.yml', 'apps/c.json', 'apps/.hidden.yaml', 'apps/B.yaml');
    await write('apps/README.md', 'apps/d.YAML', 'apps/yaml');
    await write('apps/b/inner.yaml', 'apps/b/deep/deepest.yaml', 'apps/ba/inner.yaml', 'apps/x.yaml/inner.yaml');
    await mkdir(join(folder, 'empty'));
    await write('nested/only/here.yaml');
    await write('circle/a.yaml');
    await symlink('.', join(folder, 'circle', 'again'));
    await symlink('../apps', join(folder, 'circle', 'elsewhere'));
    await symlink('../apps/b.yaml', join(folder, 'circle', 'link.yaml'));
    await write('dangling/a.yaml');
    await symlink('nowhere.yaml', join(folder, 'dangling', 'b.yaml'));
    await write('linked-folder/a.yaml');
    await symlink('../apps', join(folder, 'linked-folder', 'b.yaml'));
    await write('broken/a.yaml');
    await writeFile(join(folder, 'broken', 'b.yaml'), 'a: [\n');
    await write('pipe/a.yaml');
    execFileSync('mkfifo', [join(folder, 'pipe', 'b.yaml')]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('reads .yaml, .yml and .json of the folder itself, by name', async () => {
    const { code, names } = await inject('-f', join(folder, 'apps'));
    assert.equal(code, 0);
    assert.deepEqual(names, ['apps/.hidden.yaml', 'apps/B.yaml', 'apps/a.yml', 'apps/b.yaml', 'apps/c.json']);
  });

  test('with -R the folders in it too, each where its name stands', async () => {
    const { names } = await inject('-R', '-f', join(folder, 'apps'));
    assert.deepEqual(names, [
      'apps/.hidden.yaml',
      'apps/B.yaml',
      'apps/a.yml',
      'apps/b/deep/deepest.yaml',
      'apps/b/inner.yaml',
      'apps/b.yaml',
      'apps/ba/inner.yaml',
      'apps/c.json',
      'apps/x.yaml/inner.yaml',
    ]);
  });

  test('may be repeated, beside files and stdin, in the order that was given', async () => {
    const file = join(folder, 'apps', 'c.json');
    const { names } = await inject('--filename', join(folder, 'nested', 'only'), '-f', '-', '-f', file, '--recursive');
    assert.deepEqual(names, ['nested/only/here.yaml', 'stdin', 'apps/c.json']);
  });

  test('follows links to files, and none to a folder: there is no circle', async () => {
    const { names } = await inject('-R', '-f', join(folder, 'circle'));
    assert.deepEqual(names, ['circle/a.yaml', 'apps/b.yaml']);
  });

  const unreadable: readonly [name: string, flags: readonly string[], said: RegExp][] = [
    ['empty', [], /there is no \.yaml, \.yml or \.json file in folder "\S+empty"\n$/],
    ['nested', [], /file in folder "\S+nested"; -R reads its subfolders too\n$/],
    ['dangling', [], /cannot read "\S+dangling\/b\.yaml": there is no such file\n$/],
    ['linked-folder', [], /cannot read "\S+linked-folder\/b\.yaml": it is a folder; name the files in it\n$/],
    ['broken', ['-R'], /broken\/b\.yaml:2:1: /],
    ['pipe', [], /cannot read "\S+pipe\/b\.yaml": it is not a file\n$/],
  ];
  for (const [name, flags, said] of unreadable) {
    test(`exit 2 with the file: ${name}`, { timeout: 10_000 }, async () => {
      const { code, stderr, names } = await inject(...flags, '-f', join(folder, name));
      assert.deepEqual([code, names], [2, []]);
      assert.match(stderr, said);
      assert.match(stderr, /^carm-webhook: [^\n]+\n$/);
    });
  }

  test('a folder of more files than are read is told so', { timeout: 60_000 }, async () => {
    const full = join(folder, 'full');
    await mkdir(full);
    for (let index = 0; index < mostFiles; index++) await symlink('../apps/b.yaml', join(full, `${index}.yaml`));
    assert.equal((await filesOfFolder(full, false)).length, mostFiles);
    await symlink('../apps/b.yaml', join(full, 'one-more.yaml'));
    await assert.rejects(filesOfFolder(full, false), {
      code: 'Usage',
      message: `folder ${JSON.stringify(full)} has more than ${mostFiles} manifests; name smaller folders with -f`,
    });
  });
});
