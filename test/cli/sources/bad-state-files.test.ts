import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { runCommand } from '../command-runs.ts';

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-bad-state-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const namespace = (name: string) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;
const commands: readonly (readonly string[])[] = [
  ['check'],
  ['why', 'namespace', 'good'],
  ['inject', '-f', '-'],
  ['serve', '--tls-self-signed'],
];

describe('all bad files of a state folder are told at once, exit 2', () => {
  test('a line each, in the order of the files, whatever is wrong with them', async t => {
    const folder = await emptyFolder(t);
    await mkdir(join(folder, 'more'));
    await writeFile(join(folder, 'a.yaml'), 'a: [\n');
    await writeFile(join(folder, 'b.yaml'), namespace('good'));
    await writeFile(join(folder, 'c.yaml'), `${namespace('other')}---\n- 1\n---\nb: [\n`);
    await symlink('nowhere', join(folder, 'd.yaml'));
    await writeFile(join(folder, 'more', 'e.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata: 3\n');
    await writeFile(join(folder, 'more', 'f.json'), namespace('good'));
    await symlink('gone', join(folder, 'more', 'd'));
    await writeFile(join(folder, 'notes.txt'), 'a: [\n');
    for (const command of commands) {
      const { code, stdout, stderr } = await runCommand([...command, '--state', folder]);
      assert.deepEqual([code, stdout], [2, '']);
      const lines = stderr.split('\n');
      assert.equal(lines.pop(), '');
      const said = lines.map(line => line.replaceAll(`${folder}/`, ''));
      assert.match(said[0] ?? '', /^carm-webhook: a\.yaml:2:1: Flow sequence /);
      assert.match(said[1] ?? '', /^carm-webhook: c\.yaml:4: not a Kubernetes object$/);
      assert.deepEqual(said.slice(2), [
        'carm-webhook: cannot read "d.yaml": it is a broken symbolic link',
        'carm-webhook: cannot read "more/d": it is a broken symbolic link',
        'carm-webhook: more/e.yaml:1: "metadata" is not an object',
        'carm-webhook: more/f.json:1: Namespace "good" is already defined in b.yaml:1',
      ]);
    }
  });

  for (const [count, last] of [
    [10, /10\.yaml:2:1: /],
    [11, /^carm-webhook: and 1 more bad file in the state folder$/],
    [300, /^carm-webhook: and 290 more bad files in the state folder$/],
  ] as const) {
    test(`${count} of them are ten lines at most, and how many more`, async t => {
      const folder = await emptyFolder(t);
      for (let index = 1; index <= count; index += 1)
        await writeFile(join(folder, `${String(index).padStart(3, '0')}.yaml`), 'a: [\n');
      const { code, stderr } = await runCommand(['check', '--state', folder]);
      assert.equal(code, 2);
      const lines = stderr.trimEnd().split('\n');
      assert.equal(lines.length, Math.min(count, 11));
      for (const [index, line] of lines.slice(0, 10).entries())
        assert.ok(line.startsWith(`carm-webhook: ${folder}/${String(index + 1).padStart(3, '0')}.yaml:2:1: `));
      assert.match(lines.at(-1) ?? '', last);
    });
  }

  test('links that lead in a circle, and not what is found by them again', async t => {
    const folder = await emptyFolder(t);
    await writeFile(join(folder, 'a.yaml'), namespace('good'));
    for (const name of ['one', 'two']) await mkdir(join(folder, name));
    for (const [from, to] of [
      ['one/self', '.'],
      ['one/there', '../two'],
      ['two/back', '../one'],
    ] as const)
      await symlink(to, join(folder, from));
    const { code, stderr } = await runCommand(['check', '--state', folder]);
    assert.equal(code, 2);
    const paths = ['one/self', 'one/there/back', 'two/back/self', 'two/back/there'];
    const said = paths.map(
      path =>
        `carm-webhook: cannot read the folder ${JSON.stringify(join(folder, path))}: its symbolic links form a loop\n`,
    );
    assert.equal(stderr, said.join(''));
  });

  test('a name of a file with a line break makes no second line', async t => {
    const folder = await emptyFolder(t);
    await writeFile(join(folder, 'a\ncarm-webhook: forged.yaml'), 'a: [\n');
    const { stderr } = await runCommand(['check', '--state', folder]);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
  });
});
