import { ackCommonGroup, serviceAliasOf } from '../../accounts/ack-service.ts';
import type { ResourceSearch, StoredResource, View } from '../../admission/cluster.ts';
import { describeMalformed } from '../../admission/failure.ts';
import { type JsonObject, MalformedObjectError, optionalObject, optionalString } from '../../objects/json.ts';
import { readAnnotations, readLabels } from '../../objects/metadata.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { readNamespace } from '../../objects/namespace.ts';
import { ObjectTooLargeError } from '../../objects/object-size.ts';
import { type RoleMap, type RoleMapKind, readRoleMap, roleMapNames } from '../../objects/role-map.ts';
import type { RoleSelector } from '../../objects/role-selector.ts';
import { readRoleSelector } from '../../objects/role-selector.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import { groupOf, type Manifest, ManifestError } from './manifests.ts';

/** An object with a namespace. */
export interface Placed<T> {
  readonly namespace: string;
  readonly name: string;
  readonly value: T;
}

/** An ACK resource, as it was written. */
export interface AckObject {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: JsonObject;
}

/** Every ServiceAccount of a namespace is written down but this one: a controller makes it in each namespace. */
const givenServiceAccount = 'default';
export const noAnnotations: ServiceAccount = { annotations: new Map() };

/** A whole cluster, as far as decisions need it, at one moment. */
export class Snapshot implements View {
  readonly #namespaces = new Map<string, Namespace>();
  readonly #serviceAccounts = new Map<string, Placed<ServiceAccount>>();
  readonly #pods = new Map<string, Placed<JsonObject>>();
  /** By `namespace/name` of the ConfigMap: every namespace may be an ACK system namespace. */
  readonly #maps = new Map<string, RoleMap>();
  readonly #roleSelectors = new Map<string, RoleSelector>();
  readonly #resources = new Map<string, AckObject>();

  namespace(name: string): Namespace | undefined {
    return this.#namespaces.get(name);
  }

  serviceAccount(namespace: string, name: string): ServiceAccount | undefined {
    const written = this.writtenServiceAccount(namespace, name);
    if (written !== undefined) return written;
    return name === givenServiceAccount && this.#namespaces.has(namespace) ? noAnnotations : undefined;
  }

  /** Without the one that every namespace has. */
  writtenServiceAccount(namespace: string, name: string): ServiceAccount | undefined {
    return this.#serviceAccounts.get(`${namespace}/${name}`)?.value;
  }

  roleMap(kind: RoleMapKind, ackSystem: string): RoleMap | undefined {
    return this.#maps.get(`${ackSystem}/${roleMapNames[kind]}`);
  }

  roleSelectors(): readonly RoleSelector[] {
    return [...this.#roleSelectors.values()];
  }

  findResources({ wanted, atMost }: ResourceSearch): readonly StoredResource[] {
    const found: StoredResource[] = [];
    for (const { group, version, kind, namespace, name, object } of this.#resources.values()) {
      const labels = readLabels(optionalObject(object, 'metadata', '') ?? {}, 'labels', '/metadata');
      const resource = { group, versions: [version], kind, namespace, name, labels };
      if (found.length < atMost && wanted(resource)) found.push(resource);
    }
    return found;
  }

  /** ACK resources of services, as they were written. */
  resources(): Iterable<AckObject> {
    return this.#resources.values();
  }

  pod(namespace: string, name: string): JsonObject | undefined {
    return this.#pods.get(`${namespace}/${name}`)?.value;
  }

  namespaces(): Iterable<Namespace> {
    return this.#namespaces.values();
  }

  serviceAccounts(): Iterable<Placed<ServiceAccount>> {
    return this.#serviceAccounts.values();
  }

  /**
   * Takes an object in, in place of one of the same name. Kinds that no decision reads are passed over.
   * @param defaultNamespace of an object that names none.
   * @throws {ManifestError} for a field of another type than its API gives it.
   */
  add({ object, apiVersion, kind, place }: Manifest, defaultNamespace = 'default'): void {
    const group = groupOf(apiVersion);
    try {
      if (group === '') this.#add(kind, object, defaultNamespace);
      else if (group === ackCommonGroup && kind === 'IAMRoleSelector') this.#addRoleSelector(object);
      else if (serviceAliasOf(group) !== undefined) this.#addResource(apiVersion, kind, object, defaultNamespace);
    } catch (error) {
      if (error instanceof ObjectTooLargeError) throw new ManifestError(`${place}: ${error.message}`, { cause: error });
      if (!(error instanceof MalformedObjectError)) throw error;
      throw new ManifestError(`${place}: ${describeMalformed(error)}`, { cause: error });
    }
  }

  #add(kind: string, object: JsonObject, defaultNamespace: string): void {
    const metadata = optionalObject(object, 'metadata', '') ?? {};
    const name = optionalString(metadata, 'name', '/metadata') ?? '';
    const namespace = optionalString(metadata, 'namespace', '/metadata') || defaultNamespace;
    const key = `${namespace}/${name}`;
    if (kind === 'Namespace') {
      this.#namespaces.set(name, readNamespace(object, name));
    } else if (kind === 'ServiceAccount') {
      const annotations = readAnnotations(metadata);
      this.#serviceAccounts.set(key, { namespace, name, value: { annotations } });
    } else if (kind === 'Pod') {
      this.#pods.set(key, { namespace, name, value: object });
    } else if (kind === 'ConfigMap' && (name === roleMapNames.account || name === roleMapNames.team)) {
      this.#maps.set(key, readRoleMap(object));
    }
  }

  #addResource(apiVersion: string, kind: string, object: JsonObject, defaultNamespace: string): void {
    const metadata = optionalObject(object, 'metadata', '') ?? {};
    const name = optionalString(metadata, 'name', '/metadata') ?? '';
    const namespace = optionalString(metadata, 'namespace', '/metadata') || defaultNamespace;
    const [group = '', version = ''] = apiVersion.split('/');
    this.#resources.set(`${group}/${kind}/${namespace}/${name}`, { group, version, kind, namespace, name, object });
  }

  #addRoleSelector(object: JsonObject): void {
    const selector = readRoleSelector(object);
    this.#roleSelectors.set(selector.name, selector);
  }
}
