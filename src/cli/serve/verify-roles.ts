import { hostname } from 'node:os';
import { partitionOfRegion } from '../../accounts/partition.ts';
import type { ProviderProblems } from '../../accounts/provider-problem.ts';
import type { RoleArn } from '../../accounts/role-arn.ts';
import { describeProviderProblem } from '../../admission/catalogue/provider-problems.ts';
import type { Config } from '../../admission/config.ts';
import { isSessionOf } from '../../aws/caller-identity.ts';
import { Sts } from '../../aws/sts.ts';
import { stsRegionFor } from '../../aws/sts-region.ts';
import { OwnTokenError, readOwnToken } from '../../aws/verify-roles/own-token.ts';
import { RoleVerifier } from '../../aws/verify-roles/role-verifier.ts';
import { choosesAccess, RolesInUse, type TokenRole } from '../../aws/verify-roles/roles-in-use.ts';
import { Schedule, type ScheduleOptions } from '../../aws/verify-roles/schedule.ts';
import { type CallOutcome, type Verification, verificationOf } from '../../aws/verify-roles/verification.ts';
import type { ApiConnection } from '../../cluster/api/api-connection.ts';
import { NamespaceEvents } from '../../cluster/events/namespace-events.ts';
import type { ReplicaReport } from '../../cluster/replicas/replica-lease.ts';
import { Replicas } from '../../cluster/replicas/replicas.ts';
import type { WatchingCluster } from '../../cluster/watching-cluster.ts';
import { defaultAudience } from '../../injection/token-settings.ts';
import { boundedCopy } from '../../objects/bounded-copy.ts';
import type { Logger } from '../../server/logs.ts';
import type { VerificationMetrics } from '../../server/verification-metrics.ts';
import { inTurns } from './in-turns.ts';
import { LogRation } from './log-ration.ts';

/** Where kubelet puts our token if `AWS_WEB_IDENTITY_TOKEN_FILE` names no other file: where pods have theirs. */
const usualTokenFile = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';

const usualSchedule: ScheduleOptions = { intervalMs: 600_000, callsPerSecond: 5, mostInFlight: 5, mostRoles: 10_000 };
const callLimitMs = 5_000;
/** Between two looks at which roles are in use, which a burst of changes would otherwise make many of. */
const rolesEveryMs = 2_000;
const longestError = 512;

export interface VerifyRolesOptions {
  readonly cluster: WatchingCluster;
  readonly connection: ApiConnection;
  readonly config: Config;
  readonly metrics: VerificationMetrics;
  readonly logger: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** In place of the usual. */
  readonly schedule?: Partial<ScheduleOptions>;
}

export interface RoleVerification {
  readonly providers: ProviderProblems;
  /** The caches are other than before. */
  changed(): void;
  stop(): Promise<void>;
}

function nameOfReplica(env: VerifyRolesOptions['env']): string {
  // A pod's name; beside a cluster, a part of a Lease's name all the same.
  const name = (env['POD_NAME'] || hostname())
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, 200);
  return name.replaceAll(/^-+|-+$/g, '') || 'carm-webhook';
}

function errorOf(error: unknown): string {
  return boundedCopy(error instanceof Error ? error.message : String(error), longestError);
}

/** Asks AWS STS for a role by the webhook's own token. What STS gives is dropped at once. */
function createAsk({ config, env, logger, metrics }: VerifyRolesOptions) {
  const tokenFile = env['AWS_WEB_IDENTITY_TOKEN_FILE'] || usualTokenFile;
  const ownRegion = env['AWS_REGION'] || env['AWS_DEFAULT_REGION'];
  const ofFlag = config.defaultRegion ?? (partitionOfRegion(ownRegion ?? '') === undefined ? undefined : ownRegion);
  const failures = new LogRation();
  const outcomeOf = async (role: RoleArn, signal: AbortSignal): Promise<CallOutcome> => {
    const token = await readOwnToken(tokenFile, defaultAudience);
    // Never by what a namespace says: with a region that does not exist, it could hold up the rest.
    const region = stsRegionFor(role.partition, { ofNamespace: undefined, ofFlag });
    const endpoint = env['AWS_ENDPOINT_URL_STS'] || undefined;
    using sts = new Sts({ region, endpoint, proxyEnv: env, callLimitMs, mostAttempts: 1 });
    const answer = await sts.assumeRoleWithWebIdentity({ role, token, sessionName: 'carm-webhook-verify' }, signal);
    if (!answer.ok) return answer.problem.kind;
    return isSessionOf(role, answer.value.identity) ? 'ok' : 'OtherIdentity';
  };
  return async (role: RoleArn, signal: AbortSignal): Promise<Verification> => {
    let outcome: CallOutcome;
    try {
      outcome = await outcomeOf(role, signal);
    } catch (error) {
      outcome = error instanceof OwnTokenError ? 'NoToken' : 'Unexpected';
      const ration = failures.take(outcome);
      if (ration !== undefined)
        logger.error({ file: tokenFile, error: errorOf(error), ...ration }, 'role not verified');
    }
    metrics.countCall(outcome);
    return verificationOf(outcome);
  };
}

