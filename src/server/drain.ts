import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { CertificateSource } from './certificate.ts';
import type { Connections } from './connections.ts';
import type { Logger } from './logs.ts';

export interface DrainOptions {
  readonly server: HttpsServer;
  readonly connections: Connections;
  readonly ops: HttpServer;
  readonly certificate: CertificateSource;
  readonly logger: Logger;
  /** For the log: what asked for it. */
  readonly reason: string;
  readonly delayMs: number;
  readonly timeoutMs: number;
}

/** For a client that has dialled, or begun to send, and to whom no answer could say `Connection: close` yet. */
const startedGraceMs = 1000;

const lateConnectionsMs = 50;

/**
 * Stops the servers without failing a request that reached them:
 * 1. every answer says `Connection: close`, for `delayMs`, while balancers learn that we are not ready;
 * 2. idle connections are reset, the port closes, and requests in flight have `timeoutMs` to end;
 * 3. what is left is cut, then the ops port closes.
 *
 * The caller has made `/readyz` say no before. Endpoints take time to follow it:
 * https://kubernetes.io/docs/tutorials/services/pods-and-endpoint-termination-flow/
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { certificate, connections, logger, ops, server } = options;
  logger.info({ reason: options.reason, delayMs: options.delayMs }, 'shutting down');
  connections.retire();
  await sleep(options.delayMs);
  // What lies in the sockets' buffers becomes requests first; an idle connection is idle then.
  await nextTurn();
  await nextTurn();
  const closed = once(server, 'close');
  const startedAtMs = performance.now();
  const cut = setTimeout(() => connections.closeAll(), options.timeoutMs);
  await connections.resetIdle();
  server.close();
  const unused = setInterval(() => connections.closeUnused(), startedGraceMs);
  await closed;
  clearTimeout(cut);
  clearInterval(unused);
  certificate.close();
  const opsClosed = once(ops, 'close');
  ops.close();
  ops.closeAllConnections();
  // Connections that waited for their turn become known to the server only now.
  const late = setInterval(() => ops.closeAllConnections(), lateConnectionsMs);
  await opsClosed;
  clearInterval(late);
  logger.info({ waitedMs: Math.round(performance.now() - startedAtMs) }, 'stopped');
}
