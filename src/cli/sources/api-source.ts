import type { Lookup, LookupResult } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { dispatchLookup } from '../../admission/lookup.ts';
import { type AckKind, discoverAckKinds } from '../../cluster/api/ack-kinds.ts';
import { ApiConnection, type ApiPool } from '../../cluster/api/api-connection.ts';
import { ApiError, ApiProtocolError, ClusterUnreachableError } from '../../cluster/api/api-errors.ts';
import { isFilledString, isPossibleName } from '../../cluster/api/api-object.ts';
import { accept, apiPaths } from '../../cluster/api/api-requests.ts';
import { ClusterCredentials } from '../../cluster/api/cluster-access.ts';
import { isClusterOfPod, type KubeConfigSource, loadKubeConfig } from '../../cluster/api/kube-config.ts';
import { ListExpiredError, listPages } from '../../cluster/api/list-pages.ts';
import { mostObjectBytes } from '../../cluster/api/read-json.ts';
import {
  type AskedLabels,
  knownLabels,
  listNamespacesLive,
  projectRoleMaps,
  projectRoleSelectors,
  readNamespaceLive,
  readServiceAccountLive,
} from '../../cluster/projections/object-projections.ts';
import { projectObject } from '../../cluster/projections/project-object.ts';
import { type Projection, projectWhole, type ReadObject, valueRead } from '../../cluster/projections/projection.ts';
import { isCurrent, leaseGroup, leaseSelector, readLease } from '../../cluster/replicas/replica-lease.ts';
import { Snapshot } from '../../cluster/state/snapshot.ts';
import { shortestTokenSeconds } from '../../injection/token-settings.ts';
import { readAckController } from '../../objects/ack-controller.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { WorkloadKind } from '../../objects/pod-template.ts';
import { quote } from '../../objects/quote.ts';
import { type RoleMap, roleMapNames } from '../../objects/role-map.ts';
import type { RoleSelector } from '../../objects/role-selector.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import type { AskedRight, ConfigurationKind, InstallationSource } from './installation-source.ts';
import type { NamespaceWriter } from './namespace-writer.ts';
import { NoTokenError } from './no-token-error.ts';
import type { ObjectSource } from './object-source.ts';
import { unlessForbidden } from './unless-forbidden.ts';
import { UnreadError, type What } from './unread-error.ts';
import { UnwrittenError } from './unwritten-error.ts';

const readLimitMs = 10_000;
const listLimitMs = 60_000;
/** 150,000 pods, the most that Kubernetes is made for, are some 2 GB of JSON. */
const podListLimitMs = 300_000;
const pageSize = 500;
/** Times that the list of pods or workloads begins again because it took longer than its version was kept. */
const mostExpired = 2;

/** Webhook configurations that are taken of a kind, and pods of one Service. */
const mostConfigurations = 1000;

/** Deployments of ACK controllers that are taken: ACK has a controller for each of some 80 services. */
const mostControllers = 1000;

/** Snapshots take what they read of an object. */
const whole = projectWhole(mostObjectBytes);

/** A token has some kilobytes, and the API server's managed fields as much again. */
const mostTokenAnswerBytes = 256 * 1024;

/** A ServiceAccount of a list of all namespaces. */
export interface NamedServiceAccount {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: ServiceAccount;
}

const namedServiceAccounts: Projection<NamedServiceAccount> = done =>
  readServiceAccountLive(read => {
    if (read === undefined) return done(undefined);
    const { name, namespace = '' } = read;
    done('failure' in read ? read : { ...read, value: { namespace, name, serviceAccount: read.value } });
  });

/** Takes objects of a kind into a snapshot. */
function addTo(snapshot: Snapshot, apiVersion: string, kind: string): (object: JsonObject) => void {
  return object => snapshot.add({ object, apiVersion, kind, place: 'the API server', document: 0, path: [] });
}

/** The objects of a cluster by reads of its API server: only what is asked for, each object as it is now. */
export class ApiSource implements ObjectSource, NamespaceWriter, InstallationSource {
  readonly installation: InstallationSource = this;
  readonly #source: KubeConfigSource;
  readonly #pool: ApiPool;
  readonly #config: Config;
  readonly #asked: AskedLabels;