/** Starts the background check. Its modules are loaded only where the flag asks for it. */
export function startVerifyingRoles(options: VerifyRolesOptions): RoleVerification {
  const { cluster, connection, config, metrics, logger, env } = options;
  const self = nameOfReplica(env);
  const changes = new LogRation();
  const errors = new LogRation();
  const events = new NamespaceEvents({
    connection,
    self,
    onResult: (result, error) => {
      metrics.countEvent(result);
      const ration = error === undefined ? undefined : errors.take('event');
      if (ration !== undefined) logger.warn({ error: errorOf(error), ...ration }, 'event not written');
    },
  });
  const schedule = new Schedule({ ...usualSchedule, ...options.schedule });
  const verifier = new RoleVerifier({
    schedule,
    ask: createAsk(options),
    observer: {
      changed: ({ role, namespaces }, { result, problem }, before) => {
        if (before.problem !== undefined)
          events.settle(namespaces, { accountId: role.accountId, problem: before.problem });
        if (before.result === 'broken' || result === 'broken') replicas.changed();
        const ration = changes.take(result);
        if (ration === undefined) return;
        const why = problem === undefined ? {} : { problem };
        logger[result === 'broken' ? 'warn' : 'info'](
          { role: role.text, account: role.accountId, result, before: before.result, ...why, ...ration },
          'role verified',
        );
      },
      verified: ({ role: { accountId }, namespaces }, { problem }) => {
        if (problem === undefined) return;
        events.tell(namespaces, { accountId, problem, note: describeProviderProblem(accountId, problem) });
      },
      roundCompleted: () => metrics.roundCompleted(Date.now()),
    },
  });
  let known: readonly ReplicaReport[] | undefined;
  const onPeers = (peers: readonly ReplicaReport[] | undefined): void => {
    known = peers;
    verifier.setPeers(
      self,
      peers?.map(({ replica }) => replica),
      new Map((peers ?? []).flatMap(({ problems }) => [...problems])),
    );
  };
  const replicas = new Replicas({
    connection,
    namespace: config.ownNamespace,
    self,
    ownProblems: () => verifier.ownProblems,
    onPeers: peers => {
      onPeers(peers);
      start();
    },
    onError: error => {
      const ration = errors.take('lease');
      if (ration !== undefined) logger.warn({ error: errorOf(error), ...ration }, 'other replicas not known');
    },
  });
  metrics.watch({
    counts: () => verifier.counts(),
    replicas: () => (known === undefined ? undefined : known.length + 1),
  });

  let dirty = true;
  let started = false;
  let looked = false;
  /** Not before it is known which roles there are, and who shares them. */
  function start(): void {
    if (started || !looked) return;
    started = true;
    verifier.start();
  }
  const look = async (): Promise<void> => {
    const roles = await rolesInUse(cluster, config);
    verifier.setRoles(roles);
    if (schedule.leftOut > 0) {
      const ration = errors.take('roles');
      if (ration !== undefined) logger.warn({ roles: schedule.leftOut, ...ration }, 'too many roles to verify');
    }
    if (looked) return;
    looked = true;
    replicas.start();
  };
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    // By a cache that is not there yet, or old, nothing is forgotten.
    if (!dirty || looking !== undefined || cluster.cache === undefined) return;
    dirty = false;
    looking = look().finally(() => {
      looking = undefined;
    });
  }, rolesEveryMs).unref();

  return {
    providers: verifier,
    changed: () => {
      dirty = true;
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all([looking, verifier.stop(), events.stop()]);
      await replicas.stop();
    },
  };
}

async function rolesInUse(cluster: WatchingCluster, config: Config): Promise<ReadonlyMap<string, TokenRole>> {
  const inUse = new RolesInUse(config, kind => cluster.roleMap(kind, config.ackSystems[0].namespace));
  for await (const namespace of inTurns(cluster.namespaces())) inUse.add(namespace);
  for await (const [key, serviceAccount] of inTurns(cluster.serviceAccounts())) {
    if (!choosesAccess(serviceAccount)) continue;
    const [namespaceName = '', name = ''] = key.split('/');
    const namespace = cluster.cache?.namespace(namespaceName);
    if (namespace !== undefined) inUse.add(namespace, serviceAccount, name);
  }
  return inUse.roles;
}
