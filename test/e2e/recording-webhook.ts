import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { json } from 'node:stream/consumers';
import { makeSelfSigned, type SelfSigned } from '../../src/server/self-signed.ts';
import { freePort } from '../testbed/loopback-port.ts';

/** One review that came. */
export interface RecordedReview {
  /** The path that was called: a test gives each webhook entry its own. */
  readonly path: string;
  readonly operation: string;
  readonly resource: string;
  readonly name: string;
}

interface Review {
  readonly request: {
    readonly uid: string;
    readonly operation: string;
    readonly resource: { readonly resource: string };
    readonly subResource?: string;
    readonly name?: string;
  };
}

/** A webhook that allows everything and remembers what it was asked. It can be stopped and started again at the same address. */
export class RecordingWebhook {
  readonly url: string;
  readonly caPem: string;
  readonly #port: number;
  readonly #certificate: SelfSigned;
  #server: Server | undefined;
  #reviews: RecordedReview[] = [];

  private constructor(port: number, certificate: SelfSigned) {
    this.#port = port;
    this.#certificate = certificate;
    this.url = `https://127.0.0.1:${port}`;
    this.caPem = certificate.caPem;
  }

  static async start(): Promise<RecordingWebhook> {
    const webhook = new RecordingWebhook(await freePort(), await makeSelfSigned());
    await webhook.start();
    return webhook;
  }

  /** What was asked since the last call. */
  take(): readonly RecordedReview[] {
    const reviews = this.#reviews;
    this.#reviews = [];
    return reviews;
  }

  async start(): Promise<void> {
    const { certPem: cert, keyPem: key } = this.#certificate.current;
    const server = createServer({ cert, key }, async (request, response) => {
      const { request: review } = (await json(request)) as Review;
      const { pathname: path } = new URL(request.url ?? '/', this.url);
      const { operation, resource, subResource } = review;
      this.#reviews.push({
        path,
        operation,
        resource: resource.resource + (subResource === undefined ? '' : `/${subResource}`),
        name: review.name ?? '',
      });
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid: review.uid, allowed: true },
        }),
      );
    });
    // The API server keeps idle connections for 90 s; one that is closed just when it is used again would be a failed call.
    server.keepAliveTimeout = 95_000;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  /** Closes the port and every connection. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
}
