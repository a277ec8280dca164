import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { demoState, runCommand } from '../command-runs.ts';

describe('a path that cannot be read is exit 2, one line of plain words that quotes it', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carm-unreadable-'));
    await writeFile(join(folder, 'pod.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n');
    await mkdir(join(folder, 'dangling'));
    await symlink('nowhere.yaml', join(folder, 'dangling', 'link.yaml'));
    await symlink('circle.yaml', join(folder, 'circle.yaml'));
    await writeFile(join(folder, 'huge.yaml'), '');
    // Sparse: it takes no room on the disk.
    await truncate(join(folder, 'huge.yaml'), 3 * 1024 ** 3);
    await mkdir(join(folder, 'huge'));
    await symlink('../huge.yaml', join(folder, 'huge', 'huge.yaml'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function said(argv: readonly string[], path: string, called: string, why: string): Promise<void> {
    const { code, stdout, stderr } = await runCommand(argv);
    assert.deepEqual([code, stdout], [2, '']);
    assert.equal(stderr, `carm-webhook: cannot read ${called}${JSON.stringify(path)}: ${why}\n`);
  }

  const states: readonly [state: string, unreadable: string, called: string, why: string][] = [
    ['none', 'none', 'the state folder ', 'there is no such folder'],
    ['pod.yaml', 'pod.yaml', 'the state folder ', 'it is not a folder'],
    ['pod.yaml/state', 'pod.yaml/state', 'the state folder ', 'it is not a folder'],
    ['circle.yaml', 'circle.yaml', 'the state folder ', 'its symbolic links form a loop'],
    ['dangling', 'dangling/link.yaml', '', 'it is a broken symbolic link'],
    ['huge', 'huge/huge.yaml', '', 'it is too large'],
  ];
  const commands: readonly (readonly string[])[] = [
    ['check'],
    ['why', 'namespace', 'team-a'],
    ['inject', '-f', '-'],
    ['serve', '--tls-self-signed'],
  ];
  for (const [state, unreadable, called, why] of states) {
    for (const command of commands) {
      test(`${command.join(' ')} --state ${state}`, () =>
        said([...command, '--state', join(folder, state)], join(folder, unreadable), called, why));
    }
  }

  const inputs: readonly [file: string, why: string][] = [
    ['none.yaml', 'there is no such file'],
    ['pod.yaml/none.yaml', 'there is no such file: a part of its path is not a folder'],
    ['circle.yaml', 'its symbolic links form a loop'],
    ['x'.repeat(300), 'its name is too long'],
  ];
  const tooLarge = 'with it, the input is larger than 256 MiB';
  for (const [file, why] of [...inputs, ['huge.yaml', tooLarge] as const]) {
    test(`inject -f ${file.slice(0, 20)}`, () => {
      const path = join(folder, file);
      return said(['inject', '--state', demoState, '-f', path], path, '', why);
    });
  }

  for (const flag of ['tls-cert-file', 'tls-private-key-file', 'client-ca-file']) {
    const others = [
      ['dangling', 'it is a folder; name the files in it'],
      ['huge.yaml', 'it is too large'],
    ] as const;
    for (const [file, why] of [...inputs, ...others]) {
      test(`serve --${flag} ${file.slice(0, 20)}`, () => {
        const path = join(folder, file);
        const readable = join(folder, 'pod.yaml');
        const flags = ['tls-cert-file', 'tls-private-key-file'].flatMap(name => [`--${name}`, readable]);
        return said(['serve', ...flags, `--${flag}`, path], path, `--${flag} `, why);
      });
    }
  }

  test('a name that is no text is told by who reads the kind, and is nothing to who does not', async () => {
    const state = await mkdtemp(join(folder, 'state-'));
    const nameless = 'metadata: {name: [a]}\n';
    await writeFile(join(state, 'unread.yaml'), `apiVersion: apps/v1\nkind: Deployment\n${nameless}`);
    const { code } = await runCommand(['check', '--state', state]);
    assert.equal(code, 0);
    await writeFile(join(state, 'read.yaml'), `apiVersion: v1\nkind: Pod\n${nameless}`);
    const { code: bad, stderr } = await runCommand(['check', '--state', state]);
    assert.equal(bad, 2);
    assert.match(stderr, /^carm-webhook: \S+read\.yaml:1: "metadata\.name" is not a string [^\n]*\n$/);
  });
});
