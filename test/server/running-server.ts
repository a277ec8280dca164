import https from 'node:https';
import type { TestContext } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { createAnswerFailure } from '../../src/admission/admit.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import type { CertificateSource } from '../../src/server/certificate.ts';
import { createLogger } from '../../src/server/logs.ts';
import { Metrics } from '../../src/server/metrics.ts';
import { makeSelfSigned, type SelfSigned } from '../../src/server/self-signed.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../src/server/server.ts';
import { allowAll, sampleReview } from './sample-review.ts';

let shared: Promise<SelfSigned> | undefined;

/** One self-signed certificate for all tests of a file. */
export function sharedCertificate(): Promise<SelfSigned> {
  shared ??= makeSelfSigned();
  return shared;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Running extends RunningServer {
  /** What was logged, a parsed line each. */
  readonly logs: readonly Readonly<Record<string, unknown>>[];
  readonly caPem: string;
  /** Opens a TLS connection and resolves after the handshake. */
  dial(options?: ConnectionOptions & { readonly localAddress?: string }): Promise<TLSSocket>;
  /** POST by node's https client. */
  post(path: string, body: unknown, options?: https.RequestOptions): Promise<Answer>;
  /** GET of the ops port. */
  ops(path: string, method?: string): Promise<Answer>;
  /** The value of one series of /metrics, as it is written there. */
  metric(series: string): Promise<number | undefined>;
}

async function answerOf(response: import('node:http').IncomingMessage): Promise<Answer> {
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  return { status: response.statusCode ?? 0, headers, body };
}

/** Sends one request by node's https client. */
export function send(url: string, options: https.RequestOptions, body: string | Buffer = ''): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = https.request(url, { timeout: 10_000, ...options }, response =>
    answerOf(response).then(resolve, reject),
  );
  request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer in 10 s')));
  request.end(body);
  return promise;
}

/** Starts a server on free loopback ports, ended with the test. */
export async function start(t: TestContext, options: Partial<ServerOptions> = {}): Promise<Running> {
  const logs: Record<string, unknown>[] = [];
  const { caPem, ...own } = await sharedCertificate();
  const certificate: CertificateSource = options.certificate ?? { ...own };
  const server = await startServer({
    admit: allowAll,
    answerFailure: createAnswerFailure({ cache: undefined }, defaultConfig),
    certificate,
    metrics: new Metrics({ version: '0.0.0-test', reviewSeries: [], warningReasons: [], processMetrics: false }),
    logger: createLogger('debug', { write: line => logs.push(JSON.parse(line)) }),
    clusterNotReady: () => [],
    bindAddress: '127.0.0.1',
    port: 0,
    opsPort: 0,
    shutdownDelayMs: 0,
    drainTimeoutMs: 1000,
    ...options,
    // Tests look at a metric right after the request that it counts.
    limits: { metricsFreshMs: 0, ...options.limits },
  });
  t.after(() => server.drain('end of the test'));
  const ops = async (path: string, method = 'GET'): Promise<Answer> => {
    const response = await fetch(`http://127.0.0.1:${server.opsPort}${path}`, {
      method,
      signal: AbortSignal.timeout(5000),
    });
    return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
  };
  return {
    ...server,
    logs,
    caPem,
    ops,
    dial: async (options = {}) => {
      const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
      const where = { port: server.port, host: '127.0.0.1', ca: caPem, servername: 'localhost' };
      const socket = connect({ ...where, ...options }, () => resolve(socket));
      socket.on('error', reject).on('close', () => reject(new Error('closed before the handshake was over')));
      t.after(() => socket.destroy());
      return promise;
    },
    post: (path, body, more = {}) =>
      send(
        `https://127.0.0.1:${server.port}${path}`,
        { method: 'POST', ca: caPem, headers: { 'Content-Type': 'application/json' }, agent: false, ...more },
        typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      ),
    metric: async series => {
      const { body } = await ops('/metrics');
      const line = body.split('\n').find(each => each.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
  };
}

/** The next review, sent over a connection of its own, must be answered: the server is still well. */
export async function isWell(server: Running): Promise<boolean> {
  const { status, body } = await server.post('/mutate?timeout=5s', sampleReview('still-well'));
  return status === 200 && JSON.parse(body).response.uid === 'still-well';
}
