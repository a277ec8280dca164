import { constants } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import https, { type Server } from 'node:https';
import type { TlsOptions } from 'node:tls';
import type { Admit, AnswerFailure, Endpoint } from '../admission/admit.ts';
import { endpoints } from '../admission/record.ts';
import type { Certificate, CertificateSource } from './certificate.ts';
import { Connections } from './connections.ts';
import { HttpError } from './http-error.ts';
import type { Peers } from './peers.ts';
import { ReviewHandler, type ReviewObserver } from './review-handler.ts';
import type { Route } from './router.ts';
import type { ServerLimits } from './server-limits.ts';
import type { OnShortage } from './shortage.ts';

export type TlsMinVersion = 'TLSv1.2' | 'TLSv1.3';

export interface ReviewServerOptions {
  readonly admit: Admit;
  readonly answerFailure: AnswerFailure;
  readonly certificate: CertificateSource;
  readonly tlsMinVersion: TlsMinVersion;
  readonly observer: ReviewObserver;
  readonly peers: Peers;
  readonly onShortage: OnShortage;
  readonly limits: ServerLimits;
}

function tlsOptions({ certPem, keyPem, clientCaPem }: Certificate, minVersion: TlsMinVersion): TlsOptions {
  return {
    cert: certPem,
    key: keyPem,
    minVersion,
    // Without resumption every connection is checked against the client CA of its day. kube-apiserver resumes none.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(clientCaPem !== undefined && { ca: clientCaPem, requestCert: true, rejectUnauthorized: true }),
  };
}

/** The endpoint of a URL as kube-apiserver sends it, which needs no router; undefined for every other one, absolute ones too. */
function plainEndpoint(url: string): Endpoint | undefined {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return endpoints.find(endpoint => path === `/${endpoint}`);
}

function routes(handler: ReviewHandler, connections: Connections, observer: ReviewObserver): RequestListener {
  const destinations = {
    review: (endpoint: Endpoint, request: IncomingMessage, response: ServerResponse) =>
      void handler.handle(endpoint, request, response),
    wrongMethod: (request: IncomingMessage, response: ServerResponse) =>
      connections.refuse(request, response, new HttpError(405, 'reviews are sent by POST', 'POST')),
  };
  let loading: Promise<Route> | undefined;
  /** Express takes 6 MiB, and kube-apiserver sends nothing that needs it: it is loaded for the first request that does. */
  const route: Route = (request, response, otherwise) => {
    loading ??= import('./router.ts').then(({ createRouter }) => createRouter(destinations));
    loading
      .then(router => {
        // Whoever left in the meantime is not waited for.
        if (!request.socket.destroyed) router(request, response, otherwise);
      })
      .catch(otherwise);
  };
  return (request, response) => {
    if (!connections.begin(request, response)) return;
    if (request.httpVersion === '1.1' && request.headers.host === undefined) {
      connections.refuse(request, response, new HttpError(400, 'the Host header is missing'));
      return;
    }
    const endpoint = request.method === 'POST' ? plainEndpoint(request.url ?? '') : undefined;
    if (endpoint !== undefined) {
      void handler.handle(endpoint, request, response);
      return;
    }
    const otherwise = (error?: unknown): void => {
      if (error === undefined || error === null) {
        connections.refuse(
          request,
          response,
          new HttpError(404, 'no such path; there are /mutate, /validate and /keys'),
        );
        return;
      }
      observer.failed(error);
      if (response.headersSent) response.destroy();
      else connections.refuse(request, response, new HttpError(400, 'the request could not be routed'));
    };
    // Express' own last resort would answer in HTML, by 5xx too.
    route(request, response, otherwise);
  };
}

/** The HTTPS server of `/mutate`, `/validate` and `/keys`, not listening yet. */
export function createReviewServer(options: ReviewServerOptions): {
  readonly server: Server;
  readonly connections: Connections;
} {
  const { certificate, limits, observer, tlsMinVersion } = options;
  const server = https.createServer({
    ...tlsOptions(certificate.current, tlsMinVersion),
    // A client that ended its side in the middle of a request still gets its answer.
    allowHalfOpen: true,
    handshakeTimeout: limits.handshakeTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    // Each review's body has a deadline of its own.
    requestTimeout: 0,
    connectionsCheckingInterval: limits.checkIntervalMs,
    requireHostHeader: false,
  });
  const connections = new Connections(server, { ...options, onRefused: error => observer.refused(error) });
  const handler = new ReviewHandler({ ...options, connections });
  const listener = routes(handler, connections, observer);
  server.on('request', listener);
  server.on('checkContinue', listener);
  // An expectation that we do not know may be ignored: https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
  server.on('checkExpectation', listener);
  let clientCaPem = certificate.current.clientCaPem;
  certificate.onChange(next => {
    server.setSecureContext(tlsOptions(next, tlsMinVersion));
    if (next.clientCaPem !== clientCaPem) connections.retireOpen();
    clientCaPem = next.clientCaPem;
  });
  return { server, connections };
}
