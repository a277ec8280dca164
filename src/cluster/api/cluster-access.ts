/** Address, TLS and credentials for the next request, read again as files and tokens rotate. */

import type { Agent, OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { boundedCopy } from '../../objects/bounded-copy.ts';
import { ClusterUnreachableError } from './api-errors.ts';

/** What one request needs. Nothing of it may be logged. */
export interface ClusterAccess {
  readonly server: URL;
  /** `ca`, `cert`, `key`, `servername`, `rejectUnauthorized`, `auth`: as node:https takes them. */
  readonly options: RequestOptions;
  readonly headers: OutgoingHttpHeaders;
  /** Only where the kubeconfig names a proxy: client-node's agent for it. */
  readonly proxyAgent: Agent | undefined;
}

export interface ClusterCredentialsOptions {
  /** How long an access is used before files are read again. The tokens in pods rotate hourly. */
  readonly maxAgeMs?: number;
}

/** A credential plugin may say much. */
const longestMessage = 512;

const tlsOptionNames = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized', 'auth'] as const;

/**
 * Turns a KubeConfig into accesses. A ServiceAccount's token and every file of the kubeconfig are read again after
 * `maxAgeMs`, and at once after `forget()`; a credential plugin is asked again when its credential expires, and after `forget()`.
 * https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
 */
export class ClusterCredentials {
  readonly #load: () => KubeConfig;
  readonly #maxAgeMs: number;
  #kubeConfig: KubeConfig | undefined;
  #current: { readonly access: ClusterAccess; readonly atMs: number } | undefined;
  #pending: Promise<ClusterAccess> | undefined;
  /** Counts the calls of `forget()`: what was read before one is not kept after it. */
  #generation = 0;

  constructor(load: () => KubeConfig, options: ClusterCredentialsOptions = {}) {
    this.#load = load;
    this.#maxAgeMs = options.maxAgeMs ?? 20_000;
  }

  /** @throws {ClusterUnreachableError} when there are no credentials, or none before the signal */
  async access(signal: AbortSignal): Promise<ClusterAccess> {
    const current = this.#current;
    if (current !== undefined && performance.now() - current.atMs < this.#maxAgeMs) return current.access;
    this.#pending ??= this.#refresh();
    return await unlessAborted(this.#pending, signal);
  }

  /** Call it when an access was denied: the next one is made from what the files and plugins say then. */
  forget(): void {
    this.#generation += 1;
    this.#current = undefined;
    this.#pending = undefined;
    this.#kubeConfig = undefined;
  }

  async #refresh(): Promise<ClusterAccess> {
    const generation = this.#generation;
    // Taken before the files are read: an age counted from later could outlive the limit.
    const atMs = performance.now();
    try {
      const access = await this.#read();
      if (generation === this.#generation) this.#current = { access, atMs };
      return access;
    } catch (cause) {
      if (cause instanceof ClusterUnreachableError) throw cause;
      const message = boundedCopy(cause instanceof Error ? cause.message.trim() : String(cause), longestMessage);
      throw new ClusterUnreachableError(`no credentials for the cluster: ${message}`, { cause });
    } finally {
      if (generation === this.#generation) this.#pending = undefined;
    }
  }

  async #read(): Promise<ClusterAccess> {
    await null; // A load that throws at once must not end before `#pending` is set.
    if (this.#kubeConfig === undefined || !holdsState(this.#kubeConfig)) this.#kubeConfig = this.#load();
    const kubeConfig = this.#kubeConfig;
    const cluster = kubeConfig.getCurrentCluster();
    if (cluster === null) throw new Error('the kubeconfig has no current cluster');
    const applied: RequestOptions = {};
    await kubeConfig.applyToHTTPSOptions(applied);
    const options: Record<string, unknown> = {};
    for (const name of tlsOptionNames) if (applied[name] !== undefined) options[name] = applied[name];
    const proxyAgent = cluster.proxyUrl && typeof applied.agent === 'object' ? applied.agent : undefined;
    return { server: new URL(cluster.server), options, headers: trimmed(applied.headers), proxyAgent };
  }
}

/** Plugins and identity providers keep what they were given inside the KubeConfig: it must not be made again each time. */
function holdsState(kubeConfig: KubeConfig): boolean {
  const user = kubeConfig.getCurrentUser();
  if (user === null) return false;
  const provider = user.authProvider ?? undefined;
  return Boolean(user.exec) || (provider !== undefined && provider.name !== 'tokenFile');
}

/** A token file that ends with a newline would make a header that node:http rejects. */
function trimmed(headers: RequestOptions['headers']): OutgoingHttpHeaders {
  const clean: OutgoingHttpHeaders = {};
  if (headers === undefined || Array.isArray(headers)) return clean;
  for (const [name, value] of Object.entries(headers)) clean[name] = typeof value === 'string' ? value.trim() : value;
  return clean;
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(new ClusterUnreachableError('the credentials did not come in time'));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
