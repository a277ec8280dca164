import assert from 'node:assert/strict';
import type { ApiResponse } from '../testbed/api-client.ts';
import type { ControlPlane } from '../testbed/control-plane.ts';

/** Who sends them. */
const user = 'mallory';
const headers = { 'Impersonate-User': user, 'Impersonate-Group': ['system:authenticated'] };

export const list = <T>(count: number, item: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => item(index));
const record = (count: number, key: (index: number) => string): object =>
  Object.fromEntries(list(count, index => [key(index), '']));
export const podOf = (metadata: object, spec: object = {}): object => ({
  metadata: { generateName: 'big-', ...metadata },
  spec: { containers: [{ name: 'app', image: 'app' }], ...spec },
});

/** Pods as a tenant may send them: admission comes before the API server's own validation. */
const largePods: Readonly<Record<string, () => object>> = {
  '150 kB of empty containers, which defaults inflate': () => podOf({}, { containers: list(50_000, () => ({})) }),
  '40,000 containers': () => podOf({}, { containers: list(40_000, index => ({ name: `c${index}`, image: 'app' })) }),
  'a long list of containers to skip': () =>
    podOf({ annotations: { 'eks.amazonaws.com/skip-containers': 'a,'.repeat(1_200_000) } }),
  '150,000 annotations': () => podOf({ annotations: record(150_000, index => `x${index}/role`) }),
  '200,000 labels': () => podOf({ labels: record(200_000, index => `k${index}`) }),
  '120,000 variables of a Windows pod': () =>
    podOf(
      {},
      {
        os: { name: 'windows' },
        containers: [{ name: 'app', image: 'app', env: list(120_000, index => ({ name: `E${index}` })) }],
      },
    ),
  '30,000 volumes': () => podOf({}, { volumes: list(30_000, index => ({ name: `v${index}`, emptyDir: {} })) }),
};

/** A tenant who has `edit`, and more, in their own namespace. */
export class HostileTenant {
  readonly #plane: ControlPlane;
  readonly namespace: string;

  constructor(plane: ControlPlane, namespace: string = user) {
    this.#plane = plane;
    this.namespace = namespace;
  }

  /** What gives them their rights in a namespace. */
  static roleBinding(namespace: string = user): object {
    return {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: user, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
    };
  }

  async request<Body = { readonly message?: string }>(
    method: 'PATCH' | 'POST',
    path: string,
    body: object,
  ): Promise<ApiResponse<Body>> {
    return this.#plane.request<Body>(method, path, body, { headers, timeoutMs: 30_000 });
  }

  /** Makes pods and ServiceAccounts as large as can be, several at once, for so long. None of these pods may pass. */
  async makeLargeObjects(seconds: number): Promise<void> {
    const endAt = performance.now() + seconds * 1000;
    const path = `/api/v1/namespaces/${this.namespace}`;
    const kinds = Object.entries(largePods);
    const pods = async (offset: number) => {
      for (let turn = offset; performance.now() < endAt; turn++) {
        const [what, make] = kinds[turn % kinds.length] ?? ['', () => ({})];
        // The API server itself may have enough of such a pod; what counts is what others get.
        const status = await this.request('POST', `${path}/pods`, make()).then(
          answer => answer.status,
          () => 'no answer',
        );
        assert.notEqual(status, 201, what);
      }
    };
    const accounts = async () => {
      for (let index = 0; performance.now() < endAt; index++) {
        const annotations = { 'eks.amazonaws.com/role-arn': 'x'.repeat(250_000) };
        await this.request('POST', `${path}/serviceaccounts`, { metadata: { name: `sa-${index}`, annotations } });
      }
    };
    await Promise.all([pods(0), pods(2), pods(4), accounts()]);
  }
}
