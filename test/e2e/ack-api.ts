import assert from 'node:assert/strict';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { type AckKind, ackPath, roleSelectorKind } from './ack-crds.ts';
import type { AckCaches, AckNamespace, AckSelector } from './ack-decisions.ts';
import type { AckApi, AckObject } from './ack-stand-in.ts';
import { serviceAccount } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { asList } from './manifests.ts';

const ackSystem = 'ack-system';

/** What ACK's chart gives the controller of a service. https://github.com/aws-controllers-k8s/s3-controller/blob/v1.10.0/helm/templates/_helpers.tpl */
function accessOf({ group, plural }: AckKind, name: string): readonly object[] {
  const rules = [
    { apiGroups: [''], resources: ['configmaps', 'secrets'], verbs: ['get', 'list', 'patch', 'watch'] },
    { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] },
    {
      apiGroups: [group],
      resources: [plural],
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    },
    { apiGroups: [group], resources: [`${plural}/status`], verbs: ['get', 'patch', 'update'] },
    { apiGroups: ['services.k8s.aws'], resources: ['iamroleselectors'], verbs: ['get', 'list', 'watch'] },
  ];
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion, kind: 'ClusterRole', metadata: { name }, rules },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: ackSystem }],
    },
  ];
}

interface Listed<Item> {
  readonly items: readonly Item[];
}

/** A cluster as ACK's controllers see it: each service by the ServiceAccount and the permissions of its chart. */
export class AckOfPlane implements AckApi {
  readonly #plane: ControlPlane;
  /** By API group. */
  readonly #tokens: ReadonlyMap<string, string>;

  private constructor(plane: ControlPlane, tokens: ReadonlyMap<string, string>) {
    this.#plane = plane;
    this.#tokens = tokens;
  }

  /** The namespace `ack-system` and the kinds must be there. */
  static async start(plane: ControlPlane, kinds: readonly AckKind[]): Promise<AckOfPlane> {
    const named = kinds.map(kind => ({ kind, name: `ack-${kind.group.split('.', 1)[0]}-controller` }));
    const objects = named.flatMap(({ kind, name }) => [serviceAccount(ackSystem, name), ...accessOf(kind, name)]);
    await plane.kubectl(['apply', '-f', '-'], { input: asList(objects) });
    const tokens = new Map<string, string>();
    for (const { kind, name } of named) {
      const token = await plane.tokenFor(ackSystem, name);
      await eventually(`the permissions of ${name} count`, async () =>
        (await plane.request('GET', ackPath(kind, 'default'), undefined, { token })).status === 200 ? true : undefined,
      );
      tokens.set(kind.group, token);
    }
    return new AckOfPlane(plane, tokens);
  }

  async readCaches(): Promise<AckCaches> {
    const [token] = this.#tokens.values();
    const [namespaces, maps, selectors] = await Promise.all([
      this.#get<Listed<{ metadata: Partial<AckNamespace> & { readonly name: string } }>>('/api/v1/namespaces', token),
      this.#get<Listed<{ metadata: { readonly name: string }; data?: Readonly<Record<string, string>> }>>(
        `/api/v1/namespaces/${ackSystem}/configmaps`,
        token,
      ),
      this.#get<Listed<{ metadata: { readonly name: string }; spec: AckSelector['spec'] }>>(
        ackPath(roleSelectorKind, ''),
        token,
      ),
    ]);
    const mapOf = (name: string) => {
      const map = maps?.items.find(({ metadata }) => metadata.name === name);
      return map === undefined ? undefined : (map.data ?? {});
    };
    return {
      namespaces: new Map(
        (namespaces?.items ?? []).map(({ metadata: { name, annotations = {}, labels = {} } }) => [
          name,
          { name, annotations, labels },
        ]),
      ),
      accounts: mapOf('ack-role-account-map'),
      teams: mapOf('ack-role-team-map'),
      selectors: (selectors?.items ?? []).map(({ metadata: { name }, spec }) => ({ name, spec })),
    };
  }

  async list(kind: AckKind): Promise<readonly AckObject[]> {
    const path = `/apis/${kind.group}/${kind.versions[0]}/${kind.plural}`;
    return (await this.#get<Listed<AckObject>>(path, this.#tokens.get(kind.group)))?.items ?? [];
  }

  async patch(
    kind: AckKind,
    { metadata: { namespace, name } }: AckObject,
    patch: object,
    subResource: '' | '/status',
  ): Promise<AckObject | undefined> {
    const token = this.#tokens.get(kind.group);
    assert.ok(token !== undefined, kind.group);
    const path = `${ackPath(kind, namespace, name)}${subResource}`;
    const { status, body } = await this.#plane.request<AckObject>('PATCH', path, patch, { token });
    if (status === 404) return undefined;
    assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
    const { deletionTimestamp, finalizers = [] } = body.metadata;
    return deletionTimestamp !== undefined && finalizers.length === 0 ? undefined : body;
  }

  /** Undefined where the kind is not served. */
  async #get<Body>(path: string, token: string | undefined): Promise<Body | undefined> {
    assert.ok(token !== undefined, path);
    const { status, body } = await this.#plane.request<Body>('GET', path, undefined, { token });
    if (status === 404) return undefined;
    assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
    return body;
  }
}
