/** How long a watch may run and be silent, from how old the knowledge that it feeds may become. */

export interface WatchTimings {
  /** When the last event or bookmark is so old, a watch is given up for a new list. */
  readonly inactivityMs: number;
  /** `timeoutSeconds` of a watch is drawn from this range, ends included. */
  readonly watchSeconds: { readonly min: number; readonly max: number };
}

/** Bookmarks come about every minute; kube-apiserver looks once a second which are due. */
const bookmarkMs = 62_000;

/**
 * kube-apiserver sends a bookmark about every minute, and one 2 s before the watch's own timeout, if its version has moved
 * since the watch began (`nextBookmarkTime` and `process` in
 * https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apiserver/pkg/storage/cacher/cache_watcher.go).
 * With 90 s: a bookmark is missed at 62 s, and the list that takes its place is asked for at 75 s. Where a minute is too
 * long, watches are so short that the bookmark at their end, or the list that follows a watch without one, comes in time.
 * @param maxStalenessMs age at which what is known must no longer be used
 */
export function watchTimings(maxStalenessMs: number): WatchTimings {
  const inactivityMs = (maxStalenessMs * 5) / 6;
  if (inactivityMs > bookmarkMs) return { inactivityMs, watchSeconds: { min: 300, max: 600 } };
  const seconds = Math.max(3, Math.floor(inactivityMs / 1000) - 1);
  return { inactivityMs, watchSeconds: { min: seconds, max: seconds } };
}
