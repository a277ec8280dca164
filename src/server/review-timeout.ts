import { parseGoDurationMs } from './go-duration.ts';

/** Kubernetes' default where a webhook sets no timeoutSeconds, and the bounds that it validates. */
const defaultTimeoutMs = 10_000;
const leastTimeoutMs = 1000;
const mostTimeoutMs = 30_000;

/** How long one review may take, counted from its arrival. */
export interface ReviewTimeout {
  /** When the decision is due. */
  readonly decideMs: number;
  /** When the server answers in its place: later, so that a decision that keeps its deadline is the one that speaks. */
  readonly giveUpMs: number;
}

function timeoutOf(query: string): ReviewTimeout {
  const text = new URLSearchParams(query).get('timeout');
  const askedMs = text === null ? undefined : parseGoDurationMs(text);
  const timeoutMs = Math.min(Math.max(askedMs ?? defaultTimeoutMs, leastTimeoutMs), mostTimeoutMs);
  // The API server's clock started before it dialled, shook hands and sent; the answer has to travel back too.
  const marginMs = Math.min(500, timeoutMs * 0.1);
  return { decideMs: timeoutMs - marginMs, giveUpMs: timeoutMs - marginMs / 2 };
}

/** Keeps what the last query came to: kube-apiserver sends the same `?timeout=10s` with every review of a webhook. */
export class ReviewTimeouts {
  #query = '';
  #timeout = timeoutOf('');

  /**
   * The time that the API server grants, from the URL's `timeout` (a Go duration, 1 s to 30 s, default 10 s).
   * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#timeouts
   */
  of(url: string): ReviewTimeout {
    const start = url.indexOf('?');
    const query = start < 0 ? '' : url.slice(start + 1);
    if (query !== this.#query) {
      this.#timeout = timeoutOf(query);
      this.#query = query;
    }
    return this.#timeout;
  }
}
