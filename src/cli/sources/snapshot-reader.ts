import type { Config } from '../../admission/config.ts';

import { ApiError } from '../../cluster/api/api-errors.ts';
import { accept, apiPaths } from '../../cluster/api/api-requests.ts';
import { isCurrent, leaseGroup, leaseSelector, readLease } from '../../cluster/replicas/replica-lease.ts';
import { rbacGroup, Snapshot } from '../../cluster/state/snapshot.ts';
import { readAckController } from '../../objects/ack-controller.ts';
import type { JsonObject } from '../../objects/json.ts';
import { roleMapNames } from '../../objects/role-map.ts';
import { type ApiReads, whole } from './api-reads.ts';
import { unlessForbidden } from './unless-forbidden.ts';
import { UnreadError } from './unread-error.ts';

/** Deployments of ACK controllers that are taken: ACK has a controller for each of some 80 services. */
const mostControllers = 1000;

/** Takes objects of a kind into a snapshot. */
function addTo(snapshot: Snapshot, apiVersion: string, kind: string): (object: JsonObject) => void {
  return object => snapshot.add({ object, apiVersion, kind, place: 'the API server', document: 0, path: [] });
}

/** Takes what an API server has into a snapshot. */
export class SnapshotReader {
  readonly #reads: ApiReads;
  readonly #config: Config;

  constructor(reads: ApiReads, config: Config) {
    this.#reads = reads;
    this.#config = config;
  }

  /** What may not be listed is told, and passed over: the rest is worth as much without it. */
  async #takeResources(snapshot: Snapshot, onUnread: (why: string) => void): Promise<void> {
    for (const { group, versions, kind, resource } of await this.#reads.ackKinds()) {
      const apiVersion = `${group}/${versions[0]}`;
      const path = apiPaths.resources(group, versions[0], resource);
      await unlessForbidden(onUnread, () =>
        this.#reads.list(resource, path, whole, addTo(snapshot, apiVersion, kind), accept.whole.list),
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
      await unlessForbidden(onUnread, () => this.#reads.list('leases', path, whole, addCurrent, accept.whole.list));
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
      await unlessForbidden(onUnread, () =>
        this.#reads.list('deployments', path, whole, addController, accept.whole.list),
      );
    }
    if (taken > mostControllers) onUnread(`Deployments of ACK's controllers after the first ${mostControllers}`);
  }

  /** Who may bind, where the webhook asks that: nobody else needs to read RBAC for it. */
  async #takeBindGrants(snapshot: Snapshot, onUnread: (why: string) => void): Promise<void> {
    if (!this.#config.authorizeBindings) return;
    const take = async (resource: string, kind: string): Promise<void> => {
      const add = addTo(snapshot, `${rbacGroup}/v1`, kind);
      const path = apiPaths.resources(rbacGroup, 'v1', resource);
      const read = () => this.#reads.list(resource, path, whole, add, accept.whole.list).then(() => true);
      if ((await unlessForbidden(onUnread, read)) === undefined) snapshot.bindGrants.lack();
    };
    await Promise.all([take('clusterroles', 'ClusterRole'), take('clusterrolebindings', 'ClusterRoleBinding')]);
  }

  async #takeMaps(snapshot: Snapshot): Promise<void> {
    const takeMap = async (namespace: string, name: string): Promise<void> => {
      const object = await this.#reads.configMap(namespace, name);
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
      this.#reads.list('namespaces', apiPaths.namespaces, whole, addTo(snapshot, 'v1', 'Namespace')),
      this.#reads.list('serviceaccounts', apiPaths.serviceAccounts, whole, addTo(snapshot, 'v1', 'ServiceAccount')),
    ]);
  }

  async #takeNamespace(snapshot: Snapshot, name: string): Promise<void> {
    const object = await this.#reads.namespace(name);
    if (object === undefined) return;
    addTo(snapshot, 'v1', 'Namespace')(object);
    const path = apiPaths.serviceAccountsOf(name);
    await this.#reads.list('serviceaccounts', path, whole, addTo(snapshot, 'v1', 'ServiceAccount'));
  }

  /** As `ObjectSource` has it. @throws {UnreadError} */
  async bindings(namespace: string | undefined): Promise<Snapshot> {
    const snapshot = new Snapshot({ roleSelectors: false });
    await Promise.all([
      namespace === undefined ? this.#takeNamespaces(snapshot) : this.#takeNamespace(snapshot, namespace),
      this.#takeMaps(snapshot),
    ]);
    return snapshot;
  }

  /** As `ObjectSource` has it. @throws {UnreadError} */
  async snapshot(onUnread: (why: string) => void): Promise<Snapshot> {
    const snapshot = new Snapshot({ roleSelectors: this.#config.featureGates.IAMRoleSelector });
    const addSelector = addTo(snapshot, 'services.k8s.aws/v1alpha1', 'IAMRoleSelector');
    await Promise.all([
      this.#takeNamespaces(snapshot),
      this.#takeMaps(snapshot),
      this.#config.featureGates.IAMRoleSelector ? this.#reads.listSelectors(whole, addSelector) : undefined,
      this.#takeResources(snapshot, onUnread),
      this.#takeLeases(snapshot, onUnread),
      this.#takeControllers(snapshot, onUnread),
      this.#takeBindGrants(snapshot, onUnread),
    ]);
    return snapshot;
  }
}
