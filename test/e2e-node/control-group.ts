import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = '/sys/fs/cgroup';

/** What the kernel counts and limits for one container. */
export interface ControlGroup {
  readonly pids: readonly number[];
  readonly memoryLimitBytes: number;
  /** All that counts against the limit: also files, which the kernel gives back before it would kill. */
  readonly memoryBytes: number;
  /** The most that there ever was. */
  readonly memoryPeakBytes: number;
  /** What cannot be given back. */
  readonly anonymousBytes: number;
  readonly outOfMemoryKills: number;
  readonly cpuMs: number;
}

/**
 * Of a container of a Burstable pod, on a node of run-isolated.ts.
 * https://www.kernel.org/doc/html/latest/admin-guide/cgroup-v1/memory.html
 * https://www.kernel.org/doc/html/latest/admin-guide/cgroup-v2.html
 */
export function containerControlGroup(podUid: string, containerId: string): ControlGroup {
  const path = join(process.env['NODE_CONTROL_GROUP'] ?? '', 'kubepods', 'burstable', `pod${podUid}`, containerId);
  return existsSync(join(root, 'cgroup.controllers')) ? version2(path) : version1(path);
}

/** A folder for each controller. */
function version1(path: string): ControlGroup {
  const text = (controller: string, file: string) => readFileSync(join(root, controller, path, file), 'utf8');
  return {
    pids: numbersIn(text('memory', 'cgroup.procs')),
    memoryLimitBytes: Number(text('memory', 'memory.limit_in_bytes')),
    memoryBytes: Number(text('memory', 'memory.usage_in_bytes')),
    memoryPeakBytes: Number(text('memory', 'memory.max_usage_in_bytes')),
    anonymousBytes: field(text('memory', 'memory.stat'), 'rss'),
    outOfMemoryKills: field(text('memory', 'memory.oom_control'), 'oom_kill'),
    cpuMs: Number(text('cpuacct', 'cpuacct.usage')) / 1e6,
  };
}

function version2(path: string): ControlGroup {
  const text = (file: string) => readFileSync(join(root, path, file), 'utf8');
  return {
    pids: numbersIn(text('cgroup.procs')),
    memoryLimitBytes: Number(text('memory.max')),
    memoryBytes: Number(text('memory.current')),
    memoryPeakBytes: Number(text('memory.peak')),
    anonymousBytes: field(text('memory.stat'), 'anon'),
    outOfMemoryKills: field(text('memory.events'), 'oom_kill'),
    cpuMs: field(text('cpu.stat'), 'usage_usec') / 1e3,
  };
}

function numbersIn(lines: string): readonly number[] {
  return lines.split('\n').filter(Boolean).map(Number);
}

/** Of lines `NAME NUMBER`. */
function field(lines: string, name: string): number {
  const line = lines.split('\n').find(each => each.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? Number.NaN);
}
