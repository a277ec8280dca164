import { parseGoBool } from '../accounts/feature-gates.ts';
import { awsConfigAnnotation, type PodAnnotation } from '../objects/keys.ts';
import type { Container, Pod, ServiceAccountToken, Volume } from '../objects/pod.ts';
import { type AwsConfig, readAwsConfig, writeAwsConfig } from './aws-config.ts';
import {
  configFileVariable,
  loadConfigVariable,
  metadataVariable,
  podIdentityVariables,
  profileVariables,
  roleArnVariable,
  sharedCredentialsVariable,
  staticKeyVariables,
  tokenFileVariable,
} from './credential-variables.ts';
import type {
  AddedVariable,
  ContainerCredentials,
  Credentials,
  CredentialsMode,
  CredentialsWarning,
  HeldCredentials,
} from './credentials.ts';
import type { TokenSettings } from './token-settings.ts';
import { configFile, tokenFile, tokenVolumeName } from './token-volume.ts';

/** https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#downwardapi-fieldRef */
const configFieldPath = `metadata.annotations['${awsConfigAnnotation}']`;

const nothing: readonly AddedVariable[] = [];
const noWarnings: readonly CredentialsWarning[] = [];
const noAnnotations: ReadonlyMap<PodAnnotation, string> = new Map();

/** A container's own variables by which some or all SDKs would pass the chain by. */
export interface VariablesConflict {
  readonly reason: 'CredentialConflict';
  readonly why: 'variables';
  readonly container: Container;
  readonly variables: readonly string[];
}

/** The sources of a volume that delivers a config file; undefined for any other volume. */
function readChainVolume({ name, projected }: Volume): { readonly token: ServiceAccountToken | undefined } | undefined {
  if (name !== tokenVolumeName || projected === undefined || projected.length > 2) return undefined;
  let delivers = false;
  let token: ServiceAccountToken | undefined;
  for (const source of projected) {
    if (source?.kind === 'token' && token === undefined && source.token.path === tokenFile.name) token = source.token;
    else if (
      source?.kind === 'field' &&
      !delivers &&
      source.file.path === configFile.name &&
      source.file.fieldPath === configFieldPath
    ) {
      delivers = true;
    } else return undefined;
  }
  return delivers ? { token } : undefined;
}

/** Whether a volume is the one of chain mode, by which containers get their config file. */
export function isChainVolume(volume: Volume): boolean {
  return readChainVolume(volume) !== undefined;
}

/** The config that a pod's containers can read by the volume of chain mode; undefined for none, and for a text of someone else. */
export function deliveredConfig({ volumes, annotations, windows }: Pod): AwsConfig | undefined {
  const text = annotations.get(awsConfigAnnotation);
  if (!text || !volumes?.some(isChainVolume)) return undefined;
  return readAwsConfig(text, windows);
}

/** Whether EKS Pod Identity gives a container credentials. */
export function servedByPodIdentity({ awsVariables }: Container, { windows }: Pod): boolean {
  return podIdentityVariables.some(name => awsVariables.has(name, windows));
}

/**
 * Names of variables that a container must not have beside the config file, as far as it has them. Run with six SDKs: static keys
 * win in all of them, the pair in two, and a profile that the file does not have makes them fail, or take the node's role. An
 * empty key, and an empty name of a credentials file, are none; an empty name of a config file keeps ours out.
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html#credentialProviderChain
 */
function conflictingVariables({ awsVariables }: Container, { windows }: Pod): readonly string[] {
  const has = (name: string) => awsVariables.has(name, windows);
  const isFilled = (name: string) => has(name) && awsVariables.literal(name, windows) !== '';
  const config = awsVariables.literal(configFileVariable, windows);
  const isOther = has(configFileVariable) && !(config !== undefined && configFile.isAt(config, windows));
  const loads = awsVariables.literal(loadConfigVariable, windows);
  return [
    ...[roleArnVariable, tokenFileVariable, ...profileVariables].filter(has),
    ...(isOther ? [configFileVariable] : []),
    ...(loads !== undefined && parseGoBool(loads) !== true ? [loadConfigVariable] : []),
    ...[sharedCredentialsVariable, ...staticKeyVariables].filter(isFilled),
  ];
}

