import assert from 'node:assert/strict';
import type { ApiResponse } from '../testbed/api-client.ts';
import type { ControlPlane } from '../testbed/control-plane.ts';
import type { PodObject } from './injected-credentials.ts';

const ownerAnnotation = 'services.k8s.aws/owner-account-id';

/** The answer to a call that makes a pod: the pod, or why not. */
export type PodAnswer = ApiResponse<PodObject & { readonly message?: string }>;

/** Past guards that would deny what is to be tried: entries taken from bound namespaces, and broken ones. */
export const pastTheWebhookHeaders = {
  'Impersonate-User': 'break-glass',
  'Impersonate-Group': ['system:masters', 'carm-webhook:break-glass'],
};

/** Sets the whole account map. */
export async function setAccountMap(plane: ControlPlane, data: Readonly<Record<string, string>>): Promise<void> {
  const metadata = { name: 'ack-role-account-map' };
  const path = '/api/v1/namespaces/ack-system/configmaps/ack-role-account-map?fieldManager=test&force=true';
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
  const answer = await plane.request('PATCH', path, body, {
    contentType: 'application/apply-patch+yaml',
    headers: pastTheWebhookHeaders,
  });
  assert.ok([200, 201].includes(answer.status), JSON.stringify(answer.body));
}

export interface BoundNamespaceOptions {
  readonly accountId: string;
  /** Added to the binding. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A namespace with a binding and one ServiceAccount, `app`, whose pods a test makes one by one. */
export class BoundNamespace {
  readonly plane: ControlPlane;
  readonly name: string;
  readonly #path: string;
  #pods = 0;

  private constructor(plane: ControlPlane, name: string) {
    this.plane = plane;
    this.name = name;
    this.#path = `/api/v1/namespaces/${name}`;
  }

  /** The webhook must be installed: it gives the namespace its label. */
  static async create(plane: ControlPlane, name: string, options: BoundNamespaceOptions): Promise<BoundNamespace> {
    const namespace = new BoundNamespace(plane, name);
    const annotations = { [ownerAnnotation]: options.accountId, ...options.annotations };
    const created = await plane.request('POST', '/api/v1/namespaces', { metadata: { name, annotations } });
    assert.equal(created.status, 201, JSON.stringify(created.body));
    await namespace.addServiceAccount('app');
    return namespace;
  }

  async addServiceAccount(name: string, annotations: Readonly<Record<string, string>> = {}): Promise<void> {
    const path = `${this.#path}/serviceaccounts`;
    const created = await this.plane.request('POST', path, { metadata: { name, annotations } });
    assert.equal(created.status, 201, JSON.stringify(created.body));
  }

  /** Annotations of a ServiceAccount: null takes one away. */
  async annotateServiceAccount(name: string, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#patch(`${this.#path}/serviceaccounts/${name}`, annotations);
  }

  /** Binds it to another account; null takes the binding away. */
  async bind(accountId: string | null): Promise<void> {
    await this.#patch(this.#path, { [ownerAnnotation]: accountId });
  }

  /** The same where the webhook cannot look for resources that ACK would lose. */
  async bindPastTheWebhook(accountId: string): Promise<void> {
    await this.#patch(this.#path, { [ownerAnnotation]: accountId }, pastTheWebhookHeaders);
  }

  /** What becomes of a pod of one container, `app`; it stays. An answer of any status is the caller's. */
  async createPod(spec: object = {}, metadata: object = {}): Promise<PodAnswer> {
    return this.#postPod(spec, metadata, '');
  }

  /** The same answer, and nothing is kept. */
  async tryPod(spec: object = {}, metadata: object = {}): Promise<PodAnswer> {
    return this.#postPod(spec, metadata, '?dryRun=All');
  }

  async #postPod(spec: object, metadata: object, query: string): Promise<PodAnswer> {
    this.#pods += 1;
    return this.plane.request('POST', `${this.#path}/pods${query}`, {
      metadata: { name: `pod-${this.#pods}`, ...metadata },
      spec: { serviceAccountName: 'app', containers: [{ name: 'app', image: 'app' }], ...spec },
    });
  }

  async #patch(path: string, annotations: Readonly<Record<string, string | null>>, headers = {}): Promise<void> {
    const patched = await this.plane.request('PATCH', path, { metadata: { annotations } }, { headers });
    assert.equal(patched.status, 200, JSON.stringify(patched.body));
  }
}
