import { isBound } from '../accounts/binding.ts';
import { parseRoleArn } from '../accounts/role-arn.ts';
import type { RoleMap, RoleMapKind } from '../accounts/role-map.ts';
import type { Cluster } from '../admission/cluster.ts';
import type { Rules } from '../admission/rules.ts';
import type { Snapshot } from '../cluster/snapshot.ts';
import { StateDirectory } from '../cluster/state-directory.ts';
import type { ClusterMetricLabels, ClusterMetrics } from '../server/cluster-metrics.ts';
import type { Logger } from '../server/logs.ts';
import { type FlagValues, valueFlag } from './flag.ts';
import { UsageError } from './usage-error.ts';

const text = (value: string): string => value;

export const servedClusterFlags = {
  state: valueFlag(
    'state',
    { placeholder: 'DIR', help: 'Folder of manifests in place of a cluster; read again when it changes' },
    text,
    undefined,
  ),
} as const;

/** The closed sets of label values. */
export const clusterMetricLabels: ClusterMetricLabels = {
  maps: ['account', 'team'],
  watchedResources: [],
  restartCauses: [],
  liveReadResources: [],
  liveReadResults: [],
};

/** A cluster that the server decides by. */
export interface ServedCluster {
  readonly cluster: Cluster;
  /** Why it is not known well enough, a line each. */
  readonly notReady: () => readonly string[];
  readonly close: () => Promise<void>;
}

function countEntries(metrics: ClusterMetrics, kind: RoleMapKind, map: RoleMap | undefined): void {
  const values = [...(map?.values() ?? [])];
  const valid = values.filter(value => parseRoleArn(value) !== undefined).length;
  metrics.setMapEntries(kind, true, valid);
  metrics.setMapEntries(kind, false, values.length - valid);
}

function measure(state: Snapshot, rules: Rules, metrics: ClusterMetrics): void {
  const bound = [...state.namespaces()].filter(({ annotations }) => isBound(annotations, rules.featureGates));
  metrics.setBoundNamespaces(bound.length);
  countEntries(metrics, 'account', state.roleMap('account'));
  countEntries(metrics, 'team', state.roleMap('team'));
}

/**
 * Opens the cluster that the flags name.
 * @throws {StateError | UsageError}
 */
export async function openServedCluster(
  { state: folder }: FlagValues<typeof servedClusterFlags>,
  rules: Rules,
  metrics: ClusterMetrics,
  logger: Logger,
): Promise<ServedCluster> {
  if (folder === undefined) throw new UsageError('a folder of manifests is needed: --state DIR');
  const state = await StateDirectory.open({
    folder,
    ackSystemNamespace: rules.ackSystemNamespace,
    onReload: snapshot => {
      measure(snapshot, rules, metrics);
      logger.info({ folder }, 'new state');
    },
    onError: error => logger.error({ reason: error.message }, 'the new state cannot be read; the last one stays'),
  });
  measure(state.memory, rules, metrics);
  return { cluster: state, notReady: () => [], close: async () => state.close() };
}
