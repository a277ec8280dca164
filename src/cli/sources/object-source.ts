import type { Lookup, LookupResult } from '../../admission/cluster.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import type { JsonObject } from '../../objects/json.ts';
import type { WorkloadKind } from '../../objects/pod-template.ts';
import type { InstallationSource } from './installation-source.ts';

/** The objects of a cluster, for a command that runs once. */
export interface ObjectSource extends AsyncDisposable {
  /** One object as it is now; undefined: no such object. @throws {ClusterUnreachableError} */
  read<R extends Lookup>(lookup: R): Promise<LookupResult<R>>;
  /** @throws {ClusterUnreachableError} */
  pod(namespace: string, name: string): Promise<JsonObject | undefined>;
  /**
   * Every pod, one by one, in no order; none of them is kept. Those that have ended may be left out.
   * @param begin called at the start, and again where all must be told from the start; what it returns gets each pod.
   * @throws {ClusterUnreachableError}
   */
  pods(begin: () => (pod: JsonObject) => void): Promise<void>;
  /** An object of a built-in kind that holds a pod template. @throws {ClusterUnreachableError} */
  workload(kind: WorkloadKind, namespace: string, name: string): Promise<JsonObject | undefined>;
  /**
   * Every object of a built-in kind that holds a pod template, as `pods` tells pods.
   * @throws {ClusterUnreachableError}
   */
  workloads(kind: WorkloadKind, begin: () => (workload: JsonObject) => void): Promise<void>;
  /**
   * All that decisions rest on, without pods, ACK's resources, and the Deployments of its controllers.
   * @param onUnread told of what may not be listed.
   * @throws {ClusterUnreachableError}
   */
  snapshot(onUnread: (why: string) => void): Promise<Snapshot>;
  /**
   * Namespaces, ServiceAccounts and maps.
   * @param namespace the only one that is asked for; undefined for all.
   * @throws {ClusterUnreachableError}
   */
  bindings(namespace: string | undefined): Promise<Snapshot>;
  /** What there is of the webhook itself; undefined where that is not known. */
  readonly installation: InstallationSource | undefined;
  /**
   * The issuer of ServiceAccount tokens.
   * @returns undefined where none is told, or one may not ask.
   * @throws {ClusterUnreachableError}
   */
  issuer(): Promise<string | undefined>;
}
