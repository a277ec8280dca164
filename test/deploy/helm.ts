import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export const repositoryFolder = join(import.meta.dirname, '..', '..');
/** The folder of the chart. */
export const chartFolder = join(repositoryFolder, 'deploy', 'chart');

export interface HelmEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HelmOptions {
  readonly input?: string;
  /** More variables, such as KUBECONFIG. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Runs Helm, which finds nothing of the user's: neither settings nor a cluster that is not named. */
export async function runHelm(
  helm: string,
  args: readonly string[],
  { input = '', env = {}, timeoutMs = 60_000 }: HelmOptions = {},
): Promise<HelmEnd> {
  const home = mkdtempSync(join(tmpdir(), 'carm-webhook-helm-'));
  try {
    const child = spawn(helm, args, {
      cwd: repositoryFolder,
      env: { HOME: home, PATH: process.env['PATH'], KUBECONFIG: join(home, 'none'), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    // Helm may end before it has read anything.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [code] = await once(child, 'close');
    const [stdout, stderr] = await output;
    return { code: code ?? -1, stdout, stderr };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** An error to be thrown when Helm fails; the message is what it said. */
export class HelmFailed extends Error {
  override readonly name = 'HelmFailed';
  readonly code = 'HelmFailed';
}

export interface TemplateOptions {
  readonly namespace?: string;
  readonly release?: string;
  readonly kubeVersion?: string;
}

/** The text of what a release with these values would be made of. @throws {HelmFailed} */
export async function templateChart(
  helm: string,
  values: object,
  { namespace = 'carm-webhook', release = 'carm-webhook', kubeVersion = '1.36' }: TemplateOptions = {},
): Promise<string> {
  const args = [
    'template',
    release,
    chartFolder,
    '--namespace',
    namespace,
    '--kube-version',
    kubeVersion,
    '--values=-',
  ];
  const { code, stdout, stderr } = await runHelm(helm, args, { input: JSON.stringify(values) });
  if (code !== 0) throw new HelmFailed(stderr.trim());
  return stdout;
}