/** Chain: a config file by which SDKs take a hub role first, and by it the pod's role with `sts:AssumeRole`. */
export const chainMode: CredentialsMode<VariablesConflict, 'chain'> = {
  name: 'chain',
  /** The role stands in the file. One in a variable does not go with it. */
  roleVariables: [],
  variables: (_, { windows }) => [
    { name: configFileVariable, value: configFile.path(windows) },
    { name: loadConfigVariable, value: '1' },
  ],
  companions: [metadataVariable],
  standsAsInjected(container, pod) {
    return (
      chainMode.reads(container, pod) &&
      container.awsVariables.follows(loadConfigVariable, configFileVariable, pod.windows)
    );
  },
  isDue: ({ awsVariables }, { windows }) =>
    ![configFileVariable, tokenFileVariable, ...podIdentityVariables].some(name => awsVariables.has(name, windows)),
  reads({ awsVariables }, { windows }) {
    const path = awsVariables.literal(configFileVariable, windows);
    return path !== undefined && configFile.isAt(path, windows);
  },
  readHeld(container, pod): HeldCredentials {
    if (!chainMode.reads(container, pod)) return { roleArn: undefined, tokenFile: undefined };
    const config = deliveredConfig(pod);
    return {
      roleArn: config?.role.text,
      tokenFile: undefined,
      chain: {
        configFile: container.awsVariables.literal(configFileVariable, pod.windows) ?? '',
        hubRoleArn: config?.hub?.text,
        externalId: config?.externalId,
        overPodIdentity: config !== undefined && config.hub === undefined,
      },
    };
  },
  conflictIn(container, pod) {
    const variables = conflictingVariables(container, pod);
    return variables.length === 0
      ? undefined
      : { reason: 'CredentialConflict', why: 'variables', container, variables };
  },
  isOurs(volume, audience) {
    const sources = readChainVolume(volume);
    return sources !== undefined && (sources.token === undefined || sources.token.audience === audience);
  },
};

export interface ChainSettings {
  readonly config: AwsConfig;
  readonly token: TokenSettings;
  /** Whether SDKs are kept from the node's role, which all of them take where the file is empty or missing. */
  readonly withoutMetadata: boolean;
}

/** What every container is given; without a conflict it can only have a part of it. */
function giveFile(pod: Pod, roleArn: string, withoutMetadata: boolean): Credentials['give'] {
  const variables = chainMode.variables(roleArn, pod);
  const companions = withoutMetadata ? [{ name: metadataVariable, value: 'true' }] : [];
  return ({ awsVariables }): ContainerCredentials => {
    const isMissing = ({ name }: AddedVariable) => !awsVariables.has(name, pod.windows);
    const missing = variables.filter(isMissing);
    const added = missing.length === 0 ? nothing : [...missing, ...companions.filter(isMissing)];
    return { added, readsMount: true, roleArn, warnings: noWarnings };
  };
}

/** The chain for one pod, at its creation. */
export function chain(
  pod: Pod,
  { config, token, withoutMetadata }: ChainSettings,
): Credentials<VariablesConflict, 'chain'> {
  const { audience, expirationSeconds } = token;
  const needsToken = config.hub !== undefined;
  return {
    mode: chainMode,
    roleArn: config.role.text,
    audience,
    annotations: new Map([[awsConfigAnnotation, writeAwsConfig(config, pod.windows)]]),
    give: giveFile(pod, config.role.text, withoutMetadata),
    isOurs(volume) {
      const sources = readChainVolume(volume);
      return sources !== undefined && (sources.token?.audience === audience || (!needsToken && !sources.token));
    },
    volume() {
      const serviceAccountToken = { audience, expirationSeconds, path: tokenFile.name };
      const items = [{ path: configFile.name, fieldRef: { fieldPath: configFieldPath } }];
      const sources = [...(needsToken ? [{ serviceAccountToken }] : []), { downwardAPI: { items } }];
      return { name: tokenVolumeName, projected: { sources } };
    },
  };
}

/**
 * The chain for a container that joins a running pod: by the config that the pod has, whatever is due today. Its volume and its
 * annotations cannot change with it.
 */
export function chainAsDelivered(
  pod: Pod,
  { config, token, withoutMetadata }: ChainSettings,
): Credentials<VariablesConflict, 'chain'> {
  return {
    ...chain(pod, { config, token, withoutMetadata }),
    annotations: noAnnotations,
    isOurs(volume) {
      const sources = readChainVolume(volume);
      return sources !== undefined && (config.hub === undefined || sources.token !== undefined);
    },
  };
}
