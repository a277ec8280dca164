import type { Cluster } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { decideLive } from '../../admission/live-view.ts';
import type { Sts } from '../../aws/sts.ts';
import { startsWithToken, walkToRole } from '../../aws/walk.ts';
import { resolveTarget, type Target } from './resolve-target.ts';
import { resultOf, type Verification } from './verification.ts';

/** Who answers the questions of a verification. */
export interface Sources {
  readonly cluster: Cluster;
  /** @throws {NoTokenError} */
  readonly requestToken: (namespace: string, serviceAccount: string, audience: string) => Promise<string>;
  readonly stsIn: (region: string) => Promise<Sts>;
}

/** Where SDKs name their sessions, each does so in its own way. */
const anySessionName = 'carm-webhook-verify';

/**
 * Resolves the way of a ServiceAccount's pods to their role, and goes it. Token and credentials are dropped at its end.
 * @throws {NoTokenError | ClusterUnreachableError}
 */
export async function verifyTarget(
  target: Target,
  { cluster, requestToken, stsIn }: Sources,
  config: Config,
  signal: AbortSignal,
): Promise<Verification> {
  const { namespace, serviceAccount } = target;
  const resolved = await decideLive(cluster, namespace, Number.POSITIVE_INFINITY, view =>
    resolveTarget(target, view, config),
  );
  const none = { resolved: undefined, steps: [], message: undefined };
  if ('result' in resolved) return { ...target, ...none, ...resolved };
  const { access, region, audience, sessionName = anySessionName } = resolved;
  if (!startsWithToken(access)) throw new TypeError('a plain pod was admitted to a chain without a hub');
  const token = await requestToken(namespace, serviceAccount, audience);
  using sts = await stsIn(region);
  const steps = await walkToRole(sts, access, { token, sessionName }, signal);
  return { ...target, resolved, steps, message: undefined, ...resultOf(steps) };
}
