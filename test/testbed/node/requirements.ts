import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isExecutable } from '../binaries.ts';

/** An error to be thrown when this machine cannot run a node; the message says what is missing and how to get it. */
export class NodeRequirementMissing extends Error {
  override readonly name = 'NodeRequirementMissing';
  readonly code = 'NodeRequirementMissing';
}

/** Program -> Debian package. */
const programs = {
  conntrack: 'conntrack',
  hostname: 'hostname',
  ip: 'iproute2',
  iptables: 'iptables',
  mount: 'mount',
  runc: 'runc',
  unshare: 'util-linux',
} as const;

/** Files that are found by path. */
const files = {
  '/usr/bin/busybox': 'busybox-static',
  '/usr/lib/python3/dist-packages/boto3': 'python3-boto3',
} as const;

const cniPlugins = ['bridge', 'host-local', 'loopback'] as const;
/** Debian's folder, and the one that https://github.com/containernetworking/plugins is unpacked to. */
const cniFolders = ['/usr/lib/cni', '/opt/cni/bin'] as const;

/** Where the network plugins of containers are. */
export function cniFolder(): string | undefined {
  return cniFolders.find(folder => cniPlugins.every(plugin => isExecutable(join(folder, plugin))));
}

/** Also where an administrator's programs are, which some people's PATH lacks. */
export function nodePath(): string {
  return [process.env['PATH'], '/usr/sbin', '/sbin', '/usr/bin', '/bin'].filter(Boolean).join(delimiter);
}

function isOnPath(program: string): boolean {
  return nodePath()
    .split(delimiter)
    .some(folder => isExecutable(join(folder, program)));
}

/** The Debian packages of what is not there. */
export function missingPackages(): readonly string[] {
  const missing = [
    ...Object.entries(programs).filter(([program]) => !isOnPath(program)),
    ...Object.entries(files).filter(([file]) => !existsSync(file)),
  ].map(([, name]) => name);
  return [...new Set(cniFolder() === undefined ? [...missing, 'containernetworking-plugins'] : missing)].sort();
}

/** A node takes namespaces, mounts and control groups: only root of a Linux has those. @throws {NodeRequirementMissing} */
export function requireRoot(): void {
  if (process.platform !== 'linux') {
    throw new NodeRequirementMissing(`a node needs Linux, this is ${process.platform}`);
  }
  if (process.getuid?.() !== 0) {
    throw new NodeRequirementMissing('a node needs root: run this as root, or with sudo');
  }
}

/** @throws {NodeRequirementMissing} */
export function requireNode(): void {
  requireRoot();
  const missing = missingPackages();
  if (missing.length > 0) {
    throw new NodeRequirementMissing(
      `a node needs programs that are missing here; on Debian or Ubuntu: apt-get install ${missing.join(' ')}`,
    );
  }
}
