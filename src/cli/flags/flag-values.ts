import { parseGoDurationMs } from '../../server/go-duration.ts';

const longestHours = 24;

/**
 * Milliseconds of a duration as Go writes it, or of plain seconds: `90s`, `1m30s`, `90`. At most a day: none of ours makes
 * sense beyond, and Node.js ends a timer of 25 days at once (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args).
 */
export function parseDurationMs(text: string): number {
  const durationMs = /^[0-9]{1,9}$/.test(text) ? Number(text) * 1000 : parseGoDurationMs(text);
  if (durationMs === undefined || durationMs < 0) throw new Error('is not a duration such as 90s, 10m or 90 (seconds)');
  if (durationMs > longestHours * 3_600_000) throw new Error(`is longer than ${longestHours}h`);
  return durationMs;
}

export function parsePort(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new Error('is not a port: 0 to 65535, 0 for any free one');
  return port;
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
export function isNamespaceName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

/** What `isNamespaceName` takes, for messages. */
export const namespaceNameForm = 'lower-case letters, digits and -, at most 63';

export function parseNamespaceName(text: string): string {
  if (!isNamespaceName(text)) throw new Error(`is not the name of a namespace: ${namespaceNameForm}`);
  return text;
}
