import type { PodAnnotation } from '../objects/keys.ts';
import type { Container, Pod, Volume } from '../objects/pod.ts';

export interface AddedVariable {
  readonly name: string;
  readonly value: string;
}

/** Why a container's own settings keep credentials from it, win over them, or cannot be judged. */
export interface CredentialsWarning {
  readonly reason:
    | 'ConfiguredByPodIdentity'
    | 'IncompleteWebIdentity'
    | 'StaticAccessKey'
    | 'OtherCredentials'
    | 'EnvFromUnverified';
  /** Those that it is about, where the reason does not say so. */
  readonly variables: readonly string[];
}

/**
 * A way for a pod's containers to get AWS credentials, by variables that name files in the one mount that all modes share
 * (`token-volume.ts`). What stands here needs no role: it tells what the user wrote, and what a pod has already.
 * @typeParam Conflict what a container is denied for that sets what a mode cannot live with; `never` where a mode yields.
 * @typeParam Name tells it from the others: nothing is injected by a mode that is not one of `credentialsModes`.
 */
export interface CredentialsMode<Conflict = unknown, Name extends string = string> {
  readonly name: Name;
  /** Variables by which a container takes a role of its own choice: the boundary holds their values. In upper case. */
  readonly roleVariables: readonly string[];
  /** What a container is given for a role, in order: all of it or nothing, unless the mode says otherwise. */
  variables(roleArn: string, pod: Pod): readonly AddedVariable[];
  /** What may be added beside these, each only where the container lacks it. */
  readonly companions: readonly string[];
  /** Whether a container's variables stand as an injection puts them, of whichever role; users may write them so themselves. */
  standsAsInjected(container: Container, pod: Pod): boolean;
  /** Whether a container would be given a variable that names a file in the mount, whatever the role is. */
  isDue(container: Container, pod: Pod): boolean;
  /** Whether a container reads a file in the mount, by its own variables. */
  reads(container: Container, pod: Pod): boolean;
  /** What a container has by its own literal variables, or by what the mode wrote on its pod. */
  readHeld(container: Container, pod: Pod): HeldCredentials;
  /** What a container sets that must not stand beside this mode. */
  conflictIn(container: Container, pod: Pod): Conflict | undefined;
  /** Whether a volume of our name may hold what this mode mounts, with a token of this audience if it has one. */
  isOurs(volume: Volume, audience: string): boolean;
}

/** What a container has; undefined for nothing, and for what stands behind `valueFrom`. */
export interface HeldCredentials {
  readonly roleArn: string | undefined;
  readonly tokenFile: string | undefined;
  /** Of a container that reads the config file of chain mode. */
  readonly chain?: HeldChain;
}

/** By the config file's text, which whoever may change the pod may have changed; undefined for what it does not tell. */
export interface HeldChain {
  readonly configFile: string;
  readonly hubRoleArn: string | undefined;
  readonly externalId: string | undefined;
  /** Whether EKS Pod Identity gives the first role, in place of a hub role. */
  readonly overPodIdentity: boolean;
}

export interface ContainerCredentials {
  /** To append to `env`, behind the settings of SDKs. */
  readonly added: readonly AddedVariable[];
  /** Whether the container will read a file in the mount, by a variable that is added or by one of its own. */
  readonly readsMount: boolean;
  /** The role that it will take, given or its own; undefined for none, and for one that is not literal. */
  readonly roleArn: string | undefined;
  readonly warnings: readonly CredentialsWarning[];
}

/** What a mode gives the containers of one pod, for its role. */
export interface Credentials<Conflict = unknown, Name extends string = string> {
  readonly mode: CredentialsMode<Conflict, Name>;
  /** The role that the pod resolved to. */
  readonly roleArn: string;
  /** Of the token in the volume. */
  readonly audience: string;
  /** By the container's `AWS_` variables and whether it has `envFrom` alone: containers with none of either get the same. */
  give(container: Container): ContainerCredentials;
  /** Whether a volume of our name holds all that these credentials need, and nothing else. */
  isOurs(volume: Volume): boolean;
  /** The volume as JSON, for a pod that has none of its name. */
  volume(): unknown;
  /** For a pod of which a container reads the mount, beside `carm-webhook.dev/role-arn`. */
  readonly annotations: ReadonlyMap<PodAnnotation, string>;
}
