import { bodyLimitBytes } from './body-headers.ts';

/** Times and sizes that only tests change. */
export interface ServerLimits {
  readonly bodyLimitBytes: number;
  /** Memory of all bodies together, from their first bytes to the answers. */
  readonly bodyRoomBytes: number;
  readonly keepAliveTimeoutMs: number;
  readonly headersTimeoutMs: number;
  /** From this age on a connection is closed with its next answer, so that new replicas get their share. 0: never. */
  readonly connectionMaxAgeMs: number;
  readonly checkIntervalMs: number;
  readonly handshakeTimeoutMs: number;
  /** Connections to the webhook port. */
  readonly connections: number;
  /** Of these, those whose TLS handshake has begun and is not finished. */
  readonly handshakes: number;
  /** Handshakes of strangers that begin in one turn of the event loop. */
  readonly handshakesPerTurn: number;
  /** Connections to the ops port. */
  readonly opsConnections: number;
  /** How long a rendering of the metrics is served. */
  readonly metricsFreshMs: number;
}

export const defaultLimits: ServerLimits = {
  bodyLimitBytes,
  // Four of the largest bodies, and hundreds of those that pods make.
  bodyRoomBytes: 28 * 1024 * 1024,
  // kube-apiserver keeps an idle connection for 90 s. It must be the one that closes: a request sent into our closing
  // fails. https://github.com/kubernetes/apimachinery/blob/master/pkg/util/net/http.go
  keepAliveTimeoutMs: 95_000,
  // Node counts it from the handshake for a connection's first request, and a client may dial one in reserve: no less
  // than the time for idle connections.
  headersTimeoutMs: 100_000,
  connectionMaxAgeMs: 300_000,
  checkIntervalMs: 5000,
  // A handshake is two round trips.
  handshakeTimeoutMs: 3000,
  // An idle TLS connection costs 48 kB: together 24 MB, which fit in 256 MiB beside the bodies. An API server has tens.
  connections: 500,
  // Two API servers with 200 requests in flight each dial as often at once, where no connection is open yet.
  handshakes: 400,
  // Each takes about a millisecond of CPU.
  handshakesPerTurn: 8,
  // kubelet has two probes open at most, Prometheus one scrape.
  opsConnections: 64,
  metricsFreshMs: 1000,
};