  /** The kubeconfig is read with the first request. */
  constructor(source: KubeConfigSource, config: Config) {
    this.#config = config;
    const known = knownLabels([]);
    this.#asked = { every: config.featureGates.IAMRoleSelector, known: () => known };
    const credentials = new ClusterCredentials(() => loadKubeConfig(source));
    this.#source = source;
    this.#pool = new ApiConnection(credentials).pool(4);
  }

  async #get(path: string, what: What, accepted: string = accept.whole.object): Promise<JsonObject | undefined> {
    const signal = AbortSignal.timeout(readLimitMs);
    try {
      return await this.#pool.getJson(path, { signal, accept: accepted });
    } catch (error) {
      if (error instanceof ApiError && error.notFound) return undefined;
      throw new UnreadError(what, error);
    }
  }

  async #namespace(name: string): Promise<Namespace | undefined> {
    const object = await this.namespaceObject(name);
    return object && projectObject(readNamespaceLive(this.#asked), name, object);
  }

  async #serviceAccount(namespace: string, name: string): Promise<ServiceAccount | undefined> {
    const what = { named: `ServiceAccount ${quote(`${namespace}/${name}`)}`, right: 'get serviceaccounts' };
    const object = await this.#get(apiPaths.serviceAccount(namespace, name), what, accept.metadata.object);
    return object && projectObject(readServiceAccountLive, name, object);
  }

  async #configMap(namespace: string, name: string): Promise<JsonObject | undefined> {
    const what = { named: `ConfigMap ${quote(`${namespace}/${name}`)}`, right: 'get configmaps' };
    return this.#get(apiPaths.configMap(namespace, name), what);
  }

  async #roleMap(namespace: string, name: string): Promise<RoleMap | undefined> {
    const object = await this.#configMap(namespace, name);
    return object && projectObject(projectRoleMaps, name, object);
  }

  async read<R extends Lookup>(lookup: R): Promise<LookupResult<R>> {
    const answer = dispatchLookup<Promise<LookupResult<Lookup>>>(lookup, {
      namespace: name => this.#namespace(name),
      serviceAccount: (namespace, name) => this.#serviceAccount(namespace, name),
      roleMap: (map, ackSystem) => this.#roleMap(ackSystem, roleMapNames[map]),
      roleSelectors: () => this.#roleSelectors(),
      namespaces: () => this.#namespaces(),
      // Only a change of what is there is searched for, and commands predict none.
      findResources: () => Promise.resolve(undefined),
      // Nor is it known whose change it would be.
      mayBind: () => Promise.resolve(undefined),
    });
    return (await answer) as LookupResult<R>;
  }

  async pod(namespace: string, name: string): Promise<JsonObject | undefined> {
    if (!isPossibleName(name)) return undefined;
    const what = { named: `Pod ${quote(`${namespace}/${name}`)}`, right: 'get pods' };
    return this.#get(apiPaths.pod(namespace, name), what);
  }

  pods(begin: () => (pod: JsonObject) => void): Promise<void> {
    return this.#tellEach('pods', apiPaths.runningPods, begin);
  }

  workloads({ group, resource }: WorkloadKind, begin: () => (workload: JsonObject) => void): Promise<void> {
    return this.#tellEach(resource, apiPaths.workloads(group, resource), begin);
  }

  async #tellEach(resource: string, path: string, begin: () => (object: JsonObject) => void): Promise<void> {
    for (let again = 0; ; again++) {
      const onObject = begin();
      try {
        await this.#listOnce(resource, path, whole, onObject, accept.whole.list, podListLimitMs);
        return;
      } catch (error) {
        // All of them at once would be too much to ask for.
        const expired = error instanceof UnreadError && error.cause instanceof ListExpiredError;
        if (!expired || again === mostExpired) throw error;
      }
    }
  }

  async workload({ group, kind, resource }: WorkloadKind, namespace: string, name: string) {
    if (!isPossibleName(name)) return undefined;
    const what = { named: `${kind} ${quote(`${namespace}/${name}`)}`, right: `get ${resource}` };
    return this.#get(apiPaths.workload(group, resource, namespace, name), what);
  }

  async #namespaces(): Promise<readonly Namespace[]> {
    const namespaces: Namespace[] = [];
    const { namespaces: path } = apiPaths;
    await this.#list('namespaces', path, listNamespacesLive(this.#asked), namespace => namespaces.push(namespace));
    return namespaces;
  }

  async namespaces(): Promise<readonly Namespace[]> {
    return this.#namespaces();
  }

  async namespaceObject(name: string): Promise<JsonObject | undefined> {
    const what = { named: `Namespace ${quote(name)}`, right: 'get namespaces' };
    return this.#get(apiPaths.namespace(name), what, accept.metadata.object);
  }

  async patchNamespace(name: string, patch: JsonObject): Promise<void> {
    try {
      await this.#pool.mergePatch(apiPaths.namespace(name), patch, AbortSignal.timeout(readLimitMs));
    } catch (error) {
      throw new UnwrittenError(name, error);
    }
  }

  get isOfThisPod(): boolean {
    return isClusterOfPod(loadKubeConfig(this.#source), process.env['KUBERNETES_SERVICE_HOST']);
  }

  /** The first objects of a list. */
  async #first(resource: string, path: string): Promise<readonly JsonObject[]> {
    const found: JsonObject[] = [];
    const add = (object: JsonObject): void => {
      if (found.length < mostConfigurations) found.push(object);
    };
    await this.#list(resource, path, whole, add, accept.whole.list);
    return found;
  }

  configurations(kind: ConfigurationKind): Promise<readonly JsonObject[]> {
    const resource = `${kind.toLowerCase()}s`;
    return this.#first(resource, apiPaths.resources('admissionregistration.k8s.io', 'v1', resource));
  }

  service(namespace: string, name: string): Promise<JsonObject | undefined> {
    const what = { named: `Service ${quote(`${namespace}/${name}`)}`, right: 'get services' };
    return this.#get(apiPaths.service(namespace, name), what);
  }

  podsOf(namespace: string, selector: string): Promise<readonly JsonObject[]> {
    return this.#first('pods', apiPaths.podsOf(namespace, selector));
  }

  secret(namespace: string, name: string): Promise<JsonObject | undefined> {
    const what = { named: `Secret ${quote(`${namespace}/${name}`)}`, right: 'get secrets' };
    return this.#get(apiPaths.secret(namespace, name), what);
  }

  async isAllowed({ namespace, name }: { namespace: string; name: string }, right: AskedRight): Promise<boolean> {
    // https://kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens
    const spec = {
      user: `system:serviceaccount:${namespace}:${name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      resourceAttributes: right,
    };
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
    const signal = AbortSignal.timeout(readLimitMs);
    const options = { signal, maxBytes: mostTokenAnswerBytes };
    try {
      const { status } = await this.#pool.postJson(apiPaths.accessReviews, body, options);
      return isJsonObject(status) && status['allowed'] === true;
    } catch (error) {
      throw new UnreadError({ named: 'the rights of the webhook', right: 'create subjectaccessreviews' }, error);
    }
  }

  async ackGroups(): Promise<ReadonlyMap<string, string>> {
    return new Map((await this.#ackKinds()).map(({ group, resource }) => [group, resource]));
  }

  /** Those of all namespaces. @throws {ClusterUnreachableError} */
  async serviceAccounts(): Promise<readonly NamedServiceAccount[]> {
    const found: NamedServiceAccount[] = [];
    await this.#list('serviceaccounts', apiPaths.serviceAccounts, namedServiceAccounts, each => found.push(each));
    return found;
  }

  /**
   * A token of a ServiceAccount, with the caller's own rights. It is bound to nothing else: it ends with its time, or with the
   * ServiceAccount.
   * @throws {NoTokenError}
   */
  async requestToken(namespace: string, name: string, audience: string): Promise<string> {
    const signal = AbortSignal.timeout(readLimitMs);
    const spec = { audiences: [audience], expirationSeconds: shortestTokenSeconds };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const subject = `${namespace}/${name}`;
    const answer = await this.#pool
      .postJson(apiPaths.token(namespace, name), body, { signal, maxBytes: mostTokenAnswerBytes })
      .catch((error: unknown) => {
        throw new NoTokenError(subject, error);
      });
    const token = isJsonObject(answer['status']) ? answer['status']['token'] : undefined;
    if (isFilledString(token)) return token;
    throw new NoTokenError(subject, new ApiProtocolError('the answer has no token'));
  }

  /** Undefined where the cluster has no such kind. */
  async #roleSelectors(): Promise<readonly RoleSelector[] | undefined> {
    const selectors: RoleSelector[] = [];
    const isThere = await this.#listSelectors(projectRoleSelectors, selector => selectors.push(selector));
    return isThere ? selectors : undefined;
  }

  /** @returns false where the cluster has no such resource. */
  async #listSelectors<T>(projection: Projection<T>, onObject: (object: T) => void): Promise<boolean> {
    try {
      await this.#list('iamroleselectors', apiPaths.roleSelectors, projection, onObject, accept.whole.list);
      return true;
    } catch (error) {
      if (error instanceof UnreadError && error.cause instanceof ApiError && error.cause.status === 404) return false;
      throw error;
    }
  }

  async #list<T>(
    resource: string,
    path: string,
    projection: Projection<T>,
    onObject: (object: T) => void,
    accepted: string = accept.metadata.list,
  ): Promise<void> {
    try {
      await this.#listOnce(resource, path, projection, onObject, accepted);
    } catch (error) {
      if (!(error instanceof UnreadError && error.cause instanceof ListExpiredError)) throw error;
      // Slower than versions are kept: what came is read again, whole.
      await this.#listOnce(resource, path, projection, onObject, accepted, listLimitMs, 0);
    }
  }

  async #listOnce<T>(
    resource: string,
    path: string,
    projection: Projection<T>,
    onObject: (object: T) => void,
    accepted: string,
    limitMs = listLimitMs,
    size = pageSize,
  ): Promise<void> {
    try {
      await listPages(this.#pool, path, {
        accept: accepted,
        pageSize: size,
        signal: AbortSignal.timeout(limitMs),
        projection,
        onPage: () => {},
        onObject: (object: ReadObject<T>) => onObject(valueRead(object)),
      });
    } catch (error) {
      if (!(error instanceof ApiError || error instanceof ApiProtocolError || error instanceof ClusterUnreachableError))
        throw error;
      throw new UnreadError({ named: `the ${resource}`, right: `list ${resource}` }, error);
    }
  }

  /** The kinds of ACK's services that the cluster has. */
  async #ackKinds(): Promise<readonly AckKind[]> {
    const right = 'get /apis';
    try {
      return await discoverAckKinds(path => this.#get(path, { named: `the discovery document ${path}`, right }));
    } catch (error) {
      if (!(error instanceof ApiProtocolError)) throw error;
      throw new UnreadError({ named: 'the API groups', right }, error);
    }
  }

  /** What may not be listed is told, and passed over: the rest is worth as much without it. */
  async #takeResources(snapshot: Snapshot, onUnread: (why: string) => void): Promise<void> {
    for (const { group, versions, kind, resource } of await this.#ackKinds()) {
      const apiVersion = `${group}/${versions[0]}`;
      const path = apiPaths.resources(group, versions[0], resource);
      await unlessForbidden(onUnread, () =>
        this.#list(resource, path, whole, addTo(snapshot, apiVersion, kind), accept.whole.list),
      );
    }
  }

  /** What the servers that verify roles found. Where none does, there are no such Leases. */
  async #takeLeases(snapshot: Snapshot, onUnread: (why: string) => void): Promise<void> {
    const add = addTo(snapshot, `${leaseGroup}/v1`, 'Lease');
    const addCurrent = (lease: JsonObject): void => {
      const report = readLease(lease);
      if (report !== undefined && isCurrent(report, Date.now())) add(lease);
    };
    const path = apiPaths.leases(this.#config.ownNamespace, leaseSelector);
    try {
      await unlessForbidden(onUnread, () => this.#list('leases', path, whole, addCurrent, accept.whole.list));
    } catch (error) {
      const isNotThere = error instanceof UnreadError && error.cause instanceof ApiError && error.cause.status === 404;
      if (!isNotThere) throw error;
    }
  }

  /** Of the Deployments in the ACK system namespaces, those of ACK's controllers. */
  async #takeControllers(snapshot: Snapshot, onUnread: (why: string) => void): Promise<void> {
    const add = addTo(snapshot, 'apps/v1', 'Deployment');
    let taken = 0;
    for (const { namespace } of this.#config.ackSystems) {
      const addController = (deployment: JsonObject): void => {
        if (readAckController(deployment, namespace) === undefined) return;
        taken += 1;
        if (taken <= mostControllers) add(deployment);
      };
      const path = apiPaths.resources('apps', 'v1', 'deployments', namespace);
      await unlessForbidden(onUnread, () => this.#list('deployments', path, whole, addController, accept.whole.list));
    }
    if (taken > mostControllers) onUnread(`Deployments of ACK's controllers after the first ${mostControllers}`);
  }

  async #takeMaps(snapshot: Snapshot): Promise<void> {
    const takeMap = async (namespace: string, name: string): Promise<void> => {
      const object = await this.#configMap(namespace, name);
      if (object !== undefined) addTo(snapshot, 'v1', 'ConfigMap')(object);
    };
    await Promise.all(
      this.#config.ackSystems.flatMap(({ namespace }) =>
        Object.values(roleMapNames).map(name => takeMap(namespace, name)),
      ),
    );
  }

  async #takeNamespaces(snapshot: Snapshot): Promise<void> {
    await Promise.all([
      this.#list('namespaces', apiPaths.namespaces, whole, addTo(snapshot, 'v1', 'Namespace')),
      this.#list('serviceaccounts', apiPaths.serviceAccounts, whole, addTo(snapshot, 'v1', 'ServiceAccount')),
    ]);
  }

  async #takeNamespace(snapshot: Snapshot, name: string): Promise<void> {
    const object = await this.namespaceObject(name);
    if (object === undefined) return;
    addTo(snapshot, 'v1', 'Namespace')(object);
    const path = apiPaths.serviceAccountsOf(name);
    await this.#list('serviceaccounts', path, whole, addTo(snapshot, 'v1', 'ServiceAccount'));
  }

  async bindings(namespace: string | undefined): Promise<Snapshot> {
    const snapshot = new Snapshot({ roleSelectors: false });
    await Promise.all([
      namespace === undefined ? this.#takeNamespaces(snapshot) : this.#takeNamespace(snapshot, namespace),
      this.#takeMaps(snapshot),
    ]);
    return snapshot;
  }

  async issuer(): Promise<string | undefined> {
    const what = { named: 'the issuer of its tokens', right: `get ${apiPaths.issuerConfiguration}` };
    try {
      const answer = await this.#get(apiPaths.issuerConfiguration, what);
      const issuer = answer?.['issuer'];
      return typeof issuer === 'string' ? issuer : undefined;
    } catch (error) {
      if (error instanceof UnreadError && error.isForbidden) return undefined;
      throw error;
    }
  }

  async snapshot(onUnread: (why: string) => void): Promise<Snapshot> {
    const snapshot = new Snapshot({ roleSelectors: this.#asked.every });
    const addSelector = addTo(snapshot, 'services.k8s.aws/v1alpha1', 'IAMRoleSelector');
    await Promise.all([
      this.#takeNamespaces(snapshot),
      this.#takeMaps(snapshot),
      this.#asked.every ? this.#listSelectors(whole, addSelector) : undefined,
      this.#takeResources(snapshot, onUnread),
      this.#takeLeases(snapshot, onUnread),
      this.#takeControllers(snapshot, onUnread),
    ]);
    return snapshot;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool.close();
  }
}
