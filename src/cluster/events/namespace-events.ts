import { createHash } from 'node:crypto';
import type { AccountId } from '../../accounts/account-id.ts';
import type { ProviderProblem } from '../../accounts/provider-problem.ts';
import type { JsonObject } from '../../objects/json.ts';
import type { ApiConnection, ApiPool } from '../api/api-connection.ts';
import { ApiError } from '../api/api-errors.ts';
import { apiPaths } from '../api/api-requests.ts';
import type { EventResult } from './event-results.ts';

/** What is wrong with an account. */
export interface AccountProblem {
  readonly accountId: AccountId;
  readonly problem: ProviderProblem;
}

/** What an event tells of a namespace. */
export interface NamespaceProblem extends AccountProblem {
  readonly note: string;
}

export interface NamespaceEventsOptions {
  readonly connection: ApiConnection;
  /** Which replica reports. */
  readonly self: string;
  readonly onResult: (result: EventResult, error?: unknown) => void;
  readonly nowMs?: () => number;
  readonly eventMs?: number;
}

/** Between two events, whatever happens. */
const defaultEventMs = 200;
/** Events that wait. */
const mostWaiting = 10_000;
/** Namespaces that were told, and of what: 200 bytes each. */
const mostTold = 20_000;
const tellAgainMs = 24 * 3_600_000;
const callLimitMs = 5_000;
/** https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/apis/core/validation/events.go */
const longestNote = 1024;
const longestInstance = 128;

/**
 * The event about a namespace. It is in the namespace itself, where `kubectl get events -n NAMESPACE` looks, so `regarding` names it
 * too. The name is the same for the same problem: a second replica, or one that started again, finds it there.
 */
export function eventFor(namespace: string, { accountId, problem, note }: NamespaceProblem, self: string): JsonObject {
  const digest = createHash('sha256').update(`${namespace}/${accountId}/${problem}`).digest('hex').slice(0, 16);
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `carm-webhook.${digest}`, namespace },
    eventTime: new Date().toISOString().replace('Z', '000Z'),
    reportingController: 'carm-webhook.dev/verify-roles',
    reportingInstance: self.slice(0, longestInstance),
    action: 'VerifyRole',
    reason: 'RoleBroken',
    regarding: { apiVersion: 'v1', kind: 'Namespace', name: namespace, namespace },
    note: note.slice(0, longestNote),
    type: 'Warning',
  };
}

/** Of a namespace, whose roles may be in several accounts. */
function keyOf(namespace: string, { accountId, problem }: AccountProblem): string {
  return `${namespace}/${accountId}/${problem}`;
}

/** Writes events about namespaces, one after another: each once, and again after a day. */
export class NamespaceEvents {
  readonly #options: NamespaceEventsOptions;
  readonly #pool: ApiPool;
  readonly #stopping = new AbortController();
  readonly #waiting = new Map<string, { readonly namespace: string; readonly of: NamespaceProblem }>();
  /** When. */
  readonly #told = new Map<string, number>();
  readonly #nowMs: () => number;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: NamespaceEventsOptions) {
    this.#options = options;
    this.#pool = options.connection.pool(1);
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Tells namespaces of a problem that were not told of it today. */
  tell(namespaces: Iterable<string>, of: NamespaceProblem): void {
    for (const namespace of namespaces) {
      const key = keyOf(namespace, of);
      const toldAtMs = this.#told.get(key);
      if (toldAtMs !== undefined && this.#nowMs() - toldAtMs < tellAgainMs) continue;
      if (this.#waiting.size >= mostWaiting && !this.#waiting.has(key)) {
        this.#options.onResult('dropped');
        continue;
      }
      this.#remember(key);
      this.#waiting.set(key, { namespace, of });
    }
    this.#schedule();
  }

  /** The problem is over: should it come again, they are told again. */
  settle(namespaces: Iterable<string>, of: AccountProblem): void {
    for (const namespace of namespaces) {
      const key = keyOf(namespace, of);
      this.#told.delete(key);
      this.#waiting.delete(key);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#pool.close();
  }

  #remember(key: string): void {
    this.#told.delete(key);
    this.#told.set(key, this.#nowMs());
    const [oldest] = this.#told.keys();
    if (this.#told.size > mostTold && oldest !== undefined) this.#told.delete(oldest);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#waiting.size === 0 || this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#writing = this.#writeNext().finally(() => {
        this.#timer = undefined;
        this.#schedule();
      });
    }, this.#options.eventMs ?? defaultEventMs).unref();
  }

  async #writeNext(): Promise<void> {
    const [next] = this.#waiting;
    if (next === undefined) return;
    const [key, { namespace, of }] = next;
    this.#waiting.delete(key);
    const { self, onResult } = this.#options;
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(callLimitMs)]);
    try {
      await this.#pool.create(apiPaths.events(namespace), eventFor(namespace, of, self), signal);
      onResult('created');
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      const isThere = error instanceof ApiError && error.reason === 'AlreadyExists';
      // Told again with its next verification.
      if (!isThere) this.#told.delete(key);
      if (isThere) onResult('present');
      else onResult('failed', error);
    }
  }
}
