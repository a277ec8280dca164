import type { Admit, AnswerFailure } from '../admission/admit.ts';
import type { CertificateSource } from './certificate.ts';
import type { Cidr } from './cidr.ts';
import { drain } from './drain.ts';
import { listen } from './listen.ts';
import { type Logger, logFailure, logHttpError, logReview } from './logs.ts';
import type { Metrics } from './metrics.ts';
import { createOpsServer } from './ops-server.ts';
import { Peers } from './peers.ts';
import type { ReviewObserver } from './review-handler.ts';
import { createReviewServer, type TlsMinVersion } from './review-server.ts';
import { defaultLimits, type ServerLimits } from './server-limits.ts';
import { Shortages } from './shortage.ts';

export interface ServerOptions {
  readonly admit: Admit;
  readonly answerFailure: AnswerFailure;
  readonly certificate: CertificateSource;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Why the cluster is not known well enough, a line each; empty when it is. */
  readonly clusterNotReady: () => readonly string[];
  readonly bindAddress: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly opsPort: number;
  readonly tlsMinVersion?: TlsMinVersion;
  /** Where the API server calls from: these addresses go first when there is not room for all. */
  readonly apiServerCidrs?: readonly Cidr[];
  /** How long to go on serving after `drain`, until every balancer has seen that we are not ready; default 10 s. */
  readonly shutdownDelayMs?: number;
  /** How long reviews in flight may take after that; default 25 s. */
  readonly drainTimeoutMs?: number;
  readonly limits?: Partial<ServerLimits>;
}

export interface RunningServer {
  readonly port: number;
  readonly opsPort: number;
  /** Stops without failing a request; see `drain`. Later calls return the same promise. Never rejects. */
  drain(reason: string): Promise<void>;
}

function observe({ metrics, logger }: ServerOptions): ReviewObserver {
  return {
    reviewBegan: () => metrics.reviewBegan(),
    reviewed: (record, durationSeconds) => {
      metrics.reviewed(record, durationSeconds);
      logReview(logger, record);
    },
    refused: error => {
      metrics.refused(error.status);
      logHttpError(logger, error);
    },
    failed: error => logFailure(logger, error),
  };
}

/**
 * Opens the ops port, then the review port.
 * @throws {ListenError} when one of the two cannot be opened; nothing is left open then.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { bindAddress: host, certificate, clusterNotReady, logger, metrics } = options;
  let draining: Promise<void> | undefined;
  const notReady = (): readonly string[] => {
    if (draining !== undefined) return ['shutting down'];
    const { expiresAtMs } = certificate.current;
    const expired = expiresAtMs <= Date.now();
    return [
      ...(expired ? [`the certificate expired at ${new Date(expiresAtMs).toISOString()}`] : []),
      ...clusterNotReady(),
    ];
  };
  const limits = { ...defaultLimits, ...options.limits };
  const peers = new Peers(options.apiServerCidrs);
  const { report: onShortage } = new Shortages(metrics, logger);
  const onFailure = (error: unknown): void => logFailure(logger, error);
  const ops = createOpsServer({ registry: metrics.registry, notReady, peers, onShortage, limits, onFailure });
  const { server, connections } = createReviewServer({
    ...options,
    tlsMinVersion: options.tlsMinVersion ?? 'TLSv1.3',
    observer: observe(options),
    peers,
    onShortage,
    limits,
  });
  metrics.watchCertificate(certificate);
  metrics.watchReadiness(() => notReady().length === 0);
  const opsPort = await listen(ops, { port: options.opsPort, host, portFlag: '--ops-port' });
  let port: number;
  try {
    port = await listen(server, { port: options.port, host, portFlag: '--port' });
  } catch (error) {
    ops.close();
    ops.closeAllConnections();
    throw error;
  }
  server.on('error', onFailure);
  ops.on('error', onFailure);
  // Whoever waits for this line may send a signal next: the caller has put its handlers in place by then.
  setImmediate(() => logger.info({ port, opsPort }, 'serving'));
  return {
    port,
    opsPort,
    drain: reason => {
      draining ??= drain({
        server,
        connections,
        ops,
        certificate,
        logger,
        reason,
        delayMs: options.shutdownDelayMs ?? 10_000,
        timeoutMs: options.drainTimeoutMs ?? 25_000,
      });
      return draining;
    },
  };
}
