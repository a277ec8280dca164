/** What takes the place of a stage's base image where no engine can pull it. */

import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageConfig } from './oci-archive.ts';
import { copyProgram } from './program-files.ts';

export interface BaseStandIn {
  /** The programs that the base would bring and this machine has: all that a RUN may start. */
  readonly programs: readonly string[];
  /** What the image has from its base. */
  readonly config: ImageConfig;
  /** What it is made from, where it is not the base itself. */
  readonly madeFrom?: string;
  /** Writes the base's files; without it only stages that are not the last can begin with it. */
  readonly fill?: (root: string) => Promise<void>;
}

/** An error to be thrown for a base that this machine has nothing for. */
export class NoStandIn extends Error {
  override readonly name = 'NoStandIn';
  readonly code = 'NoStandIn';
}

/** Where the stand-ins come from. A parameter for tests. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly nodeVersion: string;
  readonly node: string;
}

const thisMachine: Machine = {
  platform: process.platform,
  nodeVersion: process.versions.node,
  node: process.execPath,
};

/** A digest after the tag pins what is pulled; nothing is pulled here. */
const bases: readonly (readonly [RegExp, (major: string, machine: Machine) => BaseStandIn])[] = [
  [/^scratch$/, () => ({ programs: [], config: {}, fill: async () => undefined })],
  [/^node:(\d+)-[a-z]+-slim(?:@sha256:\w+)?$/, () => ({ programs: ['node', 'npm'], config: {} })],
  [/^gcr\.io\/distroless\/nodejs(\d+)-debian\d+:nonroot(?:@sha256:\w+)?$/, (_, machine) => distrolessNode(machine)],
];

/** @throws {NoStandIn} */
export function baseStandIn(base: string, machine: Machine = thisMachine): BaseStandIn {
  for (const [name, make] of bases) {
    const found = name.exec(base);
    if (found === null) continue;
    const [, major] = found;
    if (machine.platform !== 'linux') {
      throw new NoStandIn(`only Linux can stand in for ${base}, this is ${machine.platform}`);
    }
    if (major !== undefined && major !== machine.nodeVersion.split('.')[0]) {
      throw new NoStandIn(`${base} has Node.js ${major}, this machine runs ${machine.nodeVersion}`);
    }
    return make(major ?? '', machine);
  }
  throw new NoStandIn(`nothing on this machine can stand in for the base image ${base}: .ci/image/base-stand-ins.ts`);
}

/**
 * As the base is made: https://github.com/GoogleContainerTools/distroless/blob/main/nodejs/nodejs.bzl and
 * https://github.com/GoogleContainerTools/distroless/blob/main/base/base.bzl. All files are root's here, the home of nonroot too.
 */
function distrolessNode({ node, nodeVersion }: Machine): BaseStandIn {
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  return {
    programs: [],
    config: {
      user: '65532',
      workingDir: '/home/nonroot',
      env: new Map([
        ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
        ['SSL_CERT_FILE', certificates],
      ]),
      entrypoint: ['/nodejs/bin/node'],
    },
    madeFrom: `this machine's Node.js ${nodeVersion} and its libraries`,
    async fill(root) {
      await copyProgram({ program: node, root, to: '/nodejs/bin/node' });
      for (const folder of ['etc/ssl/certs', 'home/nonroot', 'root', 'tmp']) {
        await mkdir(join(root, folder), { recursive: true });
      }
      await chmod(join(root, 'tmp'), 0o1777);
      await chmod(join(root, 'root'), 0o700);
      for (const [name, text] of Object.entries(etc)) await writeFile(join(root, 'etc', name), text, { mode: 0o644 });
      if (existsSync(certificates)) {
        await copyFile(certificates, join(root, certificates));
        await chmod(join(root, certificates), 0o644);
      }
    },
  };
}

const etc = {
  passwd: [
    'root:x:0:0:root:/root:/sbin/nologin',
    'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin',
    'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin',
    '',
  ].join('\n'),
  group: ['root:x:0:', 'nobody:x:65534:', 'nonroot:x:65532:', ''].join('\n'),
  'nsswitch.conf': 'hosts: files dns\n',
} as const;
