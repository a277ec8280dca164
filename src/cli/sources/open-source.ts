import type { Lookup, LookupResult } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { lookUpIn } from '../../admission/lookup.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { readState } from '../../cluster/state/state-directory.ts';
import type { JsonObject } from '../../objects/json.ts';
import { type ClusterFlagValues, checkClusterFlags } from '../flags/cluster-flags.ts';
import type { ObjectSource } from './object-source.ts';

/** A folder of manifests, read once. */
class StateSource implements ObjectSource {
  readonly #state: Snapshot;

  constructor(state: Snapshot) {
    this.#state = state;
  }

  async read<R extends Lookup>(lookup: R): Promise<LookupResult<R>> {
    return lookUpIn(this.#state, lookup);
  }

  async pod(namespace: string, name: string): Promise<JsonObject | undefined> {
    return this.#state.pod(namespace, name);
  }

  async snapshot(): Promise<Snapshot> {
    return this.#state;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/**
 * Opens the folder or the cluster that the flags name. A cluster is not spoken to before something is read.
 * @throws {UsageError | StateError}
 */
export async function openSource(flags: ClusterFlagValues, config: Config): Promise<ObjectSource> {
  checkClusterFlags(flags);
  const { state, kubeconfig, context } = flags;
  if (state !== undefined) return new StateSource(await readState(state, config.featureGates.IAMRoleSelector));
  // client-node takes long to load, and `--state` does without it.
  const { ApiSource } = await import('./api-source.ts');
  return new ApiSource({ kubeconfig, context }, config);
}
