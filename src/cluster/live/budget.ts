/**
 * How many live reads may be made: one token bucket for each namespace, so that one tenant cannot spend what the others
 * need, and one over all, so that a stale cache never becomes a storm on the API server.
 */

import { boundedCopy } from '../../objects/bounded-copy.ts';
import { isPossibleName } from '../api/api-object.ts';

export interface BucketOptions {
  /** Tokens that come back each second. */
  readonly perSecond: number;
  /** Tokens in a full bucket. */
  readonly burst: number;
}

export interface BudgetOptions {
  readonly namespace?: BucketOptions;
  readonly total?: BucketOptions;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class ReadBudget {
  readonly #namespace: BucketOptions;
  readonly #total: BucketOptions;
  readonly #nowMs: () => number;
  /** Least recently used first: a bucket moves to the end each time it is asked. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #all: Bucket;

  constructor(options: BudgetOptions = {}) {
    // While the cache is stale, a pod costs six reads (two reviews of three objects): some 30 pods a second for a namespace.
    this.#namespace = options.namespace ?? { perSecond: 200, burst: 400 };
    this.#total = options.total ?? { perSecond: 1000, burst: 2000 };
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#all = { tokens: this.#total.burst, atMs: this.#nowMs() };
  }

  /** Takes one token of both buckets, or none of either. False when one of them is empty. */
  take(budgetNamespace: string): boolean {
    const nowMs = this.#nowMs();
    const namespace = bucketOf(budgetNamespace);
    this.#forgetFull(nowMs);
    const bucket = this.#buckets.get(namespace) ?? { tokens: this.#namespace.burst, atMs: nowMs };
    this.#buckets.delete(namespace);
    this.#buckets.set(namespace, bucket);
    refill(bucket, this.#namespace, nowMs);
    refill(this.#all, this.#total, nowMs);
    if (bucket.tokens < 1 || this.#all.tokens < 1) return false;
    bucket.tokens -= 1;
    this.#all.tokens -= 1;
    return true;
  }

  /** Buckets in the cache: at most as many as namespaces asked within the time that fills a bucket. */
  get size(): number {
    return this.#buckets.size;
  }

  /** A bucket that nobody asked for as long as it takes to fill is full, which is what an absent one means. */
  #forgetFull(nowMs: number): void {
    const fillMs = (this.#namespace.burst / this.#namespace.perSecond) * 1000;
    for (const [namespace, bucket] of this.#buckets) {
      if (nowMs - bucket.atMs < fillMs) return;
      this.#buckets.delete(namespace);
    }
  }
}

/** Of all that can be no namespace. */
const impossible = '/';

/**
 * Reviews come before the API server's own validation: what can be no name may be megabytes, and there may be many. They share
 * a bucket, which is not that of reviews without a namespace.
 */
function bucketOf(budgetNamespace: string): string {
  return budgetNamespace === '' || isPossibleName(budgetNamespace)
    ? boundedCopy(budgetNamespace, budgetNamespace.length)
    : impossible;
}

function refill(bucket: Bucket, { perSecond, burst }: BucketOptions, nowMs: number): void {
  bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
  bucket.atMs = nowMs;
}
