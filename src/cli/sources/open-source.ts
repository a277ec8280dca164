import type { Config } from '../../admission/config.ts';
import { lookUpIn } from '../../admission/lookup.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { readState } from '../../cluster/state/state-directory.ts';
import { type ClusterFlagValues, checkClusterFlags } from '../flags/cluster-flags.ts';
import type { ObjectSource } from './object-source.ts';

/** A folder of manifests, read once. */
function stateSource(state: Snapshot): ObjectSource {
  return {
    read: async lookup => lookUpIn(state, lookup),
    pod: async (namespace, name) => state.pod(namespace, name),
    pods: async begin => {
      const onPod = begin();
      for (const pod of state.pods()) onPod(pod);
    },
    workload: async (kind, namespace, name) => state.workloads.find(kind, namespace, name),
    workloads: async (kind, begin) => {
      const onWorkload = begin();
      for (const workload of state.workloads.ofKind(kind)) onWorkload(workload);
    },
    snapshot: async () => state,
    bindings: async () => state,
    installation: undefined,
    issuer: async () => undefined,
    [Symbol.asyncDispose]: async () => {},
  };
}

/**
 * Opens the folder or the cluster that the flags name. A cluster is not spoken to before something is read.
 * @throws {UsageError | StateError}
 */
export async function openSource(flags: ClusterFlagValues, config: Config): Promise<ObjectSource> {
  checkClusterFlags(flags);
  const { state, kubeconfig, context } = flags;
  if (state !== undefined) return stateSource(await readState(state, config.featureGates.IAMRoleSelector));
  // client-node takes long to load, and `--state` does without it.
  const { ApiSource } = await import('./api-source.ts');
  return new ApiSource({ kubeconfig, context }, config);
}
