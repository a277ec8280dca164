import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

const controlGroups = '/sys/fs/cgroup';

/** What kubelet, kube-proxy and containerd would change of a whole machine. */
const settings = [
  'kernel/keys/root_maxbytes',
  'kernel/keys/root_maxkeys',
  'kernel/panic',
  'kernel/panic_on_oops',
  'net/bridge/bridge-nf-call-iptables',
  'net/ipv4/ip_forward',
  'net/netfilter/nf_conntrack_max',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
] as const;

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return '';
  }
}

function processes(): readonly string[] {
  return entries('/proc').filter(entry => /^\d+$/.test(entry));
}

/** The processes in a control group or one below it, with their names. */
export function processesOf(controlGroup: string): readonly string[] {
  return processes()
    .filter(pid => read(`/proc/${pid}/cgroup`).includes(`/${controlGroup}/`))
    .map(pid => `${pid} ${read(`/proc/${pid}/comm`)}`);
}

/** The control groups of this name, of every controller. */
export function controlGroupsNamed(name: string): readonly string[] {
  const parents = [controlGroups, ...entries(controlGroups).map(entry => join(controlGroups, entry))];
  return parents.map(parent => join(parent, name)).filter(folder => entries(folder).length > 0);
}

/** What processes outside a node's namespaces could see of it. */
export function machineState(): object {
  return {
    mounts: read('/proc/self/mounts').split('\n').sort(),
    namedNetworks: entries('/run/netns'),
    interfaces: Object.keys(networkInterfaces()).sort(),
    links: entries('/sys/class/net').toSorted(),
    hostname: read('/proc/sys/kernel/hostname'),
    settings: Object.fromEntries(settings.map(name => [name, read(`/proc/sys/${name}`)])),
  };
}

/** The network namespaces that processes are in, but for that of this one. */
export function networkNamespacesOf(pids: readonly string[]): readonly string[] {
  const own = readlinkSync('/proc/self/ns/net');
  const found = pids.flatMap(pid => {
    try {
      return [readlinkSync(`/proc/${pid.split(' ')[0]}/ns/net`)];
    } catch {
      return [];
    }
  });
  return [...new Set(found)].filter(name => name !== own);
}
