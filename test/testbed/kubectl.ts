import { text } from 'node:stream/consumers';
import { SupervisedProcess } from './supervised-process.ts';

/** Whom kubectl impersonates: a user's name, or a name and groups. */
export type Impersonation = string | { readonly user: string; readonly groups: readonly string[] };

export interface KubectlOptions {
  /** Text for stdin, for `-f -`. */
  readonly input?: string;
  /** A kubeconfig's path; without it the administrator's. */
  readonly kubeconfig?: string;
  readonly as?: Impersonation;
  /** The exit code that is right, 0 without it; `any` for a caller that looks itself. */
  readonly expectCode?: number | 'any';
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An error to be thrown when kubectl ends with another code than expected, or not in time. */
export class KubectlFailed extends Error {
  override readonly name = 'KubectlFailed';
  readonly code = 'KubectlFailed';
  readonly result: KubectlResult;

  constructor(what: string, args: readonly string[], result: KubectlResult) {
    super(`kubectl ${args.join(' ')}: ${what}\n${result.stderr}${result.stdout}`.trimEnd());
    this.result = result;
  }
}

const callLimitMs = 30_000;

/** It is over before collecting garbage pays. https://go.dev/doc/gc-guide#Memory_limit */
const seldomCollecting = { GOGC: 'off', GOMEMLIMIT: '256MiB' };

/**
 * Runs kubectl once. `home` is where it keeps its caches, so that nothing of the person's own is read or written.
 * @throws {KubectlFailed}
 */
export async function runKubectl(
  program: string,
  home: string,
  kubeconfig: string,
  args: readonly string[],
  options: KubectlOptions = {},
): Promise<KubectlResult> {
  const { as } = options;
  const user = typeof as === 'string' ? as : as?.user;
  const groups = typeof as === 'object' ? as.groups : [];
  const impersonation = user === undefined ? [] : [`--as=${user}`, ...groups.map(group => `--as-group=${group}`)];
  // Before the arguments: those may end with the command line of `exec` after `--`.
  const kubectl = new SupervisedProcess(program, [...impersonation, ...args], {
    env: { ...seldomCollecting, HOME: home, KUBECONFIG: options.kubeconfig ?? kubeconfig, ...options.env },
    ...(options.input === undefined ? {} : { input: options.input }),
  });
  const output = Promise.all([read(kubectl.stdout), read(kubectl.stderr)]);
  const limitMs = options.timeoutMs ?? callLimitMs;
  const end = await kubectl.wait(limitMs);
  if (end === undefined) {
    kubectl.signal('SIGKILL');
  }
  const [stdout, stderr] = await output;
  const result = { code: end?.code ?? -1, stdout, stderr };
  if (end === undefined) {
    throw new KubectlFailed(`still running after ${limitMs} ms`, args, result);
  }
  const expected = options.expectCode ?? 0;
  if (expected !== 'any' && result.code !== expected) {
    throw new KubectlFailed(`exit code ${result.code} instead of ${expected}`, args, result);
  }
  return result;
}

async function read(stream: NodeJS.ReadableStream | null): Promise<string> {
  return stream === null ? '' : text(stream);
}
