import { readFileSync } from 'node:fs';
import type { ControlPlane } from '../testbed/control-plane.ts';
import type { ControlGroup } from './control-group.ts';
import { countOf, type ProbeCounts, probeCounts } from './probe-counts.ts';
import { type Replica, readyReplicas } from './replicas.ts';

const everyMs = 100;
const mebibyte = 1024 * 1024;

/** What one replica went through. */
export interface ReplicaStrain {
  readonly name: string;
  readonly cpuMs: number;
  /** Thousandths of a processor. */
  readonly cpuMillis: number;
  /** The same while it was ready to run and had none: what the machine owes it. */
  readonly waitedMillis: number;
  readonly typicalMemoryMiB: number;
  /** In this time; `everPeakMemoryMiB` since it started, which no look can miss. */
  readonly peakMemoryMiB: number;
  readonly everPeakMemoryMiB: number;
  readonly probes: number;
  readonly failedProbes: number;
  readonly outOfMemoryKills: number;
}

/** Watches both replicas while `run` runs. @throws {Error} when a container of theirs has ended */
export async function strainDuring(
  plane: ControlPlane,
  run: () => Promise<unknown>,
): Promise<readonly ReplicaStrain[]> {
  const replicas = await readyReplicas(plane);
  const before = { used: replicas.map(look), probes: await probeCounts() };
  const startedAt = performance.now();
  const memory = replicas.map((): number[] => []);
  const looking = setInterval(() => {
    for (const [index, replica] of replicas.entries()) memory[index]?.push(replica.controlGroup().memoryBytes);
  }, everyMs);
  try {
    await run();
  } finally {
    clearInterval(looking);
  }
  const tookMs = performance.now() - startedAt;
  const after = { used: replicas.map(look), probes: await probeCounts() };
  return replicas.map((replica, index) => {
    const [first, last] = [before.used[index], after.used[index]];
    if (first === undefined || last === undefined) throw new Error(`no look at ${replica.name}`);
    const used = (memory[index] ?? []).toSorted((a, b) => a - b);
    return {
      name: replica.name,
      cpuMs: last.cpuMs - first.cpuMs,
      cpuMillis: ((last.cpuMs - first.cpuMs) / tookMs) * 1000,
      waitedMillis: ((last.waitedMs - first.waitedMs) / tookMs) * 1000,
      typicalMemoryMiB: (used[used.length >> 1] ?? Number.NaN) / mebibyte,
      peakMemoryMiB: (used.at(-1) ?? Number.NaN) / mebibyte,
      everPeakMemoryMiB: last.memoryPeakBytes / mebibyte,
      outOfMemoryKills: last.outOfMemoryKills,
      probes: increase(before.probes, after.probes, replica, 'successful'),
      failedProbes: increase(before.probes, after.probes, replica, 'failed'),
    };
  });
}

function look(replica: Replica): ControlGroup & { readonly waitedMs: number } {
  const group = replica.controlGroup();
  const [pid] = group.pids;
  // Of its first thread, which decides. https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat
  const [, waitedNs] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return { ...group, waitedMs: Number(waitedNs) / 1e6 };
}

function increase(before: ProbeCounts, after: ProbeCounts, { name }: Replica, result: 'successful' | 'failed'): number {
  return countOf(after, name, result) - countOf(before, name, result);
}
