import { isBound } from '../../accounts/binding.ts';
import type { ProviderProblems } from '../../accounts/provider-problem.ts';
import type { Cluster } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { describeMalformed } from '../../admission/failure.ts';
import { entryProblem } from '../../admission/guards/map-entries.ts';
import { bindReviewsResource } from '../../cluster/live/bind-reviews.ts';
import { liveReadResults } from '../../cluster/live/live-read-result.ts';
import { searchedResources } from '../../cluster/live/resource-finder.ts';
import { StateDirectory } from '../../cluster/state/state-directory.ts';
import { restartCauses } from '../../cluster/watch/restart-cause.ts';
import { WatchingCluster, watchedResources } from '../../cluster/watching-cluster.ts';
import { boundedCopy } from '../../objects/bounded-copy.ts';
import { MalformedObjectError } from '../../objects/json.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { RoleMap, RoleMapKind } from '../../objects/role-map.ts';
import type { ClusterMetricLabels, ClusterMetrics } from '../../server/cluster-metrics.ts';
import type { Logger } from '../../server/logs.ts';
import type { Metrics } from '../../server/metrics.ts';
import type { VerificationMetrics } from '../../server/verification-metrics.ts';
import { type FlagValues, switchFlag, textFlag, valueFlag } from '../flags/flag.ts';
import { parseDurationMs } from '../flags/flag-values.ts';
import { inTurns } from './in-turns.ts';
import { LogRation } from './log-ration.ts';
import type { RoleVerification } from './verify-roles.ts';

const shortestStalenessMs = 5_000;

function parseStalenessMs(value: string): number {
  const stalenessMs = parseDurationMs(value);
  // Watches are kept so short that a bookmark comes in time: below this, they would be little else than lists.
  if (stalenessMs < shortestStalenessMs) throw new Error(`is less than ${shortestStalenessMs / 1000}s`);
  return stalenessMs;
}

export const serveClusterFlags = {
  kubeconfig: textFlag(
    '--kubeconfig FILE',
    "Path to a kubeconfig (default: KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount)",
  ),
  maxStalenessMs: valueFlag(
    '--max-staleness DURATION',
    'After this time without an event on a watch, every decision reads from the API server',
    parseStalenessMs,
    '90s',
  ),
  verifyRoles: switchFlag(
    '--verify-roles',
    'Ask AWS STS in the background whether pods can take their roles; warn where they certainly cannot',
  ),
  state: textFlag('--state DIR', 'Folder of manifests to read instead of a cluster; reloaded when it changes'),
} as const;

/** What decisions by these rules can look up. */
function watchedBy({ ackSystems, featureGates }: Config) {
  const maps: readonly RoleMapKind[] = featureGates.TeamLevelCARM ? ['account', 'team'] : ['account'];
  return {
    ackSystems: ackSystems.map(({ namespace }) => namespace),
    maps,
    roleSelectors: featureGates.IAMRoleSelector,
  };
}

/** The closed sets of label values. */
export function clusterMetricLabels(config: Config): ClusterMetricLabels {
  return {
    maps: ['account', 'team'],
    watchedResources: watchedResources(watchedBy(config)),
    restartCauses,
    liveReadResources: [
      'namespaces',
      'serviceaccounts',
      'configmaps',
      'iamroleselectors',
      searchedResources,
      bindReviewsResource,
    ],
    liveReadResults,
  };
}

/** A cluster that the server decides by. */
export interface OpenCluster {
  readonly cluster: Cluster;
  /** Why it is not known well enough, a line each. */
  readonly notReady: () => readonly string[];
  /** Where roles are verified: what pods are warned of. */
  readonly providers?: ProviderProblems;
  readonly close: () => Promise<void>;
}

interface Measured {
  namespaces(): Iterable<Namespace>;
  roleMap(kind: RoleMapKind, ackSystem: string): RoleMap | undefined;
}

async function countEntries(
  state: Measured,
  kind: RoleMapKind,
  { ackSystems }: Config,
  metrics: ClusterMetrics,
): Promise<void> {
  let valid = 0;
  let invalid = 0;
  for (const { namespace } of ackSystems) {
    for await (const [key, value] of inTurns(state.roleMap(kind, namespace) ?? [])) {
      // A key with an empty value is no entry.
      if (value === '') continue;
      if (entryProblem(kind, key, value) === undefined) valid += 1;
      else invalid += 1;
    }
  }
  metrics.setMapEntries(kind, true, valid);
  metrics.setMapEntries(kind, false, invalid);
}

