import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type ImageConfig, writeOciArchive } from '../../.ci/image/oci-archive.ts';
import { copyProgram } from '../../.ci/image/program-files.ts';
import { TestbedMissing } from '../testbed/binaries.ts';
import { pauseImage } from '../testbed/node/node-config.ts';
import { bundleJsClient } from './clients/bundle-js-client.ts';
import { copyPython } from './python-files.ts';

/** What .ci/image/ makes from the Dockerfile, as `make image` does without a container engine. */
const webhookArchive = join(import.meta.dirname, '..', '..', 'image', 'carm-webhook-test.oci.tar');

/** A shell and the usual small programs; `sleep` and whatever else a test gives it to run. */
export const busyboxImage = 'testbed/busybox:1';
/** AWS SDKs that ask STS who they are: see clients/. In the first /var/run is a link to /run, in the other there is none. */
export const boto3Image = 'testbed/boto3:1';
export const jsSdkImage = 'testbed/aws-sdk-js:1';

const busybox = '/usr/bin/busybox';
const applets = ['cat', 'env', 'id', 'ls', 'sh', 'sleep', 'stat', 'touch', 'true', 'wget'] as const;
const ca = '/client/sts-ca.crt';

/** Names for an address. */
export interface HostAliases {
  readonly ip: string;
  readonly hostnames: readonly string[];
}

async function emptyRoot(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'image-'));
}

async function archive(name: string, root: string, config: ImageConfig): Promise<string> {
  const file = `${root}.oci.tar`;
  await writeOciArchive({ file, name, layers: [{ folder: root }], config });
  return file;
}

async function busyboxRoot(): Promise<string> {
  const root = await emptyRoot();
  mkdirSync(join(root, 'bin'));
  mkdirSync(join(root, 'tmp'), { mode: 0o1777 });
  await copyProgram({ program: busybox, root, to: '/bin/busybox' });
  for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet));
  return root;
}

async function clientRoot(caPem: string): Promise<string> {
  const root = await busyboxRoot();
  mkdirSync(join(root, dirname(ca)));
  writeFileSync(join(root, ca), caPem);
  return root;
}

async function boto3Archive(caPem: string): Promise<string> {
  const root = await clientRoot(caPem);
  // As in the images of Debian, Alpine and most others. The image of the other SDK has neither, as Distroless has.
  mkdirSync(join(root, 'run'));
  mkdirSync(join(root, 'var'));
  symlinkSync('../run', join(root, 'var', 'run'));
  await copyPython(root);
  cpSync(join(import.meta.dirname, 'clients', 'identity.py'), join(root, 'client', 'identity.py'));
  return archive(boto3Image, root, {
    env: new Map([
      ['PATH', '/bin:/usr/bin'],
      ['HOME', '/'],
      ['AWS_CA_BUNDLE', ca],
    ]),
    entrypoint: ['/usr/bin/python3', '/client/identity.py'],
  });
}

async function jsSdkRoot(caPem: string): Promise<string> {
  const root = await clientRoot(caPem);
  await copyProgram({ program: process.execPath, root, to: '/bin/node' });
  await bundleJsClient(join(root, 'client', 'identity.mjs'));
  return root;
}

const jsSdkEnv = new Map([
  ['PATH', '/bin'],
  ['HOME', '/'],
  ['NODE_EXTRA_CA_CERTS', ca],
]);

async function jsSdkArchive(caPem: string): Promise<string> {
  const entrypoint = ['/bin/node', '/client/identity.mjs'];
  return archive(jsSdkImage, await jsSdkRoot(caPem), { env: jsSdkEnv, entrypoint });
}

/**
 * The JavaScript client under the name of an image that a page uses, for a pod of which nothing else is said: it asks who it is,
 * finds STS under AWS's names by itself, and stays.
 */
export async function clientArchiveNamed(name: string, caPem: string, aliases: HostAliases): Promise<string> {
  const root = await jsSdkRoot(caPem);
  const hosts = `${aliases.ip} ${aliases.hostnames.join(' ')}`;
  const script = `echo ${hosts} >> /etc/hosts; exec /bin/node /client/identity.mjs --hold 1000`;
  return archive(name, root, { env: jsSdkEnv, entrypoint: ['/bin/sh', '-c', script] });
}

interface OciIndex {
  readonly manifests: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

/** An image in an archive. */
export interface ArchivedImage {
  readonly archive: string;
  readonly name: string;
}

/** Our own image. @throws {TestbedMissing} when it has not been built */
export function builtImage(): ArchivedImage {
  if (!existsSync(webhookArchive))
    throw new TestbedMissing(`${webhookArchive} is not there: run "make image/carm-webhook-test.oci.tar"`);
  const index = execFileSync('tar', ['-xOf', webhookArchive, 'index.json'], { encoding: 'utf8' });
  const [manifest] = (JSON.parse(index) as OciIndex).manifests;
  return { archive: webhookArchive, name: manifest?.annotations?.['io.containerd.image.name'] ?? '' };
}

/** The archives of what every node needs. */
export async function nodeImages(): Promise<readonly string[]> {
  const root = await busyboxRoot();
  const path = new Map([['PATH', '/bin']]);
  return [
    await archive(pauseImage, root, { env: path, entrypoint: ['/bin/sleep', '2147483647'] }),
    await archive(busyboxImage, await busyboxRoot(), { env: path, cmd: ['/bin/sh'] }),
  ];
}

/** The archives of the two SDKs, which trust a certificate by this CA. */
export async function clientImages(caPem: string): Promise<readonly string[]> {
  return Promise.all([boto3Archive(caPem), jsSdkArchive(caPem)]);
}
