/**
 * An OCI image layout with one image, as one tar file.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Digested, digestOf, packFolder, requireGnuTar } from './gnu-tar.ts';
import { parseImageName } from './image-name.ts';

/** What a container of the image runs, by the names that an engine has for it. */
export interface ImageConfig {
  readonly user?: string;
  readonly env?: ReadonlyMap<string, string>;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly workingDir?: string;
  /** `8443` or `53/udp`. */
  readonly exposedPorts?: readonly string[];
  readonly labels?: ReadonlyMap<string, string>;
}

/** A folder to be packed, or a tar file that `packFolder` has written before. */
export type Layer = { readonly folder: string } | { readonly tar: string };

export interface OciArchive {
  readonly file: string;
  /** `NAME:TAG`; a short name is completed as an engine does it. */
  readonly name: string;
  /** From the lowest to the uppermost. */
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
}

export interface WrittenArchive {
  readonly file: string;
  /** The full name. */
  readonly name: string;
  /** That of the manifest: what an engine shows as the image's digest. */
  readonly digest: string;
  /** That of the file. */
  readonly size: number;
}

/** https://go.dev/doc/install/source#environment: the image spec takes the names of Go. */
const architectures: Readonly<Partial<Record<NodeJS.Architecture, string>>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: '386',
  ppc64: 'ppc64le',
  riscv64: 'riscv64',
  s390x: 's390x',
};

/** An error to be thrown where the image spec has no name for this machine. */
export class UnknownArchitecture extends Error {
  override readonly name = 'UnknownArchitecture';
  readonly code = 'UnknownArchitecture';
}

/** The platform of this machine, as images name it. @throws {UnknownArchitecture} */
export function ownPlatform(): string {
  return `linux/${ownArchitecture()}`;
}

function ownArchitecture(): string {
  const architecture = architectures[process.arch];
  if (architecture === undefined) throw new UnknownArchitecture(`${process.arch} has no name in images`);
  return architecture;
}

/**
 * The same content gives the same bytes: nothing in it says when, where or by whom it was made.
 * @throws {ImageNameError}
 * @throws {GnuTarMissing}
 * @throws {TarFailed}
 * @throws {UnknownArchitecture}
 */
export async function writeOciArchive({ file, name, layers, config }: OciArchive): Promise<WrittenArchive> {
  const { full, tag } = parseImageName(name);
  const architecture = ownArchitecture();
  await requireGnuTar();
  await mkdir(dirname(file), { recursive: true });
  // Beside the file, so that the finished one only needs to be moved.
  const folder = await mkdtemp(`${resolve(file)}.partial-`);
  try {
    const layout = join(folder, 'layout');
    const blobs = join(layout, 'blobs', 'sha256');
    await mkdir(blobs, { recursive: true });
    const packed: Digested[] = [];
    for (const layer of layers) packed.push(await layerBlob(layer, blobs));
    const platform = { architecture, os: 'linux' };
    const configBlob = await jsonBlob(blobs, {
      // Without a time some tools say that it was made in the year 1.
      created: '1970-01-01T00:00:00Z',
      ...platform,
      config: {
        User: config.user,
        ExposedPorts: asSet(config.exposedPorts?.map(port => (port.includes('/') ? port : `${port}/tcp`))),
        Env: config.env && Array.from(config.env, ([variable, value]) => `${variable}=${value}`),
        Entrypoint: config.entrypoint,
        Cmd: config.cmd,
        WorkingDir: config.workingDir,
        Labels: config.labels && Object.fromEntries(config.labels),
      },
      // Layers are not compressed, so these are their digests.
      rootfs: { type: 'layers', diff_ids: packed.map(({ digest }) => digest) },
    });
    const manifest = await jsonBlob(blobs, {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...configBlob },
      layers: packed.map(layer => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...layer })),
    });
    await writeJson(join(layout, 'oci-layout'), { imageLayoutVersion: '1.0.0' });
    await writeJson(join(layout, 'index.json'), {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          ...manifest,
          platform,
          // containerd names the image by the first, other tools find it by the second.
          // https://github.com/containerd/containerd/blob/v2.1.0/core/images/annotations.go
          annotations: { 'io.containerd.image.name': full, 'org.opencontainers.image.ref.name': tag },
        },
      ],
    });
    const finished = join(folder, 'image.tar');
    // Links stand for layers that were packed before. Their modes, and the umask of whoever builds, are not content.
    const { size } = await packFolder(layout, finished, ['--dereference', '--mode=u=rwX,go=rX']);
    await rename(finished, file);
    return { file, name: full, digest: manifest.digest, size };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function layerBlob(layer: Layer, blobs: string): Promise<Digested> {
  const digested = 'tar' in layer ? await digestOf(layer.tar) : await packFolder(layer.folder, join(blobs, 'packing'));
  const blob = join(blobs, hexOf(digested));
  if ('folder' in layer) await rename(join(blobs, 'packing'), blob);
  else if (!existsSync(blob)) await symlink(resolve(layer.tar), blob);
  return digested;
}

async function jsonBlob(blobs: string, value: unknown): Promise<Digested> {
  const bytes = Buffer.from(JSON.stringify(value));
  const digested: Digested = {
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    size: bytes.length,
  };
  await writeFile(join(blobs, hexOf(digested)), bytes);
  return digested;
}

function hexOf({ digest }: Digested): string {
  return digest.slice('sha256:'.length);
}

function writeJson(file: string, value: unknown): Promise<void> {
  return writeFile(file, JSON.stringify(value));
}

/** Sets are written in Go's way, sorted. */
function asSet(members: readonly string[] | undefined): Readonly<Record<string, object>> | undefined {
  return members && Object.fromEntries([...members].sort().map(member => [member, {}]));
}
