import type { AccountId } from '../../accounts/account-id.ts';
import { ackCommonGroup, serviceAliasOf } from '../../accounts/ack-service.ts';
import type { ProviderProblem } from '../../accounts/provider-problem.ts';
import type { ResourceSearch, StoredResource, View } from '../../admission/cluster.ts';
import { describeMalformed } from '../../admission/failure.ts';
import { type JsonObject, MalformedObjectError, optionalObject, optionalString } from '../../objects/json.ts';
import { readAnnotations, readLabels } from '../../objects/metadata.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { readNamespace } from '../../objects/namespace.ts';
import { ObjectTooLargeError } from '../../objects/object-size.ts';
import { type RoleMap, type RoleMapKind, readRoleMap, roleMapNames } from '../../objects/role-map.ts';
import type { RoleSelector } from '../../objects/role-selector.ts';
import { bareServiceAccount, type ServiceAccount } from '../../objects/service-account.ts';
import {
  type AskedLabels,
  cachedNamespaces,
  cachedServiceAccounts,
  knownLabels,
  projectRoleMaps,
  projectRoleSelectors,
  readNamespaceLive,
  readServiceAccountLive,
  tooLargeToCache,
} from '../projections/object-projections.ts';
import { projectObject } from '../projections/project-object.ts';
import { ObjectTooLongError } from '../projections/projection.ts';
import { projectWanted } from '../projections/stored-resource.ts';
import { leaseGroup, readLease } from '../replicas/replica-lease.ts';
import { BindGrants } from './bind-grants.ts';
import { groupOf, type Manifest, ManifestError } from './manifests.ts';
import { type Placed, withPlace } from './placed.ts';
import { StoredWorkloads } from './stored-workloads.ts';

/** An ACK resource, as it was written. */
export interface AckObject {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: JsonObject;
}

export const rbacGroup = 'rbac.authorization.k8s.io';

/** Every ServiceAccount of a namespace is written down but this one: a controller makes it in each namespace. */
const givenServiceAccount = 'default';

