import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { StateDirectory, StateError } from '../../../src/cluster/state/state-directory.ts';

const limitMs = 5_000;

const namespace = (name: string) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;

/** A folder with one namespace, followed; what is told of it, in order. */
async function follow(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'carm-state-directory-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'first.yaml'), namespace('first'));
  const told: (StateError | 'reloaded')[] = [];
  let next = Promise.withResolvers<void>();
  const tell = (what: StateError | 'reloaded') => {
    told.push(what);
    next.resolve();
  };
  const state = await StateDirectory.open({
    folder,
    roleSelectors: false,
    pollMs: 10,
    onReload: () => tell('reloaded'),
    onError: tell,
  });
  t.after(() => state.close());
  /** What is told next. */
  const news = async (): Promise<StateError | 'reloaded'> => {
    const timer = setTimeout(() => next.reject(new Error('nothing was told')), limitMs);
    await next.promise.finally(() => clearTimeout(timer));
    const what = told.shift();
    assert.ok(what !== undefined);
    if (told.length === 0) next = Promise.withResolvers<void>();
    return what;
  };
  /** Puts a file there whole, so that no look finds half of it. */
  const put = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, `.${name}`), text);
    await rename(join(folder, `.${name}`), join(folder, name));
  };
  const names = () => [...state.cache.namespaces()].map(({ name }) => name);
  return { folder, state, put, news, told, names };
}

function linesOf(error: StateError | 'reloaded', folder: string): readonly string[] {
  assert.ok(error instanceof StateError);
  assert.equal(error.message, error.lines.join('; '));
  assert.ok(!error.message.includes('\n'));
  return error.lines.map(line => line.replaceAll(`${folder}/`, ''));
}

describe('a state folder that is followed', () => {
  test('keeps the last good state while files are bad, tells of all of them, and takes the next good one', async t => {
    const { folder, put, news, names } = await follow(t);
    await symlink('nowhere', join(folder, 'link.yaml'));
    assert.deepEqual(linesOf(await news(), folder), ['cannot read "link.yaml": it is a broken symbolic link']);
    await put('bad.yaml', 'a: [\n');
    const lines = linesOf(await news(), folder);
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /^bad\.yaml:2:1: /);
    assert.match(lines[1] ?? '', /link\.yaml/);
    assert.deepEqual(names(), ['first']);

    await rm(join(folder, 'link.yaml'));
    assert.equal(linesOf(await news(), folder).length, 1);
    await put('bad.yaml', namespace('second'));
    assert.equal(await news(), 'reloaded');
    assert.deepEqual(names(), ['second', 'first']);
  });

  test('tells once of a bad state that stays', async t => {
    const { put, news, told } = await follow(t);
    await put('bad.yaml', 'a: [\n');
    await news();
    await new Promise(resolve => setTimeout(resolve, 100));
    assert.deepEqual(told, []);
  });

  test('keeps the last good state when the folder goes, and takes it again when it is back', async t => {
    const { folder, news, names } = await follow(t);
    await rename(folder, `${folder}-away`);
    t.after(() => rm(`${folder}-away`, { recursive: true, force: true }));
    assert.deepEqual(linesOf(await news(), folder), [
      `cannot read the state folder ${JSON.stringify(folder)}: there is no such folder`,
    ]);
    assert.deepEqual(names(), ['first']);
    await rename(`${folder}-away`, folder);
    // A look in the midst of the renaming may have told of it in other words before.
    while ((await news()) !== 'reloaded');
  });
});
