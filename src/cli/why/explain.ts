import type { CredentialsModeName } from '../../accounts/credentials-mode.ts';
import type { RoleSource } from '../../accounts/pod-role.ts';
import type { RoleAccess } from '../../accounts/role-access.ts';
import { formatWarning } from '../../admission/catalogue/warnings.ts';
import type { Cluster, View } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import type { Decision } from '../../admission/decision.ts';
import { type EffectiveDecision, effectiveDecision, outcomeOf } from '../../admission/effective-decision.ts';
import { decideLive } from '../../admission/live-view.ts';
import { type Mode, modeOf } from '../../admission/mode.ts';
import { ruleFor } from '../../admission/rules.ts';
import type { AddedVariable } from '../../injection/credentials.ts';
import { mayKnowRegion } from '../../injection/sdk-settings.ts';
import { injectLabel } from '../../objects/keys.ts';
import { readPod } from '../../objects/pod.ts';
import { quote } from '../../objects/quote.ts';
import { roleMapNames } from '../../objects/role-map.ts';
import { heldByPod } from '../predict/running-pod.ts';
import { podResource, reviewOf } from '../predict/synthetic-review.ts';
import { withAdditions } from '../predict/with-additions.ts';

/** What one container would get. */
export interface GivenToContainer {
  readonly name: string;
  readonly kind: string;
  /** The variables that would be added, in their order. */
  readonly env: Readonly<Record<string, string>>;
  /** The role that it would have in the end, injected or its own. */
  readonly roleArn: string | undefined;
  /** Whether it would have a role, and no region to ask for it in. */
  readonly withoutRegion: boolean;
}

/** How a pod gets its role. */
export interface AccessInWords {
  readonly credentials: CredentialsModeName;
  /** In chain mode; undefined over EKS Pod Identity. */
  readonly hubRoleArn?: string | undefined;
  readonly externalId?: string | undefined;
}

/** The decision on a pod that would be created now. */
export interface Explanation {
  readonly decision: 'allow' | 'mutate' | 'deny';
  readonly reason: string;
  readonly mode: Mode;
  /** Whether the pod would be denied: a denial that the mode does not soften. */
  readonly denied: boolean;
  readonly message: string | undefined;
  readonly warnings: readonly string[];
  readonly accountId: string | undefined;
  readonly roleArn: string | undefined;
  /** In words: the map and its key, or the ServiceAccount and its annotation. */
  readonly roleFrom: string | undefined;
  /** How the pod would get to its role; undefined where it would not. */
  readonly access: AccessInWords | undefined;
  readonly label: string | undefined;
  readonly containers: readonly GivenToContainer[];
}

/** A pod that is asked about: one of the cluster without what was injected, one that a workload makes, or a plain one. */
export interface AskedPod {
  /** How the answer's message calls it, where it is not the pod of that name. */
  readonly called?: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Where a role comes from. */
export function sourceInWords(source: RoleSource, asked: Omit<AskedPod, 'called'>, { ackSystems }: Config): string {
  if (source.kind === 'map') {
    return `ConfigMap ${ackSystems[0].namespace}/${roleMapNames[source.map]}, key ${JSON.stringify(source.key)}`;
  }
  const { serviceAccountName } = readPod(asked.object);
  return `ServiceAccount ${asked.namespace}/${serviceAccountName}, annotation ${source.annotation}`;
}

function accessInWords(access: RoleAccess | undefined): AccessInWords | undefined {
  if (access === undefined) return undefined;
  return access.mode === 'chain'
    ? { credentials: access.mode, hubRoleArn: access.hub?.text, externalId: access.externalId }
    : { credentials: access.mode };
}

function givenTo(asked: AskedPod, decision: Decision): readonly GivenToContainer[] {
  const patch = decision.verdict === 'mutate' ? decision.patch : [];
  const after = withAdditions(asked.object, patch);
  const held = heldByPod(after as AskedPod['object']).containers;
  const podAfter = readPod(after);
  return podAfter.containers.map((container, index) => {
    const added = patch.flatMap(({ path, value }) => (path.startsWith(`${container.path}/env`) ? [value].flat() : []));
    return {
      name: container.name,
      kind: container.kind,
      env: Object.fromEntries((added as AddedVariable[]).map(({ name, value }) => [name, value])),
      roleArn: held[index]?.roleArn,
      withoutRegion: Boolean(held[index]?.roleArn) && !mayKnowRegion(container, podAfter),
    };
  });
}

/** The message of a denial, with what was asked about in place of the pod that stands for it. */
export function messageOf({ called, name, namespace }: AskedPod, message: string): string {
  const ofPod = `Pod ${quote(name)} in namespace ${quote(namespace)}: `;
  if (called === undefined || !message.startsWith(ofPod)) return message;
  return `${called} in namespace ${quote(namespace)}: ${message.slice(ofPod.length)}`;
}

function explain(asked: AskedPod, effective: EffectiveDecision, view: View, config: Config): Explanation {
  const namespace = view.namespace(asked.namespace);
  const { decision } = effective;
  const { verdict, reason, warnings = [], accountId, role, source, access } = decision;
  return {
    decision: verdict,
    reason,
    mode: modeOf(namespace, config.defaultMode),
    denied: outcomeOf(effective) === 'denied',
    message: decision.verdict === 'deny' ? messageOf(asked, decision.message()) : undefined,
    warnings: warnings.map(formatWarning),
    accountId,
    roleArn: role?.text,
    roleFrom: source === undefined ? undefined : sourceInWords(source, asked, config),
    access: accessInWords(access),
    label: namespace?.labels.get(injectLabel),
    containers: givenTo(asked, decision),
  };
}

/**
 * The decision that `/mutate` would make of the pod now, by the same rules, with all that it rests on.
 * @throws {UnverifiedError | ClusterUnreachableError | MalformedObjectError}
 */
export function explainPod(asked: AskedPod, cluster: Cluster, config: Config): Promise<Explanation> {
  const { name, namespace, object } = asked;
  const request = reviewOf({ resource: podResource, kind: 'Pod', name, namespace, object });
  return decideLive(cluster, asked.namespace, Number.POSITIVE_INFINITY, view =>
    explain(asked, effectiveDecision(ruleFor('mutate', request), request, view, config), view, config),
  );
}
