import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type BaseStandIn, baseStandIn } from '../../.ci/image/base-stand-ins.ts';
import { parseDockerfile } from '../../.ci/image/dockerfile.ts';
import { parseDockerignore } from '../../.ci/image/dockerignore.ts';
import { buildStage } from '../../.ci/image/stage-build.ts';
import { type Entry, folderOf } from './folder-of.ts';

const run = promisify(execFile);

interface Build {
  readonly steps: string;
  readonly context?: Readonly<Record<string, Entry>>;
  readonly ignored?: string;
  /** The root of the stage `first`. */
  readonly first?: Readonly<Record<string, Entry>>;
  readonly base?: BaseStandIn;
}

async function build(t: TestContext, { steps, context = {}, ignored = '', first = {}, base }: Build) {
  const [, stage] = parseDockerfile(`FROM scratch AS first\nFROM scratch\n${steps}`);
  assert.ok(stage !== undefined);
  const root = await folderOf(t);
  const config = await buildStage({
    stage,
    base: base ?? baseStandIn('scratch'),
    root,
    context: { folder: await folderOf(t, context), includes: parseDockerignore(ignored) },
    earlier: new Map([['first', await folderOf(t, first)]]),
  });
  // Type, mode and path, and where links lead.
  const { stdout } = await run('find', [root, '-mindepth', '1', '-printf', '%y%m /%P %l\n']);
  const files = stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.trim());
  return { config, files: files.sort() };
}

describe('COPY', () => {
  const context = {
    a: 'A',
    b: { text: 'B', mode: 0o755 },
    'c/d': 'D',
    'c/e/f': 'F',
    'c/near': { link: 'd' },
  } as const;
  const whole = ['d755 /c', 'd755 /c/e', 'f644 /c/d', 'f644 /c/e/f', 'l777 /c/near d'];

  for (const [steps, files, ignored] of [
    ['COPY a /', ['f644 /a']],
    ['COPY a .', ['f644 /a']],
    ['COPY a x', ['f644 /x']],
    ['COPY a x/', ['d755 /x', 'f644 /x/a']],
    ['COPY /a ./b /x/y/', ['d755 /x', 'd755 /x/y', 'f644 /x/y/a', 'f755 /x/y/b']],
    ['COPY ../../a x', ['f644 /x']],
    ['WORKDIR /w\nCOPY a ./', ['d755 /w', 'f644 /w/a']],
    ['WORKDIR /w\nWORKDIR v\nCOPY a ../', ['d755 /w', 'd755 /w/v', 'f644 /w/a']],
    ['WORKDIR /w\nCOPY a /w', ['d755 /w', 'f644 /w/a']],
    ['COPY c c', whole],
    ['COPY c/ /c/', whole],
    ['COPY c/e a /x/', ['d755 /x', 'f644 /x/a', 'f644 /x/f']],
    ['COPY a x\nCOPY b x', ['f755 /x']],
    ['COPY c c\nCOPY b c/near', [...whole.slice(0, 2), 'f644 /c/d', 'f644 /c/e/f', 'f755 /c/near']],
    ['COPY . .', ['f644 /a', ...whole.slice(0, 3)].sort(), 'b\nc/e/*\nc/near'],
    ['COPY c c', ['d755 /c', 'd755 /c/e', 'f644 /c/e/f'], '*\n!c/e'],
    ['COPY a c ./', ['f644 /a', 'f644 /d'], '*\n!a\n!c/d'],
  ] as readonly (readonly [string, string[], string?])[]) {
    test(JSON.stringify([steps, ignored]), async t => {
      const built = await build(t, { steps, context, ignored: ignored ?? '' });
      assert.deepEqual(built.files, files);
    });
  }

  test('from another stage takes what .dockerignore leaves out of the context', async t => {
    const steps = 'COPY --from=first /out/ /x/\nCOPY --from=first out/a /y';
    const { files } = await build(t, {
      steps,
      ignored: '*',
      first: { 'out/a': 'A', 'out/b/c': { mode: 0o700, text: '' }, 'out/d': { mode: 0o711 } },
    });
    assert.deepEqual(files, ['d711 /x/d', 'd755 /x', 'd755 /x/b', 'f644 /x/a', 'f644 /y', 'f700 /x/b/c']);
  });

  for (const [steps, message, ignored] of [
    ['COPY none x', /^Dockerfile:3: COPY: none is not there$/],
    ['\nCOPY a none x/', /^Dockerfile:4: COPY: none /],
    ['COPY --from=first a x', /^Dockerfile:3: COPY: a is not there$/],
    ['COPY a x', /^Dockerfile:3: COPY: a is left out by \.dockerignore$/, 'a'],
    ['COPY c x', /^Dockerfile:3: COPY: c has nothing /, 'c'],
    ['COPY c/e /x/y\nCOPY a /x/y/z\nCOPY c/e /x/y/z', /^Dockerfile:5: COPY: /],
    ['COPY c/e /x/a\nCOPY a /x/', /^Dockerfile:4: COPY: \/x\/a is a folder already$/],
  ] as readonly (readonly [string, RegExp, string?])[]) {
    test(`${JSON.stringify(steps)} fails at its line`, async t => {
      await assert.rejects(build(t, { steps, context, ignored: ignored ?? '' }), { code: 'StepFailed', message });
    });
  }

  test('follows no link out of a root, neither to read nor to write', async t => {
    const outside = await folderOf(t, { secret: 'S' });
    const links = { away: { link: outside }, file: { link: join(outside, 'secret') } };
    for (const steps of ['COPY away/secret x', 'COPY file x', 'COPY --from=first away/secret x']) {
      await assert.rejects(build(t, { steps, context: links, first: links }), {
        code: 'StepFailed',
        message: /leads out/,
      });
    }
    const steps = 'COPY links /l/\nCOPY a /l/away/b';
    const context = { 'links/away': { link: outside }, a: 'A' };
    await assert.rejects(build(t, { steps, context }), { code: 'StepFailed', message: /leads out/ });
    await assert.rejects(build(t, { steps: 'COPY links /l/\nCOPY a /l/away/', context }), { code: 'StepFailed' });
  });
});

