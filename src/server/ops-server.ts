import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Registry } from 'prom-client';
import { Door } from './door.ts';
import { MetricsPage } from './metrics-page.ts';
import type { Peer, Peers } from './peers.ts';
import { RecentCost } from './recent-cost.ts';
import { Seats } from './seats.ts';
import type { ServerLimits } from './server-limits.ts';
import type { OnShortage } from './shortage.ts';

export interface OpsServerOptions {
  readonly registry: Registry;
  /** Why no review should be sent here now, a line each; empty when ready. */
  readonly notReady: () => readonly string[];
  readonly peers: Peers;
  readonly onShortage: OnShortage;
  readonly limits: Pick<ServerLimits, 'opsConnections' | 'metricsFreshMs'>;
  /** Told of what goes wrong while an answer is made. */
  readonly onFailure: (error: unknown) => void;
}

/** Connections that begin in one turn of the event loop, and the CPU of each. */
const perTurn = 16;
const costMs = 0.2;
/** A request and its answer, read to the end, take no longer. */
const connectionMs = 10_000;
const requestMs = 3000;

function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  type = 'text/plain; charset=utf-8',
): void {
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

function line(response: ServerResponse, status: number, text: string): void {
  send(response, status, `${text}\n`);
}

type Answer = (response: ServerResponse) => void | Promise<void>;

function answers({ registry, notReady, limits }: OpsServerOptions): ReadonlyMap<string, Answer> {
  const page = new MetricsPage(registry, limits.metricsFreshMs);
  return new Map<string, Answer>([
    ['/livez', response => line(response, 200, 'ok')],
    [
      '/readyz',
      response => {
        const reasons = notReady();
        line(response, reasons.length === 0 ? 200 : 503, reasons.join('\n') || 'ok');
      },
    ],
    ['/metrics', async response => send(response, 200, await page.read(), page.contentType)],
  ]);
}

function pathOf({ url = '' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

/** Seats for a few: whoever holds one longest makes room for the next. */
function limitConnections(server: Server, { limits, onShortage, peers }: OpsServerOptions): void {
  const cost = new RecentCost();
  const seats = new Seats({ seats: limits.opsConnections, handshakes: limits.opsConnections }, share => cost.of(share));
  const admit = (socket: Socket): Peer | undefined => {
    const peer = peers.of(socket.remoteAddress);
    const seat = seats.take(peer, 'idle', () => {
      onShortage('ops_connection', peer);
      socket.destroy();
    });
    if (seat === undefined) {
      onShortage('ops_connection', peer);
      return undefined;
    }
    const timer = setTimeout(() => socket.destroy(), connectionMs);
    timer.unref();
    socket.once('close', () => {
      clearTimeout(timer);
      seats.leave(seat);
    });
    return peer;
  };
  new Door(server, { perTurn, costMs, cost, admit });
}

/**
 * The plain HTTP server for kubelet and Prometheus: `/livez` (200 while the event loop turns), `/readyz` (200, or 503
 * with a line for each reason), `/metrics`. Whoever reaches the port may ask; one request a connection, so that nobody keeps one.
 */
export function createOpsServer(options: OpsServerOptions): Server {
  const byPath = answers(options);
  const serve = async (answer: Answer, response: ServerResponse): Promise<void> => {
    try {
      await answer(response);
    } catch (error) {
      options.onFailure(error);
      if (response.headersSent) response.destroy();
      else line(response, 500, 'the answer could not be made');
    }
  };
  const served = new WeakSet<Socket>();
  const server = http.createServer(
    { headersTimeout: requestMs, requestTimeout: requestMs, connectionsCheckingInterval: 1000 },
    (request, response) => {
      if (served.has(request.socket)) {
        request.socket.destroy();
        return;
      }
      served.add(request.socket);
      response.setHeader('Connection', 'close');
      const answer = byPath.get(pathOf(request));
      if (answer === undefined) {
        line(response, 404, 'no such path; there are /livez, /readyz and /metrics');
      } else if (request.method === 'GET' || request.method === 'HEAD') {
        void serve(answer, response);
      } else {
        response.setHeader('Allow', 'GET, HEAD');
        line(response, 405, `${request.method} is not served here`);
      }
    },
  );
  limitConnections(server, options);
  return server;
}
