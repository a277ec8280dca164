import { err, ok, type Result } from '../accounts/result.ts';
import { AwsVariables } from '../objects/aws-variables.ts';
import { type Addition, append } from '../objects/json-patch.ts';
import type { Container, Pod, VolumeMount } from '../objects/pod.ts';
import type { ContainerCredentials, Credentials, CredentialsWarning } from './credentials.ts';
import type { CredentialsConflict, ModeName, MountUsers } from './credentials-modes.ts';
import { roleArnAnnotationPatch } from './role-annotation.ts';
import { listSettings, missingSettings, type SdkSetting, type SdkSettings } from './sdk-settings.ts';
import { lookAtMounts, tokenMount, volumeState } from './token-volume.ts';

const tokenMounts = [tokenMount];

export interface InjectionSettings {
  readonly credentials: Credentials<CredentialsConflict, ModeName>;
  readonly sdk: SdkSettings;
}

export type VolumeConflict =
  | { readonly reason: 'VolumeConflict'; readonly audience: string }
  | { readonly reason: 'VolumeConflict'; readonly container: Container; readonly mount: VolumeMount };

/** Why a pod is denied rather than half injected. */
export type InjectionConflict = VolumeConflict | CredentialsConflict;

export type ContainerWarning = {
  readonly reason: CredentialsWarning | 'EmptyRoleArn' | 'MisspelledVariable' | 'TokenMountNested';
  readonly containers: readonly string[];
};

export interface Injection {
  readonly patch: readonly Addition[];
  readonly warnings: readonly ContainerWarning[];
  /** Whether any container was given something. */
  readonly injected: boolean;
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

/**
 * Containers that read a file in our mount must find the volume of the mode that they read it by, nothing in its way, and
 * nothing beside it that the mode cannot live with.
 */
export function findConflict(pod: Pod, users: readonly MountUsers[], audience: string): InjectionConflict | undefined {
  for (const { mode, containers } of users) {
    if (volumeState(pod.volumes, volume => mode.isOurs(volume, audience)) === 'foreign') {
      return { reason: 'VolumeConflict', audience };
    }
    for (const container of containers) {
      const conflict = mode.conflictIn(container, pod);
      if (conflict !== undefined) return conflict;
      const { conflict: mount } = lookAtMounts(container, pod.windows);
      if (mount !== undefined) return { reason: 'VolumeConflict', container, mount };
    }
  }
  return undefined;
}

interface ContainerPlans {
  readonly patch: readonly Addition[];
  /** Our volume in the pod; undefined where no container will read a file in our mount. */
  readonly volume: 'ours' | 'absent' | 'foreign' | undefined;
  /** What denies the pod: a volume that is not ours, else what the first container has that is in the way. */
  readonly conflict: InjectionConflict | undefined;
  /** Whether a container will have the resolved role by our mount. */
  readonly roleGiven: boolean;
  readonly warnings: readonly ContainerWarning[];
}

function planContainer(
  pod: Pod,
  container: Container,
  sdkSettings: readonly SdkSetting[],
  credentials: Credentials,
): ContainerCredentials {
  const { added, readsMount, roleArn, warnings } = credentials.give(container);
  return { added: [...missingSettings(sdkSettings, container, pod), ...added], readsMount, roleArn, warnings };
}

function planContainers(pod: Pod, targets: readonly Container[], settings: InjectionSettings): ContainerPlans {
  const { credentials } = settings;
  const sdkSettings = listSettings(settings.sdk);
  const patch: Addition[] = [];
  const found = new WarningsByReason();
  let mounted = false;
  let roleGiven = false;
  let conflicting: InjectionConflict | undefined;
  // Nearly all containers set nothing of AWS's own, and all of these get the same.
  let usual: ContainerCredentials | undefined;
  for (const container of targets) {
    const isUsual = container.awsVariables === AwsVariables.none && !container.hasEnvFrom;
    const plan = (isUsual ? usual : undefined) ?? planContainer(pod, container, sdkSettings, credentials);
    if (isUsual) usual = plan;
    else conflicting ??= credentials.mode.conflictIn(container, pod);
    for (const warning of plan.warnings) found.add(warning, container);
    patch.push(...append(`${container.path}/env`, container.hasEnv, plan.added));
    if (!plan.readsMount) continue;
    mounted = true;
    if (plan.roleArn === credentials.roleArn) roleGiven = true;
    const { state, above, conflict } = lookAtMounts(container, pod.windows);
    if (conflict !== undefined) conflicting ??= { reason: 'VolumeConflict', container, mount: conflict };
    if (above !== undefined) found.add('TokenMountNested', container);
    if (state === 'absent') {
      patch.push(...append(`${container.path}/volumeMounts`, container.mounts !== undefined, tokenMounts));
    }
  }
  const { mode, audience } = credentials;
  const volume = mounted ? volumeState(pod.volumes, each => mode.isOurs(each, audience)) : undefined;
  const conflict = volume === 'foreign' ? ({ reason: 'VolumeConflict', audience } as const) : conflicting;
  return { patch, volume, conflict, roleGiven, warnings: found.list() };
}

/**
 * The injection of a pod at its creation: the environment of the targets, our mount where a container reads a file in it,
 * our volume if any of them mounts it, and the annotations, of which one says which role was injected.
 * @returns a conflict rather than half an injection.
 */
export function injectPod(
  pod: Pod,
  targets: readonly Container[],
  settings: InjectionSettings,
): Result<Injection, InjectionConflict> {
  const { credentials } = settings;
  const plans = planContainers(pod, targets, settings);
  if (plans.conflict !== undefined) return err(plans.conflict);
  const volumes = plans.volume === 'absent' ? [credentials.volume()] : [];
  const roleArn = plans.roleGiven ? credentials.roleArn : '';
  return ok({
    patch: [
      ...plans.patch,
      ...append('/spec/volumes', pod.volumes !== undefined, volumes),
      ...roleArnAnnotationPatch(pod, roleArn, plans.volume === undefined ? undefined : credentials.annotations),
    ],
    warnings: plans.warnings,
    injected: plans.patch.length > 0,
  });
}

/**
 * The injection of ephemeral containers into a running pod, which must have our volume already: a pod's volumes and
 * annotations cannot change with them.
 * @returns a conflict rather than half an injection.
 */
export function injectEphemeralContainers(
  pod: Pod,
  targets: readonly Container[],
  settings: InjectionSettings,
): Result<Injection, InjectionConflict> {
  const { patch, conflict, warnings } = planContainers(pod, targets, settings);
  if (conflict !== undefined) return err(conflict);
  return ok({ patch, warnings, injected: patch.length > 0 });
}