describe('RUN', () => {
  const node = baseStandIn(`node:${process.versions.node.split('.')[0]}-bookworm-slim`);
  const script = "import { writeFileSync } from 'node:fs'; writeFileSync(process.env.NAME, '', { mode: 0o644 });";

  test('runs in the working directory, with the variables that were set before', async t => {
    const steps = 'WORKDIR /w\nCOPY a.mjs ./\nENV NAME=one\nRUN node a.mjs\nENV NAME=two';
    const { files } = await build(t, { steps, context: { 'a.mjs': script }, base: node });
    assert.deepEqual(files, ['d755 /w', 'f644 /w/a.mjs', 'f644 /w/one']);
  });

  test('that fails is named with its line', async t => {
    const message = /^Dockerfile:3: RUN: node none\.mjs ended with 1\n/;
    await assert.rejects(build(t, { steps: 'RUN node none.mjs', base: node }), { code: 'StepFailed', message });
  });
});

describe('the config', () => {
  const base: BaseStandIn = {
    programs: [],
    config: {
      user: '1',
      workingDir: '/home',
      env: new Map([
        ['A', '1'],
        ['B', '1'],
      ]),
      entrypoint: ['/e'],
      cmd: ['c'],
    },
  };

  test('is that of the base where no step sets it', async t => {
    assert.deepEqual((await build(t, { steps: '', base })).config, base.config);
  });

  test('has what the steps set, the last one of each', async t => {
    const steps = 'USER 2\nUSER 3:3\nENV B=2 C=2\nWORKDIR w\nEXPOSE 1 2/udp\nEXPOSE 3\nENTRYPOINT ["/f"]\nCMD ["d"]';
    assert.deepEqual((await build(t, { steps, base })).config, {
      user: '3:3',
      workingDir: '/home/w',
      env: new Map([
        ['A', '1'],
        ['B', '2'],
        ['C', '2'],
      ]),
      exposedPorts: ['1', '2/udp', '3'],
      entrypoint: ['/f'],
      cmd: ['d'],
    });
  });

  test('loses the command of the base, not its own, with another entry point', async t => {
    assert.equal((await build(t, { steps: 'ENTRYPOINT ["/f"]', base })).config.cmd, undefined);
    const { config } = await build(t, { steps: 'CMD ["c"]\nENTRYPOINT ["/f"]', base });
    assert.deepEqual(config.cmd, ['c']);
  });
});

test('folders are for everyone to read whatever the mode of the root was', async t => {
  const root = await folderOf(t);
  await mkdir(join(root, 'root'));
  await chmod(join(root, 'root'), 0o700);
  const [stage] = parseDockerfile('FROM scratch\nWORKDIR /a/b');
  assert.ok(stage !== undefined);
  const context = { folder: root, includes: () => true };
  await buildStage({
    stage,
    base: baseStandIn('scratch'),
    root: join(root, 'root'),
    context,
    earlier: new Map(),
  });
  const { stdout } = await run('find', [join(root, 'root'), '-printf', '%m ']);
  assert.equal(stdout, '755 755 755 ');
});
