import type { Lookup, LookupResult } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { dispatchLookup } from '../../admission/lookup.ts';
import { ApiConnection, type ApiPool } from '../../cluster/api/api-connection.ts';
import { ApiProtocolError } from '../../cluster/api/api-errors.ts';
import { isFilledString, isPossibleName } from '../../cluster/api/api-object.ts';
import { accept, apiPaths } from '../../cluster/api/api-requests.ts';
import { ClusterCredentials } from '../../cluster/api/cluster-access.ts';
import { type KubeConfigSource, loadKubeConfig } from '../../cluster/api/kube-config.ts';
import { ListExpiredError } from '../../cluster/api/list-pages.ts';
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
import type { Projection } from '../../cluster/projections/projection.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { shortestTokenSeconds } from '../../injection/token-settings.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { WorkloadKind } from '../../objects/pod-template.ts';
import { quote } from '../../objects/quote.ts';
import { type RoleMap, roleMapNames } from '../../objects/role-map.ts';
import type { RoleSelector } from '../../objects/role-selector.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import { ApiInstallation } from './api-installation.ts';
import { ApiReads, readLimitMs, whole } from './api-reads.ts';
import type { InstallationSource } from './installation-source.ts';
import type { NamespaceWriter } from './namespace-writer.ts';
import { NoTokenError } from './no-token-error.ts';
import type { ObjectSource } from './object-source.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { UnreadError } from './unread-error.ts';
import { UnwrittenError } from './unwritten-error.ts';

/** 150,000 pods, the most that Kubernetes is made for, are some 2 GB of JSON. */
const podListLimitMs = 300_000;
/** Times that the list of pods or workloads begins again because it took longer than its version was kept. */
const mostExpired = 2;

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

/** The objects of a cluster by reads of its API server: only what is asked for, each object as it is now. */
export class ApiSource implements ObjectSource, NamespaceWriter {
  readonly installation: InstallationSource;
  readonly #pool: ApiPool;
  readonly #reads: ApiReads;
  readonly #snapshots: SnapshotReader;
  readonly #asked: AskedLabels;

  /** The kubeconfig is read with the first request. */
  constructor(source: KubeConfigSource, config: Config) {
    const known = knownLabels([]);
    this.#asked = { every: config.featureGates.IAMRoleSelector, known: () => known };
    const credentials = new ClusterCredentials(() => loadKubeConfig(source));
    this.#pool = new ApiConnection(credentials).pool(4);
    this.#reads = new ApiReads(this.#pool);
    this.#snapshots = new SnapshotReader(this.#reads, config);
    this.installation = new ApiInstallation(this.#pool, source);
  }

  async #namespace(name: string): Promise<Namespace | undefined> {
    const object = await this.namespaceObject(name);
    return object && projectObject(readNamespaceLive(this.#asked), name, object);
  }

  async #serviceAccount(namespace: string, name: string): Promise<ServiceAccount | undefined> {
    const what = { named: `ServiceAccount ${quote(`${namespace}/${name}`)}`, right: 'get serviceaccounts' };
    const object = await this.#reads.get(apiPaths.serviceAccount(namespace, name), what, accept.metadata.object);
    return object && projectObject(readServiceAccountLive, name, object);
  }

  async #roleMap(namespace: string, name: string): Promise<RoleMap | undefined> {
    const object = await this.#reads.configMap(namespace, name);
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
    return this.#reads.get(apiPaths.pod(namespace, name), what);
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
        await this.#reads.listOnce(resource, path, whole, onObject, accept.whole.list, podListLimitMs);
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
    return this.#reads.get(apiPaths.workload(group, resource, namespace, name), what);
  }

  async #namespaces(): Promise<readonly Namespace[]> {
    const namespaces: Namespace[] = [];
    const { namespaces: path } = apiPaths;
    await this.#reads.list('namespaces', path, listNamespacesLive(this.#asked), namespace =>
      namespaces.push(namespace),
    );
    return namespaces;
  }

  async namespaces(): Promise<readonly Namespace[]> {
    return this.#namespaces();
  }

  async namespaceObject(name: string): Promise<JsonObject | undefined> {
    return this.#reads.namespace(name);
  }

  async patchNamespace(name: string, patch: JsonObject): Promise<void> {
    try {
      await this.#pool.mergePatch(apiPaths.namespace(name), patch, AbortSignal.timeout(readLimitMs));
    } catch (error) {
      throw new UnwrittenError(name, error);
    }
  }

  /** Those of all namespaces. @throws {ClusterUnreachableError} */
  async serviceAccounts(): Promise<readonly NamedServiceAccount[]> {
    const found: NamedServiceAccount[] = [];
    await this.#reads.list('serviceaccounts', apiPaths.serviceAccounts, namedServiceAccounts, each => found.push(each));
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
    const isThere = await this.#reads.listSelectors(projectRoleSelectors, selector => selectors.push(selector));
    return isThere ? selectors : undefined;
  }

  bindings(namespace: string | undefined): Promise<Snapshot> {
    return this.#snapshots.bindings(namespace);
  }

  snapshot(onUnread: (why: string) => void): Promise<Snapshot> {
    return this.#snapshots.snapshot(onUnread);
  }

  async issuer(): Promise<string | undefined> {
    const what = { named: 'the issuer of its tokens', right: `get ${apiPaths.issuerConfiguration}` };
    try {
      const answer = await this.#reads.get(apiPaths.issuerConfiguration, what);
      const issuer = answer?.['issuer'];
      return typeof issuer === 'string' ? issuer : undefined;
    } catch (error) {
      if (error instanceof UnreadError && error.isForbidden) return undefined;
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool.close();
  }
}
