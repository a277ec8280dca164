import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { buildImage } from '../../.ci/image/build-image.ts';
import { folderOf } from './folder-of.ts';
import { listTar, readArchive, textIn } from './read-archive.ts';

const major = process.versions.node.split('.')[0];
const dockerfile = `# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM node:${major}-bookworm-slim AS build
WORKDIR /work
COPY make.mjs part ./
RUN node make.mjs

FROM scratch
WORKDIR /app
COPY LICENSE ./
COPY --from=build /work/out/ ./
ENV A=1
USER 65532:65532
ENTRYPOINT ["/app/made"]
CMD ["serve"]
`;
const context = {
  Dockerfile: dockerfile,
  '.dockerignore': '*\n!make.mjs\n!part\n!LICENSE\n',
  'make.mjs': `import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
mkdirSync('out');
copyFileSync('part', 'out/made');
writeFileSync('out/seen', readdirSync('.').join());
`,
  part: { text: 'a part', mode: 0o755 },
  LICENSE: 'the licence',
  secret: 'not for the image',
} as const;

describe('an image that is built without a container engine', () => {
  test('holds what the steps of the last stage copy, and its config', async t => {
    const output = join(await folderOf(t), 'deep', 'a.tar');
    const said: string[] = [];
    const report = (line: string) => said.push(line);
    const built = await buildImage({ context: await folderOf(t, context), name: 'made:1', output, report });
    assert.deepEqual([built.file, built.name, built.base], [output, 'docker.io/library/made:1', { wanted: 'scratch' }]);
    assert.deepEqual(said, ['RUN node make.mjs']);

    const { manifest, config, blob } = await readArchive(t, output);
    const [layer, ...more] = manifest.layers.map(blob);
    assert.ok(layer !== undefined);
    assert.deepEqual(more, []);
    assert.deepEqual(
      (await listTar(layer)).map(line => line.replace(/ \d+ 1970.* /, ' ')),
      ['drwxr-xr-x 0/0 app/', '-rw-r--r-- 0/0 app/LICENSE', '-rwxr-xr-x 0/0 app/made', '-rw-r--r-- 0/0 app/seen'],
    );
    assert.deepEqual(await Promise.all(['LICENSE', 'made', 'seen'].map(name => textIn(layer, `app/${name}`))), [
      'the licence',
      'a part',
      'make.mjs,out,part',
    ]);
    assert.deepEqual(config.config, {
      User: '65532:65532',
      Env: ['A=1'],
      Entrypoint: ['/app/made'],
      Cmd: ['serve'],
      WorkingDir: '/app',
    });
  });

  test('is the same, byte for byte, when it is built again', async t => {
    const folder = await folderOf(t);
    const files = ['1', '2'].map(name => join(folder, name));
    for (const output of files) await buildImage({ context: await folderOf(t, context), name: 'a', output });
    const [one, two] = await Promise.all(files.map(file => readFile(file)));
    assert.ok(one !== undefined && two?.equals(one));
  });

  test('takes from its context what .dockerignore leaves in, or all of it', async t => {
    const { '.dockerignore': ignored, ...others } = { ...context, Dockerfile: 'FROM scratch\nCOPY secret /' };
    const output = join(await folderOf(t), 'a.tar');
    const left = buildImage({ context: await folderOf(t, { ...others, '.dockerignore': ignored }), name: 'a', output });
    await assert.rejects(left, { code: 'StepFailed', message: /secret is left out by \.dockerignore/ });
    await buildImage({ context: await folderOf(t, others), name: 'a', output });
  });

  for (const [what, from, to, error] of [
    ['an unknown base', 'FROM scratch', 'FROM alpine:3', { code: 'NoStandIn', message: /alpine:3/ }],
    [
      'a last stage whose base has no files here',
      'FROM scratch',
      `FROM node:${major}-bookworm-slim`,
      { code: 'NoStandIn' },
    ],
    [
      'another platform',
      '$BUILDPLATFORM',
      'linux/s390x',
      { code: 'InvalidDockerfile', message: /^Dockerfile:2: .*s390x/ },
    ],
    ['an unknown instruction', 'USER', 'ADD', { code: 'InvalidDockerfile', message: /^Dockerfile:12: ADD: / }],
  ] as const) {
    test(`${what} fails before anything is run`, async t => {
      const folder = await folderOf(t, { ...context, Dockerfile: dockerfile.replace(from, to) });
      const said: string[] = [];
      const build = buildImage({
        context: folder,
        name: 'a',
        output: join(folder, 'out.tar'),
        report: line => said.push(line),
      });
      await assert.rejects(build, error);
      assert.deepEqual(said, []);
    });
  }

  test('ends what it runs, and leaves nothing behind, when it is interrupted', { timeout: 30_000 }, async t => {
    const folder = await folderOf(t);
    const script = `import { writeFileSync } from 'node:fs';
writeFileSync('${folder}/started', [process.pid, process.cwd()].join(' '));
setTimeout(() => {}, 60_000);`;
    const interrupted = new AbortController();
    const build = buildImage({
      context: await folderOf(t, { ...context, 'make.mjs': script }),
      name: 'a',
      output: join(folder, 'out/a.tar'),
      signal: interrupted.signal,
    });
    const started = join(folder, 'started');
    while (!existsSync(started) || (await readFile(started, 'utf8')) === '') await sleep(10);
    interrupted.abort(new Error('enough'));
    await assert.rejects(build, /^Error: enough$/);
    const [pid, place = ''] = (await readFile(started, 'utf8')).split(' ');
    assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
    assert.match(place, /carm-webhook-image-/);
    assert.ok(!existsSync(dirname(dirname(place))) && !existsSync(join(folder, 'out')));
  });

  test('leaves nothing behind when a step fails', async t => {
    const script = "console.error('in', process.cwd()); process.exit(1);";
    const folder = await folderOf(t, { ...context, 'make.mjs': script });
    const build = buildImage({ context: folder, name: 'a', output: join(folder, 'out/a.tar') });
    await assert.rejects(build, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'StepFailed');
      const [, place = ''] = /^Dockerfile:5: RUN: .*\nin (.+\/work)$/.exec(error.message) ?? [];
      assert.match(place, /carm-webhook-image-/);
      assert.ok(!existsSync(place) && !existsSync(dirname(dirname(place))));
      return true;
    });
    assert.ok(!existsSync(join(folder, 'out')));
  });

  test('is for this machine, and says so where another platform is asked for', { timeout: 30_000 }, async () => {
    const program = join(import.meta.dirname, '..', '..', '.ci', 'image', 'build-image.ts');
    const run = promisify(execFile)(process.execPath, [program, '--platform', 'linux/another']);
    const message = /^without a container engine an image can only be for linux\/\w+, not for linux\/another\n$/;
    await assert.rejects(run, (error: Error & { code?: number; stderr?: string }) => {
      assert.match(error.stderr ?? '', message);
      return error.code === 2;
    });
  });
});