async function measure(state: Measured, config: Config, metrics: ClusterMetrics): Promise<void> {
  let bound = 0;
  for await (const { annotations } of inTurns(state.namespaces())) {
    if (isBound(annotations, config.featureGates)) bound += 1;
  }
  metrics.setBoundNamespaces(bound);
  await countEntries(state, 'account', config, metrics);
  await countEntries(state, 'team', config, metrics);
}

type Values = FlagValues<typeof serveClusterFlags>;

/**
 * Opens the cluster that the flags name.
 * @throws {StateError | ClusterUnreachableError}
 */
export async function openCluster(
  values: Values,
  config: Config,
  { cluster: metrics, verification }: Pick<Metrics, 'cluster' | 'verification'>,
  logger: Logger,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<OpenCluster> {
  const { state: folder } = values;
  if (folder === undefined) return watch(values, config, { metrics, verification }, logger, env);
  const state = await StateDirectory.open({
    folder,
    roleSelectors: config.featureGates.IAMRoleSelector,
    onReload: snapshot => {
      void measure(snapshot, config, metrics);
      logger.info({ folder }, 'new state');
    },
    onError: error => logger.error({ reason: error.message }, 'the new state cannot be read; keeping the last one'),
  });
  await measure(state.cache, config, metrics);
  return { cluster: state, notReady: () => [], close: async () => state.close() };
}

/** What an API server, or something in its place, says may be long, and what it is about may be named by users. */
const longestError = 512;

function wordsOf(error: unknown): string {
  return boundedCopy(error instanceof Error ? error.message : String(error), longestError);
}

/** A field that has the wrong type is named. */
function whyOf(cause: unknown): string {
  return cause instanceof MalformedObjectError ? describeMalformed(cause) : wordsOf(cause);
}

/** Between two counts of what is in the cache, which a burst of changes would otherwise make many of. */
const measureEveryMs = 1000;

async function watch(
  { kubeconfig, maxStalenessMs, verifyRoles }: Values,
  config: Config,
  { metrics, verification }: { readonly metrics: ClusterMetrics; readonly verification: VerificationMetrics },
  logger: Logger,
  env: Readonly<Record<string, string | undefined>>,
): Promise<OpenCluster> {
  // client-node takes long to load, and `--state` does without it.
  const { connect } = await import('../../cluster/api/connect.ts');
  let dirty = true;
  const restarts = new LogRation();
  const failures = new LogRation();
  const connection = connect({ kubeconfig });
  let verifying: RoleVerification | undefined;
  const cluster = new WatchingCluster({
    connection,
    ...watchedBy(config),
    maxStalenessMs,
    observer: {
      synced: resource => {
        metrics.setWatchSynced(resource, true);
        logger.info({ resource }, 'listed');
      },
      lastEvent: resource => metrics.setWatchLastEvent(resource, Date.now()),
      restarted: (resource, cause, error) => {
        metrics.countWatchRestart(resource, cause);
        const ration = restarts.take(resource);
        if (ration !== undefined) logger.warn({ resource, cause, error: wordsOf(error), ...ration }, 'watch restarted');
      },
      listenerFailed: (resource, error) => {
        const ration = failures.take(resource);
        if (ration === undefined) return;
        const why = error instanceof Error && error.cause !== undefined ? { why: whyOf(error.cause) } : {};
        logger.error({ resource, error: wordsOf(error), ...why, ...ration }, 'object not kept');
      },
      liveRead: (resource, result) => metrics.countLiveRead(resource, result),
      changed: () => {
        dirty = true;
        verifying?.changed();
      },
    },
  });
  let measuring: Promise<void> | undefined;
  const timer = setInterval(() => {
    if (!dirty || measuring !== undefined) return;
    dirty = false;
    measuring = measure(cluster, config, metrics).finally(() => {
      measuring = undefined;
    });
  }, measureEveryMs).unref();
  cluster.start();
  if (verifyRoles) {
    // AWS's SDK takes long to load.
    const { startVerifyingRoles } = await import('./verify-roles.ts');
    verifying = startVerifyingRoles({ cluster, connection, config, metrics: verification, logger, env });
  }
  return {
    cluster,
    ...(verifying && { providers: verifying.providers }),
    notReady: () => cluster.notReady(),
    close: async () => {
      clearInterval(timer);
      await Promise.all([measuring, verifying?.stop()]);
      await cluster.stop();
    },
  };
}
