import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { json } from 'node:stream/consumers';
import { makeSelfSigned } from '../../src/server/self-signed.ts';
import { freePort } from '../testbed/loopback-port.ts';
import type { StoredPod } from './cluster-objects.ts';

/** One operation of a JSON Patch, RFC 6902. */
export interface PatchOperation {
  readonly op: 'add' | 'replace';
  readonly path: string;
  readonly value: unknown;
}

export type PatchPod = (pod: StoredPod, namespace: string) => readonly PatchOperation[];

interface Review {
  readonly request: { readonly uid: string; readonly namespace: string; readonly object: StoredPod };
}

/** Somebody else's mutating webhook for pods: it answers every review with the patch that a function makes. */
export class PatchingWebhook {
  readonly #server: Server;
  readonly #url: string;
  readonly #caPem: string;
  /** How often it was asked. */
  asked = 0;

  private constructor(server: Server, url: string, caPem: string) {
    this.#server = server;
    this.#url = url;
    this.#caPem = caPem;
  }

  static async start(patchPod: PatchPod): Promise<PatchingWebhook> {
    const certificate = await makeSelfSigned();
    const { certPem: cert, keyPem: key } = certificate.current;
    const port = await freePort();
    const server = createServer({ cert, key }, async (request, response) => {
      const { request: review } = (await json(request)) as Review;
      webhook.asked += 1;
      const patch = patchPod(review.object, review.namespace);
      const patched = { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid: review.uid, allowed: true, ...(patch.length > 0 && patched) },
        }),
      );
    });
    const webhook = new PatchingWebhook(server, `https://127.0.0.1:${port}/`, certificate.caPem);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return webhook;
  }

  /**
   * Its configuration. The API server calls configurations in the order of their names.
   * @param namespace the only one whose pods it is asked about; all without it.
   */
  configuration(name: string, namespace?: string, reinvocationPolicy: 'Never' | 'IfNeeded' = 'Never'): object {
    const namespaceSelector =
      namespace === undefined ? {} : { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
    return {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name },
      webhooks: [
        {
          name: `${name}.example.com`,
          clientConfig: { url: this.#url, caBundle: Buffer.from(this.#caPem).toString('base64') },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], operations: ['CREATE'] }],
          namespaceSelector,
          reinvocationPolicy,
          failurePolicy: 'Fail',
          timeoutSeconds: 5,
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    };
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
