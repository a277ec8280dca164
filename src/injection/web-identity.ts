import type { PodAnnotation } from '../objects/keys.ts';
import type { Container, Pod } from '../objects/pod.ts';
import {
  accessKeyVariable,
  configFileVariable,
  metadataVariable,
  oldAccessKeyVariable,
  podIdentityVariables,
  profileVariables,
  roleArnVariable,
  sessionNameVariable,
  sharedCredentialsVariable,
  tokenFileVariable,
} from './credential-variables.ts';
import type {
  AddedVariable,
  ContainerCredentials,
  Credentials,
  CredentialsMode,
  CredentialsWarning,
} from './credentials.ts';
import type { TokenSettings } from './token-settings.ts';
import { configFile, tokenFile, tokenVolumeName } from './token-volume.ts';

/**
 * Run beside the pair: with an unknown profile boto3, the CLI and the SDK for Go fail, an empty one included, and credentials
 * in one of the files are what the SDK for JavaScript uses. An empty name of a file is none. A key by its old name is what the
 * SDK for Go uses.
 */
const otherCredentialsVariables = [sharedCredentialsVariable, configFileVariable, oldAccessKeyVariable];

const nothing: readonly AddedVariable[] = [];
const noAnnotations: ReadonlyMap<PodAnnotation, string> = new Map();

/** A container that reads the file of chain mode, in a pod of web identity: nobody writes that file. */
export interface ChainReader {
  readonly reason: 'CredentialConflict';
  readonly why: 'chain file';
  readonly container: Container;
}

function readsChain({ awsVariables }: Container, { windows }: Pod): boolean {
  const path = awsVariables.literal(configFileVariable, windows);
  return path !== undefined && configFile.isAt(path, windows);
}

/** Web identity: the pair of a role and a token file, by which SDKs call `sts:AssumeRoleWithWebIdentity`. */
export const webIdentityMode: CredentialsMode<ChainReader, 'web-identity'> = {
  name: 'web-identity',
  roleVariables: [roleArnVariable],
  variables: (roleArn, { windows }) => [
    { name: roleArnVariable, value: roleArn },
    { name: tokenFileVariable, value: tokenFile.path(windows) },
  ],
  companions: [sessionNameVariable, metadataVariable],
  standsAsInjected(container, pod) {
    return (
      webIdentityMode.reads(container, pod) &&
      container.awsVariables.follows(tokenFileVariable, roleArnVariable, pod.windows)
    );
  },
  /**
   * EKS Pod Identity goes before it, to which we yield: SDKs try web identity before container credentials, so the pair would
   * take over a pod that it serves. https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
   */
  isDue: (container, pod) =>
    ![tokenFileVariable, ...podIdentityVariables].some(name => container.awsVariables.has(name, pod.windows)) &&
    !readsChain(container, pod),
  reads({ awsVariables }, { windows }) {
    const path = awsVariables.literal(tokenFileVariable, windows);
    return path !== undefined && tokenFile.isAt(path, windows);
  },
  readHeld: ({ awsVariables }, { windows }) => ({
    roleArn: awsVariables.literal(roleArnVariable, windows),
    tokenFile: awsVariables.literal(tokenFileVariable, windows),
  }),
  conflictIn: (container, pod) =>
    readsChain(container, pod) ? { reason: 'CredentialConflict', why: 'chain file', container } : undefined,
  /** Projected, one token of this audience at `token`. Expiration and mode may differ. */
  isOurs({ projected }, audience) {
    const source = projected?.length === 1 ? projected[0] : undefined;
    return source?.kind === 'token' && source.token.audience === audience && source.token.path === tokenFile.name;
  },
};

export interface WebIdentitySettings {
  readonly roleArn: string;
  readonly token: TokenSettings;
  /** Of the sessions that SDKs make; undefined where they name them. */
  readonly sessionName: string | undefined;
  /** Whether SDKs are kept from the node's role, which the SDK for Java takes where STS says no. */
  readonly withoutMetadata: boolean;
  /** Whether the user may name this role in a container of their own accord. */
  readonly allowsRole: (roleArn: string) => boolean;
}

/**
 * Web identity for one pod. The pair is given whole or not at all, except for a role that users named themselves and that
 * they may have: it gains the token file. An empty value counts as present.
 * https://github.com/aws/amazon-eks-pod-identity-webhook/blob/master/pkg/handler/handler.go (addEnvToContainer)
 */
export function webIdentity(
  pod: Pod,
  { roleArn, token, sessionName, withoutMetadata, allowsRole }: WebIdentitySettings,
): Credentials<ChainReader, 'web-identity'> {
  const { windows } = pod;
  const pair = webIdentityMode.variables(roleArn, pod);
  const companions: AddedVariable[] = [];
  if (sessionName !== undefined) companions.push({ name: sessionNameVariable, value: sessionName });
  if (withoutMetadata) companions.push({ name: metadataVariable, value: 'true' });
  return {
    mode: webIdentityMode,
    roleArn,
    audience: token.audience,
    annotations: noAnnotations,
    isOurs: volume => webIdentityMode.isOurs(volume, token.audience),
    give(container): ContainerCredentials {
      const has = (name: string) => container.awsVariables.has(name, windows);
      const isFilled = (name: string) => has(name) && container.awsVariables.literal(name, windows) !== '';
      const hasRole = has(roleArnVariable);
      const hasTokenFile = has(tokenFileVariable);
      const yields = podIdentityVariables.some(has);
      const ownRole = (hasRole && container.awsVariables.literal(roleArnVariable, windows)) || undefined;
      const isDue = !yields && !hasTokenFile;
      const pairGiven = isDue && !hasRole;
      const fileGiven = isDue && ownRole !== undefined && allowsRole(ownRole);
      const readsMount = pairGiven || fileGiven || webIdentityMode.reads(container, pod);
      const warnings: CredentialsWarning[] = [];
      const warn = (reason: CredentialsWarning['reason'], variables: readonly string[] = []) => {
        warnings.push({ reason, variables });
      };
      if (yields && !hasRole) warn('ConfiguredByPodIdentity');
      else if (hasTokenFile && !hasRole) warn('IncompleteWebIdentity');
      if (readsMount && isFilled(accessKeyVariable)) warn('StaticAccessKey');
      const others = [...profileVariables.filter(has), ...otherCredentialsVariables.filter(isFilled)];
      if (readsMount && others.length > 0) warn('OtherCredentials', others);
      if (container.hasEnvFrom && !hasRole && !pairGiven) warn('EnvFromUnverified');
      return {
        added:
          pairGiven || fileGiven
            ? [...(pairGiven ? pair : pair.slice(1)), ...companions.filter(({ name }) => !has(name))]
            : nothing,
        readsMount,
        roleArn: pairGiven ? roleArn : hasTokenFile || fileGiven ? ownRole : undefined,
        warnings,
      };
    },
    /** https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken */
    volume() {
      const { audience, expirationSeconds } = token;
      const serviceAccountToken = { audience, expirationSeconds, path: tokenFile.name };
      return { name: tokenVolumeName, projected: { sources: [{ serviceAccountToken }] } };
    },
  };
}
