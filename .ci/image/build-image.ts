/** `make image` without a container engine: the image of the Dockerfile as an OCI archive. */

import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BaseStandIn, baseStandIn, NoStandIn } from './base-stand-ins.ts';
import { DockerfileError, parseDockerfile, type Stage } from './dockerfile.ts';
import { parseDockerignore } from './dockerignore.ts';
import { requireGnuTar } from './gnu-tar.ts';
import { parseImageName } from './image-name.ts';
import {
  type ImageConfig,
  ownPlatform,
  UnknownArchitecture,
  type WrittenArchive,
  writeOciArchive,
} from './oci-archive.ts';
import { type BuildContext, buildStage } from './stage-build.ts';

export interface ImageBuild {
  /** The folder with the Dockerfile, which is also what it copies from. */
  readonly context: string;
  /** `NAME:TAG`. */
  readonly name: string;
  /** The archive to be written. */
  readonly output: string;
  /** Is told what takes long. */
  readonly report?: (line: string) => void;
  /** Ends the build, and what it runs. */
  readonly signal?: AbortSignal;
}

export interface BuiltImage extends WrittenArchive {
  /** The base that the Dockerfile names, and what the image has instead. */
  readonly base: { readonly wanted: string; readonly madeFrom?: string };
}

/**
 * Builds the archive from the Dockerfile's own steps. The last stage is the image: a layer for what stands in for its base, and
 * a layer for its steps.
 * @throws {DockerfileError}
 * @throws {NoStandIn}
 * @throws {StepFailed}
 * @throws {ImageNameError}
 * @throws {GnuTarMissing}
 */
export async function buildImage({ context, name, output, report, signal }: ImageBuild): Promise<BuiltImage> {
  // What cannot succeed fails before anything takes long.
  parseImageName(name);
  await requireGnuTar();
  const text = await readFile(join(context, 'Dockerfile'), 'utf8');
  const stages = parseDockerfile(text).map(stage => ({ stage, base: standInOf(stage) }));
  const last = stages.at(-1);
  if (last?.base.fill === undefined) {
    throw new NoStandIn(`nothing on this machine can stand in for ${last?.stage.base} as an image's base`);
  }
  const { fill, madeFrom } = last.base;
  const files = await contextOf(context);

  const folder = await mkdtemp(join(tmpdir(), 'carm-webhook-image-'));
  try {
    const roots = new Map<string, string>();
    let config: ImageConfig = {};
    let root = folder;
    for (const [index, each] of stages.entries()) {
      root = join(folder, `stage-${index}`);
      await mkdir(root);
      config = await buildStage({ ...each, root, context: files, earlier: roots, report, signal });
      if (each.stage.name !== undefined) roots.set(each.stage.name, root);
    }
    const baseRoot = join(folder, 'base');
    await mkdir(baseRoot);
    await fill(baseRoot);
    signal?.throwIfAborted();
    const filled = await Promise.all(
      [baseRoot, root].map(async each => ((await readdir(each)).length > 0 ? [each] : [])),
    );
    const layers = filled.flat().map(each => ({ folder: each }));
    const written = await writeOciArchive({ file: output, name, layers, config });
    return { ...written, base: { wanted: last.stage.base, ...(madeFrom === undefined ? {} : { madeFrom }) } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What stands in is of this machine's platform, whatever is asked for. */
function standInOf(stage: Stage): BaseStandIn {
  const { platform, base } = stage;
  if (platform !== undefined && !/^\$(?:BUILD|TARGET)PLATFORM$/.test(platform)) {
    throw new DockerfileError(
      { line: stage.line, instruction: 'FROM' },
      `--platform=${platform} needs a container engine: here only this machine's own can be built`,
    );
  }
  return baseStandIn(base);
}

async function contextOf(folder: string): Promise<BuildContext> {
  const ignored = await readFile(join(folder, '.dockerignore'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return { folder, includes: parseDockerignore(ignored) };
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code = 'Interrupted';
}

async function main(signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: {
      name: { type: 'string', default: 'carm-webhook:dev' },
      platform: { type: 'string' },
      output: { type: 'string', default: 'image/carm-webhook.oci.tar' },
    },
  });
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const context = fileURLToPath(new URL('../..', import.meta.url));
  const { platform, ...named } = values;
  const own = ownPlatform();
  if (platform !== undefined && platform !== own) {
    throw new UnknownArchitecture(`without a container engine an image can only be for ${own}, not for ${platform}`);
  }
  const { file, ...image } = await buildImage({ context, ...named, report: say, signal });
  const { madeFrom, wanted } = image.base;
  say('');
  say(`${file}: ${image.name}, ${own}, ${Math.ceil(image.size / 1e6)} MB, ${image.digest}`);
  say('To load it on a node with containerd, or to copy it to a registry:');
  say(`  ctr -n k8s.io images import ${file}`);
  say(`  skopeo copy oci-archive:${file} docker://REGISTRY/NAME:TAG`);
  if (madeFrom !== undefined) {
    say(`WARNING: instead of ${wanted} its base is ${madeFrom}.`);
    say('It is for tests, and for clusters without a registry. Do not publish it: build that with a container engine.');
  }
}

if (import.meta.main) {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // So that the folders in which it builds are removed.
    process.once(signal, () => interrupted.abort(new Interrupted(`ended by ${signal}`)));
  }
  try {
    await main(interrupted.signal);
  } catch (error) {
    // What has a code is said by its message; anything else is a defect, and needs its stack.
    if (!(error instanceof Error) || !('code' in error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}
