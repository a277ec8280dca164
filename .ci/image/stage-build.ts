/** One stage's steps, done in a folder that stands for the root of its file system. */

import { existsSync, type Stats } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, realpath, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, posix, sep } from 'node:path';
import type { BaseStandIn } from './base-stand-ins.ts';
import { isFolderPath, type Stage, type Step } from './dockerfile.ts';
import type { ImageConfig } from './oci-archive.ts';
import { runStep } from './run-step.ts';

/** The files that COPY without --from takes from, and which of them it may take. */
export interface BuildContext {
  readonly folder: string;
  readonly includes: (path: string) => boolean;
}

export interface StageBuild {
  readonly stage: Stage;
  readonly base: BaseStandIn;
  /** An empty folder. The base's files do not come into it. */
  readonly root: string;
  readonly context: BuildContext;
  /** The roots of earlier stages, by name. */
  readonly earlier: ReadonlyMap<string, string>;
  /** Is told what takes long. */
  readonly report?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An error to be thrown when a step fails; the message begins with its place. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly code = 'StepFailed';

  constructor({ line, instruction }: Step, problem: string) {
    super(`Dockerfile:${line}: ${instruction}: ${problem}`);
  }
}

/**
 * Does the steps, in their order.
 * @returns what the image of this stage has as its config.
 * @throws {StepFailed}
 */
export async function buildStage(build: StageBuild): Promise<ImageConfig> {
  const { root, base, report, signal } = build;
  let config: ImageConfig = base.config;
  await chmod(root, 0o755);
  for (const step of build.stage.steps) {
    signal?.throwIfAborted();
    const workingDir = config.workingDir ?? '/';
    switch (step.instruction) {
      case 'WORKDIR': {
        const path = posix.resolve(workingDir, step.path);
        await makeFolders(step, root, path);
        config = { ...config, workingDir: path };
        break;
      }
      case 'COPY':
        await copy(step, build, workingDir);
        break;
      case 'RUN': {
        await makeFolders(step, root, workingDir);
        report?.(`RUN ${step.command}`);
        const { programs } = base;
        const env = config.env ?? new Map();
        const problem = await runStep({ command: step.command, cwd: join(root, workingDir), env, programs, signal });
        signal?.throwIfAborted();
        if (problem !== undefined) throw new StepFailed(step, problem);
        break;
      }
      case 'ENV':
        config = { ...config, env: new Map([...(config.env ?? []), ...step.variables]) };
        break;
      case 'USER':
        config = { ...config, user: step.user };
        break;
      case 'EXPOSE':
        config = { ...config, exposedPorts: [...(config.exposedPorts ?? []), ...step.ports] };
        break;
      case 'ENTRYPOINT': {
        // A command of the base is meant for the base's entry point.
        const { cmd, ...others } = config;
        config = { ...others, ...(cmd === base.config.cmd ? {} : { cmd }), entrypoint: step.words };
        break;
      }
      case 'CMD':
        config = { ...config, cmd: step.words };
        break;
      default:
        step satisfies never;
    }
  }
  return config;
}

type CopyStep = Step & { readonly instruction: 'COPY' };

async function copy(step: CopyStep, { root, context, earlier }: StageBuild, workingDir: string): Promise<void> {
  const { from, sources, destination } = step;
  const fromRoot = from === undefined ? context.folder : earlier.get(from);
  if (fromRoot === undefined) throw new StepFailed(step, `there is no stage ${from}`);
  const includes = from === undefined ? context.includes : () => true;
  const target = posix.resolve(workingDir, destination);
  for (const source of sources) {
    // As in a root: `..` does not lead out of it.
    const path = posix.resolve('/', source).slice(1);
    const place = join(fromRoot, path);
    const stats = await lstat(place).catch(() => undefined);
    if (stats === undefined) throw new StepFailed(step, `${source} is not there`);
    await assertWithin(step, fromRoot, place);
    if (stats.isDirectory()) {
      if ((await copyEntry({ step, fromRoot, path, includes, root, target })) === 0) {
        throw new StepFailed(step, `${source} has nothing that may be copied`);
      }
      continue;
    }
    const intoFolder = isFolderPath(destination) || (await isFolder(join(root, target)));
    const file = intoFolder ? posix.join(target, basename(path)) : target;
    if ((await copyEntry({ step, fromRoot, path, includes, root, target: file })) === 0) {
      throw new StepFailed(step, `${source} is left out by .dockerignore`);
    }
  }
}

interface EntryCopy {
  readonly step: Step;
  readonly fromRoot: string;
  readonly path: string;
  readonly includes: (path: string) => boolean;
  readonly root: string;
  readonly target: string;
}

/** Copies a file, a link as it is, or what is in a folder. @returns how many entries it has copied. */
async function copyEntry(entry: EntryCopy): Promise<number> {
  const { step, fromRoot, path, includes, root, target } = entry;
  const from = join(fromRoot, path);
  const to = join(root, target);
  const stats = await lstat(from);
  if (stats.isDirectory()) {
    let copied = 0;
    if (path === '' || includes(path)) {
      await makeFolders(step, root, target);
      await chmod(to, stats.mode & 0o7777);
      copied += 1;
    }
    for (const name of (await readdir(from)).sort()) {
      copied += await copyEntry({ ...entry, path: posix.join(path, name), target: posix.join(target, name) });
    }
    return copied;
  }
  if (!includes(path)) return 0;
  await makeFolders(step, root, posix.dirname(target));
  if (await isFolder(to)) throw new StepFailed(step, `${target} is a folder already`);
  await rm(to, { force: true });
  await copyLeaf(step, stats, from, to);
  return 1;
}

async function copyLeaf(step: Step, stats: Stats, from: string, to: string): Promise<void> {
  if (stats.isSymbolicLink()) await symlink(await readlink(from), to);
  else if (stats.isFile()) await copyFile(from, to);
  else throw new StepFailed(step, `${from} is neither a file, a folder nor a link`);
}

/** Makes a folder and those that it is in, for everyone to read whatever the umask is. */
async function makeFolders(step: Step, root: string, path: string): Promise<void> {
  let folder = root;
  for (const part of path.split('/').filter(each => each !== '')) {
    folder = join(folder, part);
    if (existsSync(folder)) {
      await assertWithin(step, root, folder);
      if (!(await isFolder(folder))) throw new StepFailed(step, `${path} cannot be made: a file is in its way`);
      continue;
    }
    await mkdir(folder);
    await chmod(folder, 0o755);
  }
}

/** Links lead to where they would lead in the image only if they stay in its root. */
async function assertWithin(step: Step, root: string, path: string): Promise<void> {
  const [realRoot, real] = await Promise.all([realpath(root), realpath(path).catch(() => realpath(dirname(path)))]);
  if (real !== realRoot && !real.startsWith(realRoot + sep)) {
    throw new StepFailed(step, `${path} is a link that leads out of the root`);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    stats => stats.isDirectory(),
    () => false,
  );
}
