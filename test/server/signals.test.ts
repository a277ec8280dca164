import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';

interface Child {
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Waits for a log line. */
  readonly logged: (message: string) => Promise<void>;
  readonly exit: Promise<readonly [code: number | null, signal: string | null]>;
}

async function startChild(t: TestContext, shutdownDelayMs: number): Promise<Child> {
  const script = new URL('./second-signal-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, String(shutdownDelayMs)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const exit = once(child, 'exit').then(([code, signal]) => [code, signal] as const);
  const messages: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', line => messages.push(JSON.parse(line).msg));
  const logged = async (message: string): Promise<void> => {
    while (!messages.includes(message)) await once(lines, 'line', { signal: AbortSignal.timeout(10_000) });
  };
  await logged('ready for signals');
  return { kill: signal => child.kill(signal), logged, exit };
}

test('the first signal drains, exit 0', { timeout: 20_000 }, async t => {
  const child = await startChild(t, 100);
  child.kill('SIGTERM');
  assert.deepEqual(await child.exit, [0, null]);
  await child.logged('stopped');
});

for (const second of ['SIGTERM', 'SIGINT'] as const) {
  test(`a second signal (${second}) ends at once, exit 1`, { timeout: 20_000 }, async t => {
    const child = await startChild(t, 60_000);
    child.kill('SIGTERM');
    await child.logged('shutting down');
    const startedAtMs = performance.now();
    child.kill(second);
    assert.deepEqual(await child.exit, [1, null]);
    assert.ok(performance.now() - startedAtMs < 3000);
  });
}
