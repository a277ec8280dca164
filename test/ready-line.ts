import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The ports that a server which was started with `--port=0` and `--ops-port=0` tells in its log once it serves; ended if it takes longer. */
export async function readyLine(
  child: ChildProcess,
  limitMs: number,
): Promise<{ readonly port: number; readonly opsPort: number }> {
  if (child.stdout === null) throw new Error('the server has no stdout');
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  try {
    for await (const line of lines) {
      const { port, opsPort } = JSON.parse(line) as { port?: unknown; opsPort?: unknown };
      if (typeof port === 'number' && typeof opsPort === 'number') return { port, opsPort };
    }
  } finally {
    clearTimeout(timer);
    child.stdout.resume();
  }
  throw new Error(`the server ended before it was ready, exit code ${child.exitCode}`);
}
