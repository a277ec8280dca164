import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReleaseError } from './release-error.ts';
import { runProgram } from './run-program.ts';

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly platform?: { readonly os: string; readonly architecture: string };
}

/** Programs by which whoever gets a process in the container would look around, or bring more. */
const unwanted = /(?:^|\/)(?:sh|ash|bash|dash|zsh|busybox|apt|apt-get|dpkg|apk|npm|npx|curl|wget)$/;
/** An index in an index in an index is nothing that a builder makes. */
const deepest = 3;

export interface CheckedImage {
  readonly platforms: readonly string[];
  /** The digest by which a registry has the image: it covers every platform, and what BuildKit attests of each. */
  readonly digest: string;
}

/**
 * Checks an OCI archive: it has exactly the platforms that are wanted, each runs as 65532 and has neither shell nor package manager.
 * @throws {ReleaseError}
 */
export async function checkImage(archive: string, wanted: readonly string[]): Promise<CheckedImage> {
  const layout = await mkdtemp(join(tmpdir(), 'carm-webhook-layout-'));
  try {
    await runProgram('tar', ['-xf', archive, '-C', layout]);
    const blob = ({ digest }: Descriptor) => join(layout, 'blobs', ...digest.split(':'));
    const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
    const { manifests } = await read(join(layout, 'index.json'));
    const [top, ...more] = manifests as readonly Descriptor[];
    if (top === undefined || more.length > 0) throw new ReleaseError(`${archive} does not have one image`);

    const platforms: string[] = [];
    const wrong: string[] = [];
    const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
      const manifest = await read(blob(descriptor));
      if (Array.isArray(manifest.manifests)) {
        if (depth >= deepest) throw new ReleaseError(`${archive} nests images too deep`);
        for (const each of manifest.manifests) await visit(each, depth + 1);
        return;
      }
      // What BuildKit attests of an image stands beside it. https://docs.docker.com/build/metadata/attestations/attestation-storage/
      if (descriptor.platform?.architecture === 'unknown') return;
      const { os, architecture, config } = await read(blob(manifest.config));
      const platform = `${os}/${architecture}`;
      platforms.push(platform);
      if (config?.User !== '65532:65532')
        wrong.push(`${platform} runs as ${JSON.stringify(config?.User)}, not 65532:65532`);
      for (const layer of manifest.layers as readonly Descriptor[]) {
        const names = (await runProgram('tar', ['-tf', blob(layer)])).split('\n');
        wrong.push(...names.filter(name => unwanted.test(name)).map(name => `${platform} has ${name}`));
      }
    };
    await visit(top, 1);
    const have = platforms.toSorted().join(', ');
    if (have !== wanted.toSorted().join(', ')) wrong.push(`it is for ${have}, not ${wanted.join(', ')}`);
    if (wrong.length > 0)
      throw new ReleaseError(`${archive} must not be published:\n${wrong.map(each => `  ${each}`).join('\n')}`);
    return { platforms, digest: top.digest };
  } finally {
    await rm(layout, { recursive: true, force: true });
  }
}
