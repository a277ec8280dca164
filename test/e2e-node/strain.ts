import { readFileSync } from 'node:fs';
import { eventually } from '../e2e/eventually.ts';
import { sumOf } from '../e2e/metric-sum.ts';
import type { ControlPlane } from '../testbed/control-plane.ts';
import type { ControlGroup } from './control-group.ts';
import { webhookNamespace } from './node-cluster.ts';
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
  /** What kubelet said of probes that failed. */
  readonly unhealthy: readonly string[];
  /** That it decided, whoever sent them. */
  readonly reviews: number;
  readonly outOfMemoryKills: number;
}

/** Watches both replicas while `run` runs. @throws {Error} when a container of theirs has ended */
export async function strainDuring(
  plane: ControlPlane,
  run: () => Promise<unknown>,
): Promise<readonly ReplicaStrain[]> {
  const replicas = await readyReplicas(plane);
  const before = { used: replicas.map(look), probes: await probeCounts(), reviews: await reviewsOf(replicas) };
  const startedAt = performance.now();
  const memory = replicas.map((): number[] => []);
  const looking = setInterval(() => {
    try {
      for (const [index, replica] of replicas.entries()) memory[index]?.push(replica.controlGroup().memoryBytes);
    } catch {
      // A container has ended: the last look, below, says so.
      clearInterval(looking);
    }
  }, everyMs);
  try {
    await run();
  } finally {
    clearInterval(looking);
  }
  const tookMs = performance.now() - startedAt;
  const after = { used: replicas.map(look), probes: await probeCounts(), reviews: await reviewsOf(replicas) };
  const said = await unhealthyEvents(plane);
  return replicas.map((replica, index) => {
    const [first, last] = [before.used[index], after.used[index]];
    if (first === undefined || last === undefined) throw new Error(`no look at ${replica.name}`);
    const failed = increase(before.probes, after.probes, replica, 'failed');
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
      unhealthy: failed === 0 ? [] : [`${failed} probes of ${replica.name} failed: ${said.get(replica.name)}`],
      reviews: (after.reviews[index] ?? 0) - (before.reviews[index] ?? 0),
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

/** Scrapes may be a part of a flood: not every one of ours gets through. */
async function reviewsOf(replicas: readonly Replica[]): Promise<readonly number[]> {
  const pageOf = async ({ opsUrl }: Replica): Promise<string> =>
    (await fetch(`${opsUrl}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
  return Promise.all(
    replicas.map(async replica => {
      const page = await eventually('a metrics page', () => pageOf(replica).catch(() => undefined), 30_000);
      // Dry runs too.
      return sumOf(page, 'carm_webhook_review_duration_seconds_count');
    }),
  );
}

/** Pod -> what kubelet said of its probes. */
async function unhealthyEvents(plane: ControlPlane): Promise<ReadonlyMap<string, string>> {
  const path = `/api/v1/namespaces/${webhookNamespace}/events?fieldSelector=reason%3DUnhealthy`;
  const { body } = await plane.request<{
    readonly items: readonly { readonly message: string; readonly involvedObject: { readonly name: string } }[];
  }>('GET', path);
  return new Map(body.items.map(({ involvedObject, message }) => [involvedObject.name, message]));
}

function increase(before: ProbeCounts, after: ProbeCounts, { name }: Replica, result: 'successful' | 'failed'): number {
  return countOf(after, name, result) - countOf(before, name, result);
}
