/** How long a watch may run and be silent, from how old the knowledge that it feeds may become. */

export interface WatchTimings {
  /** Without an event or bookmark for so long, a watch is given up. */
  readonly inactivityMs: number;
  /** `timeoutSeconds` of a watch is drawn from this range, ends included. */
  readonly watchSeconds: { readonly min: number; readonly max: number };
  /** `timeoutSeconds` of the first watch after a break: see `WatchLoop`. */
  readonly provingSeconds: number;
}

/**
 * kube-apiserver sends a bookmark about every minute, and one 2 s before the watch's own timeout
 * (`nextBookmarkTime`: https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apiserver/pkg/storage/cacher/cache_watcher.go).
 * With 90 s: a bookmark is missed at 62 s, the watch given up at 75 s, and a proving watch of 5 s brings the next
 * bookmark at 78 s, 12 s before anything is stale. Below 75 s the minute is too long, so watches are kept so short that the
 * bookmark at their end comes in time.
 * @param maxStalenessMs age at which what is known must no longer be used
 */
export function watchTimings(maxStalenessMs: number): WatchTimings {
  const inactivityMs = (maxStalenessMs * 5) / 6;
  if (inactivityMs > 64_000) return { inactivityMs, watchSeconds: { min: 300, max: 600 }, provingSeconds: 5 };
  const seconds = Math.max(3, Math.floor(inactivityMs / 2000));
  return { inactivityMs, watchSeconds: { min: seconds, max: seconds }, provingSeconds: Math.min(5, seconds) };
}
