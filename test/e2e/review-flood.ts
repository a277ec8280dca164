import { ApiClient } from '../testbed/api-client.ts';
import { pod } from './cluster-objects.ts';
import type { WebhookUnderTest } from './webhook-under-test.ts';

const callers = 64;

/**
 * Reviews of pods whose ServiceAccounts do not exist, each another one, so that each costs a live read; sent straight to the webhook,
 * as many as it takes, which is more than one API server sends.
 */
export class ReviewFlood {
  readonly #client: ApiClient;
  readonly #namespace: string;
  readonly #callers: readonly Promise<void>[];
  #sent = 0;
  #stopped = false;

  constructor({ url, caPem }: WebhookUnderTest, namespace: string) {
    this.#client = new ApiClient(url, caPem, 'none');
    this.#namespace = namespace;
    this.#callers = Array.from({ length: callers }, () => this.#call());
  }

  /** Stops it. @returns how many reviews were answered. */
  async stop(): Promise<number> {
    this.#stopped = true;
    await Promise.all(this.#callers);
    this.#client.close();
    return this.#sent;
  }

  async #call(): Promise<void> {
    while (!this.#stopped) {
      this.#sent += 1;
      const uid = `flood-${this.#sent}`;
      await this.#client.request('POST', '/mutate', {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        request: {
          uid,
          kind: { group: '', version: 'v1', kind: 'Pod' },
          resource: { group: '', version: 'v1', resource: 'pods' },
          operation: 'CREATE',
          name: 'web',
          namespace: this.#namespace,
          userInfo: { username: 'flood' },
          object: pod(this.#namespace, 'web', { serviceAccountName: uid }),
          dryRun: true,
        },
      });
    }
  }
}
