import { cpSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { copyProgram } from '../../.ci/image/program-files.ts';

/** Debian's. https://packages.debian.org/bookworm/python3-boto3 */
const python = '/usr/bin/python3';
const packages = '/usr/lib/python3/dist-packages';

/** Of the standard library: what no client needs, and what is large. */
const leftOut = [
  'asyncio',
  'curses',
  'dbm',
  'distutils',
  'ensurepip',
  'idlelib',
  'lib2to3',
  'multiprocessing',
  'pydoc_data',
  'sqlite3',
  'test',
  'tkinter',
  'turtledemo',
  'unittest',
  'wsgiref',
  'xmlrpc',
] as const;

/** boto3 and what it loads. */
const needed = [
  'boto3',
  'botocore',
  'certifi',
  'chardet',
  'charset_normalizer',
  'dateutil',
  'idna',
  'jmespath',
  'requests',
  's3transfer',
  'six.py',
  'urllib3',
] as const;

/** Of the 82 MB that describe AWS's services: STS, and what is about all of them. */
const neededData = [
  '_retry.json',
  'endpoints.json',
  'partitions.json',
  'sdk-default-configuration.json',
  'sts',
] as const;

function isNeeded(path: string): boolean {
  const [, inData] = path.split('/botocore/data/');
  return inData === undefined || neededData.some(name => inData === name || inData.startsWith(`${name}/`));
}

/** Copies Python with boto3 into an image's root, as /usr/bin/python3: 50 MB. */
export async function copyPython(root: string): Promise<void> {
  const program = realpathSync(python);
  await copyProgram({ program, root, to: python });
  // Named after the version: /usr/lib/python3.11.
  const library = join('/usr/lib', basename(program));
  const extensions = readdirSync(join(library, 'lib-dynload')).filter(name =>
    /^_(?:ssl|hashlib|json|contextvars)\./.test(name),
  );
  for (const extension of extensions) {
    await copyProgram({ program: join(library, 'lib-dynload', extension), root });
  }
  const options = { recursive: true, dereference: true, preserveTimestamps: true } as const;
  mkdirSync(join(root, library), { recursive: true });
  cpSync(library, join(root, library), {
    ...options,
    filter: path =>
      !(leftOut.some(name => path === join(library, name)) || /lib-dynload\/|\/config-3|\/sitecustomize/.test(path)),
  });
  for (const name of needed) {
    const source = join(packages, name);
    cpSync(source, join(root, packages, basename(name)), { ...options, filter: isNeeded });
  }
}
