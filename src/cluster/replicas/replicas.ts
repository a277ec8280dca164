import type { AccountId } from '../../accounts/account-id.ts';
import type { ProviderProblem } from '../../accounts/provider-problem.ts';
import type { ApiConnection, ApiPool } from '../api/api-connection.ts';
import { ApiError } from '../api/api-errors.ts';
import { apiPaths } from '../api/api-requests.ts';
import { leaseName, leaseOf, leaseSeconds, leaseSelector, type ReplicaReport, readLeases } from './replica-lease.ts';

export interface ReplicasOptions {
  readonly connection: ApiConnection;
  /** Where the replicas run, and their Leases are. */
  readonly namespace: string;
  readonly self: string;
  readonly ownProblems: () => ReadonlyMap<AccountId, ProviderProblem>;
  /** The others that are there; undefined while nobody knows. */
  readonly onPeers: (peers: readonly ReplicaReport[] | undefined) => void;
  readonly onError: (error: unknown) => void;
  readonly beatMs?: number;
}

const defaultBeatMs = 15_000;
/** A burst of changes is told at once. */
const soonMs = 2_000;
const callLimitMs = 5_000;
/** A Lease so old is of a replica that ended without removing it. */
const abandonedMs = 3_600_000;
const mostLeases = 100;
const mostRemoved = 5;
const mostListBytes = 16 * 1024 * 1024;

/**
 * How replicas know one another: each renews a Lease, and lists those of the others. With a Lease each also says what it found, so
 * that whichever replica a pod comes to can warn of it.
 */
export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #pool: ApiPool;
  readonly #stopping = new AbortController();
  /** When a renewal was first seen here: the clocks of two nodes need not agree. */
  readonly #seen = new Map<string, { readonly renewed: string; readonly atMs: number }>();
  #lastGoodMs: number | undefined;
  #changed = false;
  #beating: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReplicasOptions) {
    this.#options = options;
    this.#pool = options.connection.pool(2);
  }

  start(): void {
    this.#timer = undefined;
    this.#beating = this.#beat().finally(() => {
      const { beatMs = defaultBeatMs } = this.#options;
      this.#beatIn(this.#changed ? soonMs : beatMs * (0.8 + 0.4 * Math.random()));
    });
  }

  /** What we found is another than before: the others hear of it soon. */
  changed(): void {
    if (this.#changed) return;
    this.#changed = true;
    if (this.#timer !== undefined) this.#beatIn(soonMs);
  }

  #beatIn(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => this.start(), ms).unref();
  }

  /** Removes our Lease, if that is quickly done: the others then take our share at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#beating;
    await this.#remove(this.#options.self, AbortSignal.timeout(1_000));
    await this.#pool.close();
  }

  async #beat(): Promise<void> {
    const { namespace, self, ownProblems, onPeers, onError } = this.#options;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(callLimitMs)]);
    this.#changed = false;
    try {
      const renewed = new Date().toISOString().replace('Z', '000Z');
      const lease = leaseOf({ replica: self, renewed, problems: ownProblems() });
      await this.#pool.apply(apiPaths.lease(namespace, leaseName(self)), lease, signal);
      const list = await this.#pool.getJson(`${apiPaths.leases(namespace, leaseSelector)}&limit=${mostLeases}`, {
        signal,
        maxBytes: mostListBytes,
      });
      const peers = readLeases(list, mostLeases).filter(({ replica }) => replica !== self);
      const nowMs = performance.now();
      this.#lastGoodMs = nowMs;
      onPeers(this.#living(peers, nowMs));
      await this.#removeAbandoned(peers, signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      onError(error);
      const knownMs = performance.now() - (this.#lastGoodMs ?? Number.NEGATIVE_INFINITY);
      if (knownMs > leaseSeconds * 1000) onPeers(undefined);
    }
  }

  #living(peers: readonly ReplicaReport[], nowMs: number): readonly ReplicaReport[] {
    for (const replica of this.#seen.keys()) {
      if (!peers.some(peer => peer.replica === replica)) this.#seen.delete(replica);
    }
    return peers.filter(({ replica, renewed }) => {
      const seen = this.#seen.get(replica);
      if (seen?.renewed === renewed) return nowMs - seen.atMs < leaseSeconds * 1000;
      // Of one that was there before us, only its own clock tells.
      const isOld = seen === undefined && Date.parse(renewed) < Date.now() - 2 * leaseSeconds * 1000;
      this.#seen.set(replica, { renewed, atMs: isOld ? Number.NEGATIVE_INFINITY : nowMs });
      return !isOld;
    });
  }

  async #removeAbandoned(peers: readonly ReplicaReport[], signal: AbortSignal): Promise<void> {
    const abandoned = peers.filter(({ renewed }) => Date.parse(renewed) < Date.now() - abandonedMs);
    for (const { replica } of abandoned.slice(0, mostRemoved)) await this.#remove(replica, signal);
  }

  async #remove(replica: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#pool.delete(apiPaths.lease(this.#options.namespace, leaseName(replica)), signal);
    } catch (error) {
      if (!(error instanceof ApiError && error.notFound)) this.#options.onError(error);
    }
  }
}
