import { err, ok, type Result } from '../accounts/result.ts';
import { AwsVariables } from '../objects/aws-variables.ts';
import { type Addition, append } from '../objects/json-patch.ts';
import { roleArnAnnotation } from '../objects/keys.ts';
import type { Container, Pod } from '../objects/pod.ts';
import { isChainVolume } from './chain.ts';
import type { AddedVariable, ContainerCredentials, Credentials, CredentialsWarning } from './credentials.ts';
import { type CredentialsConflict, type ModeName, rolesTaken } from './credentials-modes.ts';
import { PodVolumes } from './pod-volumes.ts';
import { roleArnAnnotationPatch } from './role-annotation.ts';
import { listSettings, missingSettings, type SdkSetting, type SdkSettings } from './sdk-settings.ts';
import {
  lookAtMounts,
  type MountConflict,
  type NestedIn,
  tokenMount,
  type VolumeState,
  volumeState,
} from './token-volume.ts';

const tokenMounts = [tokenMount];

export interface InjectionSettings {
  readonly credentials: Credentials<CredentialsConflict, ModeName>;
  readonly sdk: SdkSettings;
}

export type VolumeConflict =
  | { readonly reason: 'VolumeConflict'; readonly audience: string; readonly mode: ModeName }
  /** The volume of chain mode, in a pod in which no container gets a config file. */
  | { readonly reason: 'VolumeConflict'; readonly unused: true }
  | ({ readonly reason: 'VolumeConflict'; readonly container: Container } & MountConflict);

/** Why a pod is denied rather than half injected. */
export type InjectionConflict = VolumeConflict | CredentialsConflict;

/** What is to be said of some containers, once for all of them. */
export type ContainerWarning =
  | {
      readonly reason:
        | Exclude<CredentialsWarning['reason'], 'OtherCredentials'>
        | 'EmptyRoleArn'
        | 'MisspelledVariable';
      readonly containers: readonly string[];
    }
  | {
      readonly reason: 'OtherCredentials';
      readonly containers: readonly string[];
      readonly variables: readonly string[];
    }
  | {
      readonly reason: 'TokenMountNested';
      readonly containers: readonly string[];
      /** That of the first container. */
      readonly nestedIn: NestedIn;
    }
  | {
      readonly reason: 'RoleDiffers';
      readonly containers: readonly string[];
      /** That of the first container. */
      readonly kept: string;
      readonly due: string;
    };

export interface Injection {
  readonly patch: readonly Addition[];
  readonly warnings: readonly ContainerWarning[];
  /** Whether any container was given something. */
  readonly injected: boolean;
}

/** One injection gives one role; whoever has mixed several is told of the first. */
function keepsAnotherRole(first: ContainerWarning, other: ContainerWarning): boolean {
  return first.reason === 'RoleDiffers' && other.reason === 'RoleDiffers' && first.kept !== other.kept;
}

/** The warnings of a pod's containers: the first of a reason is told with the names of all that have it. */
class WarningsByReason {
  readonly #byReason = new Map<
    ContainerWarning['reason'],
    { readonly first: ContainerWarning; readonly names: string[] }
  >();
  readonly #variables = new Set<string>();

  add(warning: ContainerWarning): void {
    const known = this.#byReason.get(warning.reason);
    if (known === undefined) this.#byReason.set(warning.reason, { first: warning, names: [...warning.containers] });
    else if (!keepsAnotherRole(known.first, warning)) known.names.push(...warning.containers);
    if (warning.reason === 'OtherCredentials') for (const name of warning.variables) this.#variables.add(name);
  }