/** As the API server writes them: of many keys that nobody reads, the first few are warned of. */
function inOrder(strings: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries([...strings].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What is known of an object by the cache, where undefined is asked live, and by a live read. */
interface Projected<T> {
  readonly cached: T | undefined;
  readonly live: T;
}

/**
 * A whole cluster, as far as decisions need it, at one moment. As a view it has what live reads give; of Namespaces,
 * ServiceAccounts, maps and selectors that is what the watching server would read, and no more.
 */
export class Snapshot implements View {
  readonly #withSelectors: boolean;
  /** The metadata as it was written: which of it is read depends on the selectors. */
  readonly #namespaces = new Map<string, JsonObject>();
  readonly #projected = new Map<string, Projected<Namespace>>();
  readonly #serviceAccounts = new Map<string, Placed<Projected<ServiceAccount>>>();
  readonly #pods = new Map<string, Placed<JsonObject>>();
  readonly workloads = new StoredWorkloads();
  /** By `namespace/name` of the ConfigMap: every namespace may be an ACK system namespace. */
  readonly #maps = new Map<string, RoleMap>();
  readonly #roleSelectors = new Map<string, RoleSelector>();
  readonly #resources = new Map<string, AckObject>();
  readonly #providerProblems = new Map<AccountId, ProviderProblem>();
  /** Of the ClusterRoles and ClusterRoleBindings that were read. */
  readonly bindGrants = new BindGrants();
  /** The labels of namespaces that the selectors ask for; undefined when that may have changed. */
  #asked: AskedLabels | undefined;

  /** @param roleSelectors whether IAMRoleSelectors, and so all labels of namespaces, are looked at. */
  constructor({ roleSelectors }: { readonly roleSelectors: boolean }) {
    this.#withSelectors = roleSelectors;
  }

  /** What the cache of a watching server would have. */
  get cache(): View {
    return {
      namespace: name => this.#projectedNamespace(name)?.cached,
      serviceAccount: (namespace, name) => this.#serviceAccount(namespace, name)?.cached,
      roleMap: (kind, ackSystem) => this.roleMap(kind, ackSystem),
      roleSelectors: () => this.roleSelectors(),
      namespaces: () => this.namespaces(),
      findResources: search => this.findResources(search),
      mayBind: () => this.mayBind(),
    };
  }

  namespace(name: string): Namespace | undefined {
    return this.#projectedNamespace(name)?.live;
  }

  #projectedNamespace(name: string): Projected<Namespace> | undefined {
    const metadata = this.#namespaces.get(name);
    if (metadata === undefined) return undefined;
    const known = this.#projected.get(name);
    if (known !== undefined) return known;
    this.#asked ??= this.#askedLabels();
    const cached = projectObject(cachedNamespaces(this.#asked), name, { metadata });
    const live = projectObject(readNamespaceLive(this.#asked), name, { metadata });
    const projected = live && { cached: cached?.isCut ? undefined : cached, live };
    if (projected !== undefined) this.#projected.set(name, projected);
    return projected;
  }

  #askedLabels(): AskedLabels {
    const labels = knownLabels([...this.#roleSelectors.values()]);
    return { every: this.#withSelectors, known: () => labels };
  }

  serviceAccount(namespace: string, name: string): ServiceAccount | undefined {
    return this.#serviceAccount(namespace, name)?.live;
  }

  #serviceAccount(namespace: string, name: string): Projected<ServiceAccount> | undefined {
    const written = this.#serviceAccounts.get(`${namespace}/${name}`)?.value;
    if (written !== undefined) return written;
    const isGiven = name === givenServiceAccount && this.#namespaces.has(namespace);
    return isGiven ? { cached: bareServiceAccount, live: bareServiceAccount } : undefined;
  }

  /** Without the one that every namespace has. */
  writtenServiceAccount(namespace: string, name: string): ServiceAccount | undefined {
    return this.#serviceAccounts.get(`${namespace}/${name}`)?.value.live;
  }

  roleMap(kind: RoleMapKind, ackSystem: string): RoleMap | undefined {
    return this.#maps.get(`${ackSystem}/${roleMapNames[kind]}`);
  }

  roleSelectors(): readonly RoleSelector[] | undefined {
    return this.#withSelectors ? [...this.#roleSelectors.values()] : undefined;
  }

  findResources(search: ResourceSearch): readonly StoredResource[] {
    const namespaces = new Set(search.namespaces);
    const asked = [search.wanted, ...(search.besides ?? [])];
    const left = asked.map(() => search.atMost);
    const found: StoredResource[] = [];
    for (const { group, version, kind, namespace, name, object } of this.#resources.values()) {
      if (left[0] === 0) break;
      if (!namespaces.has(namespace)) continue;
      const metadata = { ...optionalObject(object, 'metadata', ''), namespace };
      const projection = projectWanted({ group, versions: [version], kind }, search);
      const resource = projectObject(projection, name, { ...object, metadata });
      if (resource === undefined) continue;
      const asking = asked.flatMap((asks, index) => (left[index] !== 0 && asks(resource) ? [index] : []));
      for (const index of asking) left[index] = (left[index] ?? 0) - 1;
      if (asking.length > 0) found.push(resource);
    }
    return found;
  }

  /** Manifests do not tell: an API server authorizes by more than RBAC, and users are in none. */
  mayBind(): undefined {
    return undefined;
  }

  /** What the servers that verify roles say in their Leases. */
  get providerProblems(): ReadonlyMap<AccountId, ProviderProblem> {
    return this.#providerProblems;
  }

  resources(): Iterable<AckObject> {
    return this.#resources.values();
  }

  pod(namespace: string, name: string): JsonObject | undefined {
    return this.#pods.get(`${namespace}/${name}`)?.value;
  }

  *pods(): Iterable<JsonObject> {
    for (const pod of this.#pods.values()) yield withPlace(pod);
  }

  *namespaces(): Iterable<Namespace> {
    for (const name of this.#namespaces.keys()) {
      const namespace = this.namespace(name);
      if (namespace !== undefined) yield namespace;
    }
  }

  *serviceAccounts(): Iterable<Placed<ServiceAccount>> {
    for (const placed of this.#serviceAccounts.values()) yield { ...placed, value: placed.value.live };
  }

  /**
   * Takes an object in, in place of one of the same name. Kinds that no decision reads are passed over.
   * @param defaultNamespace of an object that names none.
   * @throws {ManifestError} for a field of another type than its API gives it.
   */
  add({ object, apiVersion, kind, place }: Manifest, defaultNamespace = 'default'): void {
    const group = groupOf(apiVersion);
    this.workloads.add({ group, kind }, object, defaultNamespace);
    try {
      if (group === '') this.#add(kind, object, defaultNamespace);
      else if (group === leaseGroup && kind === 'Lease') this.#addLease(object);
      else if (group === rbacGroup) this.#addRbac(kind, object);
      else if (group === ackCommonGroup && kind === 'IAMRoleSelector') this.#addRoleSelector(object);
      else if (serviceAliasOf(group) !== undefined) this.#addResource(apiVersion, kind, object, defaultNamespace);
    } catch (error) {
      if (error instanceof ObjectTooLargeError || error instanceof ObjectTooLongError)
        throw new ManifestError(`${place}: ${error.message}`, { cause: error });
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
      const { labels, annotations } = readNamespace(object, name);
      this.#projected.delete(name);
      this.#namespaces.set(name, {
        labels: inOrder(labels),
        annotations: inOrder(annotations),
      });
    } else if (kind === 'ServiceAccount') {
      const labels = inOrder(readLabels(metadata, 'labels', '/metadata'));
      const written = { metadata: { labels, annotations: inOrder(readAnnotations(metadata)) } };
      const live = projectObject(readServiceAccountLive, name, written);
      const cached = projectObject(cachedServiceAccounts, name, written);
      if (live === undefined) return;
      const value = { cached: cached === tooLargeToCache ? undefined : cached, live };
      this.#serviceAccounts.set(key, { namespace, name, value });
    } else if (kind === 'Pod') {
      this.#pods.set(key, { namespace, name, value: object });
    } else if (kind === 'ConfigMap' && (name === roleMapNames.account || name === roleMapNames.team)) {
      const map = projectObject(projectRoleMaps, name, { data: Object.fromEntries(readRoleMap(object)) });
      if (map !== undefined) this.#maps.set(key, map);
    }
  }

  #addLease(object: JsonObject): void {
    for (const [accountId, problem] of readLease(object)?.problems ?? []) {
      this.#providerProblems.set(accountId, problem);
    }
  }

  #addRbac(kind: string, object: JsonObject): void {
    const metadata = optionalObject(object, 'metadata', '') ?? {};
    if (kind === 'ClusterRole') {
      this.bindGrants.addRole(optionalString(metadata, 'name', '/metadata') ?? '', object);
    } else if (kind === 'ClusterRoleBinding') this.bindGrants.addBinding(object);
  }

  #addResource(apiVersion: string, kind: string, object: JsonObject, defaultNamespace: string): void {
    const metadata = optionalObject(object, 'metadata', '') ?? {};
    const name = optionalString(metadata, 'name', '/metadata') ?? '';
    const namespace = optionalString(metadata, 'namespace', '/metadata') || defaultNamespace;
    const [group = '', version = ''] = apiVersion.split('/');
    this.#resources.set(`${group}/${kind}/${namespace}/${name}`, { group, version, kind, namespace, name, object });
  }

  #addRoleSelector(object: JsonObject): void {
    const metadata = optionalObject(object, 'metadata', '') ?? {};
    const text = (key: string) => optionalString(metadata, key, '/metadata') ?? '';
    const name = text('name') || `${text('generateName')}*`;
    const selector = projectObject(projectRoleSelectors, name, { spec: object['spec'] });
    if (selector === undefined) return;
    this.#roleSelectors.set(name, selector);
    this.#projected.clear();
    this.#asked = undefined;
  }
}
