import http, { type Server } from 'node:http';
import express, { type Request, type Response } from 'express';
import type { Registry } from 'prom-client';

export interface OpsServerOptions {
  readonly registry: Registry;
  /** Why no review should be sent here now, a line each; empty when ready. */
  readonly notReady: () => readonly string[];
}

function line(response: Response, status: number, text: string): void {
  response.status(status).type('text/plain').send(`${text}\n`);
}

/**
 * The plain HTTP server for kubelet and Prometheus: `/livez` (200 while the event loop turns), `/readyz` (200, or 503
 * with a line for each reason), `/metrics`.
 */
export function createOpsServer({ registry, notReady }: OpsServerOptions): Server {
  const app = express();
  app.disable('x-powered-by').set('etag', false).enable('case sensitive routing').enable('strict routing');
  app.get('/livez', (_request, response) => line(response, 200, 'ok'));
  app.get('/readyz', (_request, response) => {
    const reasons = notReady();
    line(response, reasons.length === 0 ? 200 : 503, reasons.length === 0 ? 'ok' : reasons.join('\n'));
  });
  app.get('/metrics', async (_request, response) => {
    const text = await registry.metrics();
    response.set('Content-Type', registry.contentType).send(text);
  });
  app.all(['/livez', '/readyz', '/metrics'], (request, response) => {
    response.set('Allow', 'GET, HEAD');
    line(response, 405, `${request.method} is not served here`);
  });
  app.use((_request, response) => line(response, 404, 'no such path; there are /livez, /readyz and /metrics'));
  // Express tells an error handler by its four parameters.
  app.use((_error: unknown, _request: Request, response: Response, _next: () => void) => {
    if (response.headersSent) response.destroy();
    else line(response, 500, 'the answer could not be made');
  });
  return http.createServer(app);
}