  list(): readonly ContainerWarning[] {
    return [...this.#byReason.values()].map(({ first, names: containers }) =>
      first.reason === 'OtherCredentials'
        ? { ...first, containers, variables: [...this.#variables] }
        : { ...first, containers },
    );
  }
}

/**
 * Containers that read a file in our mount must find there the volume that the credentials of their pod need, nothing in its way,
 * and nothing beside it that the mode cannot live with.
 */
export function findConflict(
  pod: Pod,
  readers: readonly Container[],
  { mode, audience, isOurs }: Pick<InjectionSettings['credentials'], 'mode' | 'audience' | 'isOurs'>,
): InjectionConflict | undefined {
  for (const container of readers) {
    const conflict = mode.conflictIn(container, pod);
    if (conflict !== undefined) return conflict;
  }
  if (volumeState(pod.volumes, isOurs) === 'foreign') {
    return { reason: 'VolumeConflict', audience, mode: mode.name };
  }
  const volumes = new PodVolumes(pod);
  for (const container of readers) {
    const { conflict } = lookAtMounts(container, pod, volumes);
    if (conflict !== undefined) return { reason: 'VolumeConflict', container, ...conflict };
  }
  return undefined;
}

/**
 * A volume that shows our config file, in a pod to which we give none: its text would be whatever a user wrote into the annotation,
 * and `kubectl debug` and `why` would take it for ours.
 */
export function unusedChainVolume({ volumes }: Pod): InjectionConflict | undefined {
  return volumes?.some(isChainVolume) ? { reason: 'VolumeConflict', unused: true } : undefined;
}

interface ContainerPlans {
  readonly patch: readonly Addition[];
  /** Our volume in the pod; undefined where no container will read a file in our mount. */
  readonly volume: VolumeState | undefined;
  /** What denies the pod: what the mode cannot live with, a volume that is not ours, else what is in the way of a mount. */
  readonly conflict: InjectionConflict | undefined;
  /** Whether any container was given credentials, or a part of them. */
  readonly given: boolean;
  /** The roles that the containers will take. */
  readonly taken: ReadonlySet<string>;
  readonly warnings: readonly ContainerWarning[];
}

interface ContainerPlan {
  readonly credentials: ContainerCredentials;
  /** To append to `env`. */
  readonly env: readonly AddedVariable[];
}

function planContainer(
  pod: Pod,
  container: Container,
  sdkSettings: readonly SdkSetting[],
  credentials: Pick<Credentials, 'give'>,
): ContainerPlan {
  const given = credentials.give(container);
  return { credentials: given, env: [...missingSettings(sdkSettings, container, pod), ...given.added] };
}

function planContainers(pod: Pod, targets: readonly Container[], settings: InjectionSettings): ContainerPlans {
  const { credentials } = settings;
  const { mode, audience } = credentials;
  const sdkSettings = listSettings(settings.sdk);
  const volumes = new PodVolumes(pod);
  const volume = volumeState(pod.volumes, each => credentials.isOurs(each));
  const said = pod.annotations.get(roleArnAnnotation);
  const patch: Addition[] = [];
  // Made for the few pods that need them.
  let found: WarningsByReason | undefined;
  const warn = (warning: ContainerWarning) => {
    found ??= new WarningsByReason();
    found.add(warning);
  };
  const taken = new Set<string>();
  let mounted = false;
  let given = false;
  let unfit: CredentialsConflict | undefined;
  let inTheWay: VolumeConflict | undefined;
  // Nearly all containers set nothing of AWS's own, and all of these get the same.
  let usual: ContainerPlan | undefined;
  for (const container of targets) {
    const isUsual = container.awsVariables === AwsVariables.none && !container.hasEnvFrom;
    const plan = (isUsual ? usual : undefined) ?? planContainer(pod, container, sdkSettings, credentials);
    if (isUsual) usual = plan;
    else unfit ??= mode.conflictIn(container, pod);
    const { added, readsMount, roleArn, warnings } = plan.credentials;
    for (const warning of warnings) warn({ ...warning, containers: [container.name] });
    if (added.length > 0) given = true;
    if (roleArn !== undefined) taken.add(roleArn);
    const mounts = readsMount ? lookAtMounts(container, pod, volumes) : undefined;
    const hasToken = mounts?.present === true && volume === 'ours';
    patch.push(...append(`${container.path}/env`, container.hasEnv, plan.env));
    if (mounts === undefined) continue;
    mounted = true;
    const { present, conflict, nestedIn } = mounts;
    if (conflict !== undefined) inTheWay ??= { reason: 'VolumeConflict', container, ...conflict };
    if (nestedIn !== undefined) warn({ reason: 'TokenMountNested', containers: [container.name], nestedIn });
    if (!present) patch.push(...append(`${container.path}/volumeMounts`, container.mounts !== undefined, tokenMounts));
    const isOther = roleArn !== undefined && roleArn !== credentials.roleArn && added.length === 0;
    if (isOther && (hasToken || said === roleArn) && mode.standsAsInjected(container, pod)) {
      warn({ reason: 'RoleDiffers', containers: [container.name], kept: roleArn, due: credentials.roleArn });
    }
  }
  return {
    patch,
    volume: mounted ? volume : undefined,
    conflict:
      unfit ?? (mounted && volume === 'foreign' ? { reason: 'VolumeConflict', audience, mode: mode.name } : inTheWay),
    given,
    taken,
    warnings: found?.list() ?? [],
  };
}

/** The roles that a pod's containers will take, the resolved one first. */
function rolesOf(
  pod: Pod,
  targets: readonly Container[],
  { taken }: ContainerPlans,
  resolved: string,
): readonly string[] {
  const roles = taken.has(resolved) ? [resolved, ...taken] : [...taken];
  // Only what the annotation says can be about a container that is skipped.
  if (!pod.annotations.has(roleArnAnnotation)) return roles;
  const targeted = new Set(targets);
  return [
    ...roles,
    ...rolesTaken(
      pod,
      pod.containers.filter(each => !targeted.has(each)),
    ),
  ];
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
  const conflict = plans.conflict ?? (plans.volume === undefined ? unusedChainVolume(pod) : undefined);
  if (conflict !== undefined) return err(conflict);
  const volumes = plans.volume === 'absent' ? [credentials.volume()] : [];
  const roles = { taken: rolesOf(pod, targets, plans, credentials.roleArn), given: plans.given };
  return ok({
    patch: [
      ...plans.patch,
      ...append('/spec/volumes', pod.volumes !== undefined, volumes),
      ...roleArnAnnotationPatch(pod, roles, plans.volume === undefined ? undefined : credentials.annotations),
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
