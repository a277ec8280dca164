/** Loaded into the server under attack: tells its parent how long its event loop was held, and how much memory it had at most. */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What the server went through since the last question. */
export interface Strain {
  /** The longest that the event loop was held, in milliseconds. */
  readonly heldMs: number;
  readonly heapUsedBytes: number;
  /** The most resident memory that the process ever had. */
  readonly peakRssBytes: number;
}

const resolutionMs = 10;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
delay.enable();

function peakRssBytes(): number {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

process.on('message', message => {
  if (message === 'collect') Reflect.get(globalThis, 'gc')?.();
  const strain: Strain = {
    heldMs: Math.max(0, delay.max / 1e6 - resolutionMs),
    heapUsedBytes: process.memoryUsage().heapUsed,
    peakRssBytes: peakRssBytes(),
  };
  delay.reset();
  process.send?.(strain);
});
// The channel alone must not keep the server alive.
process.channel?.unref();
