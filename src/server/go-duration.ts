const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const whole = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/**
 * Reads a duration as Go writes it (`10s`, `1m0s`, `1.5h`, `0`), in milliseconds.
 * `undefined` for everything else. https://pkg.go.dev/time#ParseDuration
 */
export function parseGoDurationMs(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (text.length > 64 || !whole.test(text)) return undefined;
  let sumMs = 0;
  for (const [, amount, unit] of text.matchAll(part)) sumMs += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  return text.startsWith('-') ? -sumMs : sumMs;
}
