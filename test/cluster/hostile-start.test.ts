/**
 * The built server in front of a cluster whose every object is as large as etcd takes it, with the heap that Node.js picks in
 * 512 MiB: it becomes ready, lists again, and lives through an event for each. CARM_HOSTILE_OBJECTS=2000 is the long form.
 */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtBundle } from '../built-bundle.ts';
import { HostileApiServer, largeMetadata } from './hostile-api-server.ts';
import { until } from './watch/watch-loop-harness.ts';

const count = Number(process.env['CARM_HOSTILE_OBJECTS'] ?? 60);
const limitMs = 40_000 + count * 100;
const mostMiB = 256;
/**
 * What Node.js picks in a container of 512 MiB. The young generation must be told too: on a large machine V8 lets it grow to
 * 64 MB, with as much of buffers behind it, whatever the old one may have.
 */
const heapOfContainer = ['--max-old-space-size=256', '--max-semi-space-size=4'];
const shapes = Object.values(largeMetadata);
const namespaces = '/api/v1/namespaces';
const serviceAccounts = '/api/v1/serviceaccounts';

/** The server in a process of its own, ended with the test. */
async function serve(t: TestContext, url: string): Promise<{ child: ChildProcess; opsPort: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-hostile-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const flags = ['--tls-self-signed', '--bind-address=127.0.0.1', '--port=0', '--ops-port=0', '--shutdown-delay=0s'];
  const child = spawn(
    process.execPath,
    [
      ...heapOfContainer,
      builtBundle(),
      'serve',
      `--kubeconfig=${kubeconfig}`,
      '--feature-gates=IAMRoleSelector=true',
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  });
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  try {
    for await (const line of lines) {
      const { opsPort } = JSON.parse(line) as { opsPort?: unknown };
      if (typeof opsPort === 'number') return { child, opsPort };
    }
  } finally {
    clearTimeout(timer);
    child.stdout.resume();
  }
  throw new Error(`the server ended before it said its port, exit code ${child.exitCode}`);
}

/** The most memory that a process had, in MiB. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
async function peakMiB({ pid }: ChildProcess): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const [, kiB] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return kiB === undefined ? undefined : Math.round(Number(kiB) / 1024);
}

async function isReady(opsPort: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`, { signal: AbortSignal.timeout(5000) });
  await answer.body?.cancel();
  return answer.ok;
}

test(`ready in front of ${count} namespaces and ${count} ServiceAccounts as large as can be`, async t => {
  const server = new HostileApiServer();
  const object = (index: number) => shapes[index % shapes.length] ?? { metadata: [] };
  server.collections[namespaces] = { count, namespaced: false, object };
  server.collections[serviceAccounts] = { count, namespaced: true, object };
  const url = await server.start();
  t.after(() => server.stop());
  const startedAt = performance.now();
  const { child, opsPort } = await serve(t, url);
  const isWithinMemory = async (when: string) => {
    assert.equal(child.exitCode, null, `${when}: it lives`);
    assert.ok(await isReady(opsPort), `${when}: it is ready`);
    const peak = await peakMiB(child);
    t.diagnostic(`${when}: ${peak ?? 'unknown'} MiB at most, ${Math.round(performance.now() - startedAt)} ms`);
    if (peak !== undefined) assert.ok(peak < mostMiB, `${when}: ${peak} MiB`);
  };
  const endsAt = performance.now() + limitMs;
  while (!(await isReady(opsPort))) {
    assert.ok(performance.now() < endsAt && child.exitCode === null, 'it is not ready in time');
    await sleep(50);
  }
  await isWithinMemory('listed');
  const watched = () => [namespaces, serviceAccounts].every(path => server.isWatched(path));
  await until('both are watched', watched, limitMs);
  for (const path of [namespaces, serviceAccounts]) server.expire(path);
  await until('both are listed again', watched, limitMs);
  await isWithinMemory('listed again');
  await Promise.all([server.updateAll(namespaces), server.updateAll(serviceAccounts)]);
  await isWithinMemory('watched');
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await exit, [0, null]);
});
