import { err, ok, type Result } from '../../accounts/result.ts';
import { type RoleAccess, type RoleUser, resolveRoleAccess } from '../../accounts/role-access.ts';
import type { AwsConfig } from '../../injection/aws-config.ts';
import { roleAllowed } from '../../injection/boundary.ts';
import { chain, chainAsDelivered, servedByPodIdentity } from '../../injection/chain.ts';
import type { InjectionSettings } from '../../injection/inject.ts';
import { chooseRegion } from '../../injection/region.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import { webIdentity } from '../../injection/web-identity.ts';
import { defaultRegionAnnotation } from '../../objects/keys.ts';
import type { Container } from '../../objects/pod.ts';
import type { ServiceAccount } from '../../objects/service-account.ts';
import type { HubRoleMissing } from '../catalogue/access-denials.ts';
import type { Warning } from '../catalogue/warnings.ts';
import { controllerHubProblem } from './controller-role.ts';
import type { PodReview, ResolvedPod } from './pod-review.ts';

/** What the containers of a resolved pod are to get, with what there is to warn of on the annotations that say so. */
export interface PodCredentials {
  readonly settings: InjectionSettings;
  readonly warnings: readonly Warning[];
  /** How the pod gets its role. */
  readonly access: RoleAccess;
}

export function roleUserOf({ namespace, pod }: PodReview, serviceAccount: ServiceAccount): RoleUser {
  return { namespace, serviceAccount, serviceAccountName: pod.serviceAccountName };
}

/** What every mode needs, besides the way to the role. */
function sharedSettings({ namespace, pod, config }: PodReview, { podRole, serviceAccount }: ResolvedPod) {
  const token = readTokenSettings(pod.annotations, serviceAccount.annotations, config.tokenExpirationSeconds);
  const { region, warning } = chooseRegion(
    namespace.annotations.get(defaultRegionAnnotation),
    config.defaultRegion,
    podRole.role.partition,
  );
  const warnings: Warning[] = [];
  if (token.warning !== undefined) warnings.push(token.warning);
  if (warning !== undefined) warnings.push(warning);
  const sessionName = config.roleSessionName?.nameFor({
    account: podRole.accountId,
    namespace: namespace.name,
    serviceAccount: pod.serviceAccountName,
  });
  return { token, sessionName, warnings, sdk: { region, regionalSts: token.regionalSts } };
}

type SharedSettings = ReturnType<typeof sharedSettings>;

function byWebIdentity(
  { pod, config }: PodReview,
  { podRole }: ResolvedPod,
  { token, sessionName, warnings, sdk }: SharedSettings,
): PodCredentials {
  const { role } = podRole;
  const credentials = webIdentity(pod, {
    roleArn: role.text,
    token,
    sessionName,
    withoutMetadata: config.disableInstanceMetadata === 'always',
    allowsRole: roleArn => roleAllowed(roleArn, podRole, config.sourceAccounts),
  });
  return { settings: { credentials, sdk }, warnings, access: { mode: 'web-identity', role } };
}

/**
 * The first role of a chain. A pod has one config file, so all its containers start from the same: from the one that EKS Pod
 * Identity gives, if it serves all of them, else from the hub role, which every container can take by the pod's token. (Run with six
 * SDKs: the config file wins over the variables of EKS Pod Identity.)
 */
function firstRole({ pod, targets }: PodReview, { hub }: Extract<RoleAccess, { readonly mode: 'chain' }>) {
  const others = targets.filter(container => !servedByPodIdentity(container, pod));
  if (others.length === 0) return ok(undefined);
  if (hub !== undefined) return ok(hub);
  const containers = others.length === targets.length ? [] : others.map(({ name }) => name);
  return err<HubRoleMissing>({ reason: 'HubRoleMissing', containers });
}

/** The credentials of a pod that is created. */
export function credentialsFor(podReview: PodReview, resolved: ResolvedPod) {
  const { pod, view, config } = podReview;
  const user = roleUserOf(podReview, resolved.serviceAccount);
  const access = resolveRoleAccess(resolved.podRole, user, config);
  if (!access.ok) return access;
  const shared = sharedSettings(podReview, resolved);
  if (access.value.mode === 'web-identity') return ok(byWebIdentity(podReview, resolved, shared));
  const first = firstRole(podReview, access.value);
  if (!first.ok) return first;
  const hub = first.value;
  const ofAck = hub === undefined ? undefined : controllerHubProblem(hub, view, config);
  if (ofAck !== undefined) return err(ofAck);
  const { token, sessionName, warnings, sdk } = shared;
  const credentials = chain(pod, {
    config: { ...access.value, hub, sessionName, region: sdk.region },
    token,
    withoutMetadata: config.disableInstanceMetadata !== 'never',
  });
  return ok<PodCredentials>({ settings: { credentials, sdk }, warnings, access: { ...access.value, hub } });
}

/** Why a container that joins a running pod cannot use the pod's config file. */
function unusableBecause(
  { pod, config }: PodReview,
  { podRole }: ResolvedPod,
  delivered: AwsConfig | undefined,
  added: readonly Container[],
): string | undefined {
  if (delivered === undefined) return "the pod's AWS config is not one that carm-webhook wrote";
  if (!roleAllowed(delivered.role.text, podRole, config.sourceAccounts)) {
    return `the role in the pod's AWS config is not in account ${podRole.accountId}`;
  }
  return delivered.hub === undefined && !added.every(container => servedByPodIdentity(container, pod))
    ? 'the pod gets its first role from EKS Pod Identity, which serves no debug containers'
    : undefined;
}

/** Of containers that join a running pod: those that its volume is for, whatever its namespace says today. */
export function credentialsForAdded(
  podReview: PodReview,
  resolved: ResolvedPod,
  added: readonly Container[],
  delivered: 'nothing' | { readonly config: AwsConfig | undefined },
): Result<PodCredentials, string> {
  const shared = sharedSettings(podReview, resolved);
  if (delivered === 'nothing') return ok(byWebIdentity(podReview, resolved, shared));
  const because = unusableBecause(podReview, resolved, delivered.config, added);
  if (because !== undefined || delivered.config === undefined) return err(because ?? '');
  const { token, warnings, sdk } = shared;
  const credentials = chainAsDelivered(podReview.pod, {
    config: delivered.config,
    token,
    withoutMetadata: podReview.config.disableInstanceMetadata !== 'never',
  });
  return ok({ settings: { credentials, sdk }, warnings, access: { mode: 'chain', ...delivered.config } });
}
