import { isBound } from '../accounts/binding.ts';
import type { Cluster } from '../admission/cluster.ts';
import { entryProblem } from '../admission/guards/map-entries.ts';
import type { Rules } from '../admission/rules.ts';
import { liveReadResults } from '../cluster/live-reads.ts';
import { searchedResources } from '../cluster/resource-finder.ts';
import { restartCauses } from '../cluster/restart-cause.ts';
import { StateDirectory } from '../cluster/state-directory.ts';
import { WatchingCluster, watchedResources } from '../cluster/watching-cluster.ts';
import type { Namespace } from '../objects/namespace.ts';
import type { RoleMap, RoleMapKind } from '../objects/role-map.ts';
import type { ClusterMetricLabels, ClusterMetrics } from '../server/cluster-metrics.ts';
import type { Logger } from '../server/logs.ts';
import { type FlagValues, valueFlag } from './flag.ts';
import { parseDurationMs } from './flag-values.ts';

const text = (value: string): string => value;

const shortestStalenessMs = 5_000;

function parseStalenessMs(value: string): number {
  const stalenessMs = parseDurationMs(value);
  // Watches are kept so short that a bookmark comes in time: below this, they would be little else than lists.
  if (stalenessMs < shortestStalenessMs) throw new Error(`is less than ${shortestStalenessMs / 1000}s`);
  return stalenessMs;
}

export const servedClusterFlags = {
  kubeconfig: valueFlag(
    'kubeconfig',
    {
      placeholder: 'FILE',
      help: "Way to the cluster; without it KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount",
    },
    text,
    undefined,
  ),
  maxStalenessMs: valueFlag(
    'max-staleness',
    {
      placeholder: 'DURATION',
      help: 'Past this time without news of a watch, every decision is made live',
      defaultText: '90s',
    },
    parseStalenessMs,
    90_000,
  ),
  state: valueFlag(
    'state',
    { placeholder: 'DIR', help: 'Folder of manifests in place of a cluster; read again when it changes' },
    text,
    undefined,
  ),
} as const;

/** What decisions by these rules can look up. */
function watchedBy({ ackSystems, featureGates }: Rules) {
  const maps: readonly RoleMapKind[] = featureGates.TeamLevelCARM ? ['account', 'team'] : ['account'];
  return {
    ackSystems: ackSystems.map(({ namespace }) => namespace),
    maps,
    roleSelectors: featureGates.IAMRoleSelector,
  };
}

/** The closed sets of label values. */
export function clusterMetricLabels(rules: Rules): ClusterMetricLabels {
  return {
    maps: ['account', 'team'],
    watchedResources: watchedResources(watchedBy(rules)),
    restartCauses,
    liveReadResources: ['namespaces', 'serviceaccounts', 'configmaps', 'iamroleselectors', searchedResources],
    liveReadResults,
  };
}

/** A cluster that the server decides by. */
export interface ServedCluster {
  readonly cluster: Cluster;
  /** Why it is not known well enough, a line each. */
  readonly notReady: () => readonly string[];
  readonly close: () => Promise<void>;
}

interface Measured {
  namespaces(): Iterable<Namespace>;
  roleMap(kind: RoleMapKind, ackSystem: string): RoleMap | undefined;
}

function countEntries(state: Measured, kind: RoleMapKind, { ackSystems }: Rules, metrics: ClusterMetrics): void {
  // A key with an empty value is no entry.
  const entries = ackSystems
    .flatMap(({ namespace }) => [...(state.roleMap(kind, namespace) ?? [])])
    .filter(([, value]) => value !== '');
  const valid = entries.filter(([key, value]) => entryProblem(kind, key, value) === undefined).length;
  metrics.setMapEntries(kind, true, valid);
  metrics.setMapEntries(kind, false, entries.length - valid);
}

function measure(state: Measured, rules: Rules, metrics: ClusterMetrics): void {
  let bound = 0;
  for (const { annotations } of state.namespaces()) if (isBound(annotations, rules.featureGates)) bound += 1;
  metrics.setBoundNamespaces(bound);
  countEntries(state, 'account', rules, metrics);
  countEntries(state, 'team', rules, metrics);
}

type Values = FlagValues<typeof servedClusterFlags>;

/**
 * Opens the cluster that the flags name.
 * @throws {StateError | ClusterUnreachableError}
 */
export async function openServedCluster(
  values: Values,
  rules: Rules,
  metrics: ClusterMetrics,
  logger: Logger,
): Promise<ServedCluster> {
  const { state } = values;
  return state === undefined ? watch(values, rules, metrics, logger) : readFolder(state, rules, metrics, logger);
}

async function readFolder(
  folder: string,
  rules: Rules,
  metrics: ClusterMetrics,
  logger: Logger,
): Promise<ServedCluster> {
  const state = await StateDirectory.open({
    folder,
    onReload: snapshot => {
      measure(snapshot, rules, metrics);
      logger.info({ folder }, 'new state');
    },
    onError: error => logger.error({ reason: error.message }, 'the new state cannot be read; the last one stays'),
  });
  measure(state.memory, rules, metrics);
  return { cluster: state, notReady: () => [], close: async () => state.close() };
}

/** Between two counts of what is in memory, which a burst of changes would otherwise make many of. */
const measureEveryMs = 1000;

async function watch(
  { kubeconfig, maxStalenessMs }: Values,
  rules: Rules,
  metrics: ClusterMetrics,
  logger: Logger,
): Promise<ServedCluster> {
  // client-node takes long to load, and `--state` does without it.
  const { connect } = await import('../cluster/connect.ts');
  let dirty = true;
  const cluster = new WatchingCluster({
    connection: connect({ kubeconfig }),
    ...watchedBy(rules),
    maxStalenessMs,
    observer: {
      synced: resource => {
        metrics.setWatchSynced(resource, true);
        logger.info({ resource }, 'listed');
      },
      lastEvent: resource => metrics.setWatchLastEvent(resource, Date.now()),
      restarted: (resource, cause, error) => {
        metrics.countWatchRestart(resource, cause);
        logger.warn(
          { resource, cause, error: error instanceof Error ? error.message : String(error) },
          'watch restarted',
        );
      },
      listenerFailed: (resource, error) =>
        logger.error({ resource, error: error instanceof Error ? error.message : String(error) }, 'object not kept'),
      liveRead: (resource, result) => metrics.countLiveRead(resource, result),
      changed: () => {
        dirty = true;
      },
    },
  });
  const timer = setInterval(() => {
    if (dirty) measure(cluster, rules, metrics);
    dirty = false;
  }, measureEveryMs).unref();
  cluster.start();
  return {
    cluster,
    notReady: () => cluster.notReady(),
    close: async () => {
      clearInterval(timer);
      await cluster.stop();
    },
  };
}
