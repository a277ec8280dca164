import { err, ok, type Result } from '../accounts/result.ts';
import type { RoleArn } from '../accounts/role-arn.ts';
import { AwsVariables } from '../objects/aws-variables.ts';
import { type Addition, append } from '../objects/json-patch.ts';
import type { Container, Pod, VolumeMount } from '../objects/pod.ts';
import { type HomeAccount, roleAllowed } from './boundary.ts';
import {
  type EnvironmentPlan,
  type EnvironmentWarning,
  planEnvironment,
  roleArnVariable,
  type WantedEnvironment,
} from './environment.ts';
import { roleArnAnnotationPatch } from './role-annotation.ts';
import type { TokenSettings } from './token-settings.ts';
import { lookAtMounts, tokenFilePath, tokenMount, tokenVolume, usesTokenFile, volumeState } from './token-volume.ts';

const tokenMounts = [tokenMount];

/** What a pod is to be given. */
export interface InjectionSettings {
  readonly role: RoleArn;
  readonly home: HomeAccount;
  readonly sourceAccounts: ReadonlySet<string>;
  readonly region: string | undefined;
  readonly token: TokenSettings;
}

export type VolumeConflict =
  | { readonly reason: 'VolumeConflict'; readonly audience: string }
  | { readonly reason: 'VolumeConflict'; readonly container: Container; readonly mount: VolumeMount };

export type ContainerWarning = {
  readonly reason: EnvironmentWarning | 'EmptyRoleArn' | 'MisspelledVariable' | 'TokenMountNested';
  readonly containers: readonly string[];
};

export interface Injection {
  readonly patch: readonly Addition[];
  readonly warnings: readonly ContainerWarning[];
  /** Whether any container was given something. */
  readonly injected: boolean;
}

function wantedEnvironment(settings: InjectionSettings, windows: boolean): WantedEnvironment {
  return {
    roleArn: settings.role.text,
    tokenFile: tokenFilePath(windows),
    region: settings.region,
    regionalSts: settings.token.regionalSts,
    windows,
    allowsRole: roleArn => roleAllowed(roleArn, settings.home, settings.sourceAccounts),
  };
}

class WarningsByReason {
  readonly #containers = new Map<ContainerWarning['reason'], string[]>();

  add(reason: ContainerWarning['reason'], container: Container): void {
    const names = this.#containers.get(reason);
    if (names === undefined) this.#containers.set(reason, [container.name]);
    else names.push(container.name);
  }

  list(): readonly ContainerWarning[] {
    return [...this.#containers].map(([reason, containers]) => ({ reason, containers }));
  }
}

/** A volume of our name that is not ours, where a container reads the token file in ours. */
function foreignVolume(pod: Pod, users: readonly Container[], audience: string): VolumeConflict | undefined {
  const isForeign = users.length > 0 && volumeState(pod.volumes, audience) === 'foreign';
  return isForeign ? { reason: 'VolumeConflict', audience } : undefined;
}

/** Containers that read the token file where ours lies must find our volume there, or nothing in its way. */
export function findVolumeConflict(
  pod: Pod,
  users: readonly Container[],
  audience: string,
): VolumeConflict | undefined {
  const foreign = foreignVolume(pod, users, audience);
  if (foreign !== undefined) return foreign;
  for (const container of users) {
    const { conflict } = lookAtMounts(container, pod.windows);
    if (conflict !== undefined) return { reason: 'VolumeConflict', container, mount: conflict };
  }
  return undefined;
}

interface ContainerPlans {
  readonly patch: readonly Addition[];
  /** The containers that will read our token file. */
  readonly users: readonly Container[];
  /** The first mount of one of them that is in the way of ours. */
  readonly conflict: VolumeConflict | undefined;
  /** Whether a container will have the resolved role and our token. */
  readonly roleGiven: boolean;
  readonly warnings: readonly ContainerWarning[];
}

function planContainers(pod: Pod, targets: readonly Container[], settings: InjectionSettings): ContainerPlans {
  const wanted = wantedEnvironment(settings, pod.windows);
  const patch: Addition[] = [];
  const users: Container[] = [];
  const found = new WarningsByReason();
  let roleGiven = false;
  let conflicting: VolumeConflict | undefined;
  // Nearly all containers set nothing of AWS's own, and all of these get the same.
  let usual: EnvironmentPlan | undefined;
  for (const container of targets) {
    const isUsual = container.awsVariables === AwsVariables.none && !container.hasEnvFrom;
    const plan = isUsual ? usual : undefined;
    const { added, warnings } = plan ?? planEnvironment(container, wanted);
    if (isUsual) usual ??= { added, warnings };
    for (const warning of warnings) found.add(warning, container);
    patch.push(...append(`${container.path}/env`, container.hasEnv, added));
    const givesToken = added.some(variable => variable.value === wanted.tokenFile);
    if (!givesToken && !usesTokenFile(container, pod.windows)) continue;
    users.push(container);
    const role =
      container.awsVariables.literal(roleArnVariable, pod.windows) ??
      added.find(variable => variable.name === roleArnVariable)?.value;
    if (role === wanted.roleArn) roleGiven = true;
    const { state, above, conflict } = lookAtMounts(container, pod.windows);
    if (conflict !== undefined) conflicting ??= { reason: 'VolumeConflict', container, mount: conflict };
    if (above !== undefined) found.add('TokenMountNested', container);
    if (state === 'absent') {
      patch.push(...append(`${container.path}/volumeMounts`, container.mounts !== undefined, tokenMounts));
    }
  }
  return { patch, users, conflict: conflicting, roleGiven, warnings: found.list() };
}

/**
 * The injection of a pod at its creation: the environment of the targets, our mount where a container reads our token
 * file, our volume if any of them mounts it, and the annotation that says which role was injected.
 * @returns a VolumeConflict rather than half an injection.
 */
export function injectPod(
  pod: Pod,
  targets: readonly Container[],
  settings: InjectionSettings,
): Result<Injection, VolumeConflict> {
  const plans = planContainers(pod, targets, settings);
  const { audience, expirationSeconds } = settings.token;
  const conflict = foreignVolume(pod, plans.users, audience) ?? plans.conflict;
  if (conflict !== undefined) return err(conflict);
  const volumeMissing = plans.users.length > 0 && volumeState(pod.volumes, audience) === 'absent';
  const volumes = volumeMissing ? [tokenVolume(audience, expirationSeconds)] : [];
  return ok({
    patch: [
      ...plans.patch,
      ...append('/spec/volumes', pod.volumes !== undefined, volumes),
      ...roleArnAnnotationPatch(pod, plans.roleGiven ? settings.role.text : ''),
    ],
    warnings: plans.warnings,
    injected: plans.patch.length > 0,
  });
}

/**
 * The injection of ephemeral containers into a running pod, which must have our volume already: a pod's volumes can
 * change no more.
 */
export function injectEphemeralContainers(
  pod: Pod,
  targets: readonly Container[],
  settings: InjectionSettings,
): Result<Injection, VolumeConflict> {
  const plans = planContainers(pod, targets, settings);
  const conflict = foreignVolume(pod, plans.users, settings.token.audience) ?? plans.conflict;
  if (conflict !== undefined) return err(conflict);
  return ok({ patch: plans.patch, warnings: plans.warnings, injected: plans.patch.length > 0 });
}
