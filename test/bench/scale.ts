/** The built server in front of a cluster of many namespaces: how soon it is ready, and the memory that it takes. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeSelfSigned } from '../../src/server/self-signed.ts';
import { imageEnvironment } from '../hostile/image-environment.ts';
import { readyLine } from '../ready-line.ts';
import { LargeCluster } from './large-cluster.ts';
import { Load } from './load.ts';
import { median } from './measurement.ts';
import { podReview, requestBytes } from './pod-review.ts';

export interface ScaleFigures {
  readonly namespaces: number;
  /** From the start of the process to `/readyz` saying so. */
  readonly readyMs: number;
  /** In MiB: the most until it was ready, some seconds later, and under load. Undefined where there is no /proc. */
  readonly peakMiB: number | undefined;
  readonly idleMiB: number | undefined;
  readonly loadedMiB: number | undefined;
  readonly p99Ms: number;
}

const starts = 5;
const limitMs = 60_000;
const settleMs = 3000;
const loadSeconds = 5;
const connections = 16;

/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
async function memoryOf({ pid }: ChildProcess, field: 'VmHWM' | 'VmRSS'): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const [, kiB] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? [];
  return kiB === undefined ? undefined : Number(kiB) / 1024;
}

async function whenReady(opsPort: number): Promise<void> {
  const endsAtMs = performance.now() + limitMs;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`, { signal: AbortSignal.timeout(limitMs) });
    await answer.body?.cancel();
    if (answer.ok) return;
    if (performance.now() > endsAtMs) throw new Error('the server is not ready in time');
    await sleep(10);
  }
}

type Running = { readonly child: ChildProcess; readonly port: number; readonly readyMs: number };

async function start(program: string, args: readonly string[]): Promise<Running> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, [program, 'serve', ...args], {
    env: { ...process.env, ...imageEnvironment() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const { port, opsPort } = await readyLine(child, limitMs);
    await whenReady(opsPort);
    return { child, port, readyMs: performance.now() - startedAtMs };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

async function p99UnderLoad(port: number, ca: string): Promise<number> {
  const request = requestBytes('/mutate', podReview('c5a7e2f0-8a6b-4a55-9f0e-7a4f3f1f0b42'));
  const load = await Load.open({ port, ca, request, connections });
  try {
    const { latenciesMs } = await load.run(loadSeconds);
    const sorted = latenciesMs.toSorted((left, right) => left - right);
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  } finally {
    load.close();
  }
}

/** @param folder for the files that the server reads. */
export async function measureScale(program: string, namespaces: number, folder: string): Promise<ScaleFigures> {
  const cluster = new LargeCluster(namespaces);
  const url = await cluster.start();
  const { current, caPem } = await makeSelfSigned();
  const kubeconfig = join(folder, 'kubeconfig');
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  await writeFile(certFile, current.certPem);
  await writeFile(keyFile, current.keyPem, { mode: 0o600 });
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      clusters: [{ name: 'c', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    }),
  );
  const args = [
    `--kubeconfig=${kubeconfig}`,
    `--tls-cert-file=${certFile}`,
    `--tls-private-key-file=${keyFile}`,
    '--bind-address=127.0.0.1',
    '--port=0',
    '--ops-port=0',
  ];
  const readyMs: number[] = [];
  try {
    for (let index = 1; index < starts; index++) {
      const running = await start(program, args);
      readyMs.push(running.readyMs);
      await stop(running.child);
    }
    const running = await start(program, args);
    try {
      const { child, port } = running;
      readyMs.push(running.readyMs);
      const peakMiB = await memoryOf(child, 'VmHWM');
      await sleep(settleMs);
      const idleMiB = await memoryOf(child, 'VmRSS');
      const p99Ms = await p99UnderLoad(port, caPem);
      const loadedMiB = await memoryOf(child, 'VmRSS');
      return { namespaces, readyMs: median(readyMs), peakMiB, idleMiB, loadedMiB, p99Ms };
    } finally {
      await stop(running.child);
    }
  } finally {
    await cluster.stop();
  }
}

export function renderScale({ namespaces, readyMs, peakMiB, idleMiB, loadedMiB, p99Ms }: ScaleFigures): string {
  const mebibytes = (value: number | undefined): string =>
    value === undefined ? 'unknown' : `${value.toFixed(0)} MiB`;
  const name = `${namespaces} namespaces, ${2 * namespaces} ServiceAccounts`.padEnd(46);
  return `${name} ready in ${(readyMs / 1000).toFixed(2)} s, ${mebibytes(peakMiB)} at most until then; idle ${mebibytes(idleMiB)}, loaded ${mebibytes(loadedMiB)}, p99 ${p99Ms.toFixed(1)} ms`;
}
