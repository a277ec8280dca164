import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 50;

/**
 * Looks again until there is something to see.
 * @throws {Error} after `limitMs`, with what was waited for.
 */
export async function eventually<Value>(
  what: string,
  look: () => Promise<Value | undefined> | Value | undefined,
  limitMs = 10_000,
): Promise<Value> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`not seen within ${limitMs} ms: ${what}`);
    await sleep(pollMs);
  }
}
