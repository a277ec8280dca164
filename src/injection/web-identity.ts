import type { PodAnnotation } from '../objects/keys.ts';
import type { Pod } from '../objects/pod.ts';
import type {
  AddedVariable,
  ContainerCredentials,
  Credentials,
  CredentialsMode,
  CredentialsWarning,
} from './credentials.ts';
import type { TokenSettings } from './token-settings.ts';
import { MountedFile, tokenVolumeName } from './token-volume.ts';

/** The variables that AWS SDKs read. https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html */
export const roleArnVariable = 'AWS_ROLE_ARN';
const tokenFileVariable = 'AWS_WEB_IDENTITY_TOKEN_FILE';
const accessKeyVariable = 'AWS_ACCESS_KEY_ID';

/**
 * Set by EKS Pod Identity, to which we yield: SDKs try web identity before container credentials, so the pair would take
 * over a pod that it serves. https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
const podIdentityVariables = ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];

const tokenFile = new MountedFile('token');
const nothing: readonly AddedVariable[] = [];
const noAnnotations: ReadonlyMap<PodAnnotation, string> = new Map();

/** Web identity: the pair of a role and a token file, by which SDKs call `sts:AssumeRoleWithWebIdentity`. */
export const webIdentityMode: CredentialsMode<never, 'web-identity'> = {
  name: 'web-identity',
  roleVariables: [roleArnVariable],
  variables: (roleArn, { windows }) => [
    { name: roleArnVariable, value: roleArn },
    { name: tokenFileVariable, value: tokenFile.path(windows) },
  ],
  isDue: ({ awsVariables }, { windows }) =>
    ![tokenFileVariable, ...podIdentityVariables].some(name => awsVariables.has(name, windows)),
  reads({ awsVariables }, { windows }) {
    const path = awsVariables.literal(tokenFileVariable, windows);
    return path !== undefined && tokenFile.isAt(path, windows);
  },
  readHeld: ({ awsVariables }, { windows }) => ({
    roleArn: awsVariables.literal(roleArnVariable, windows),
    tokenFile: awsVariables.literal(tokenFileVariable, windows),
  }),
  conflictIn: () => undefined,
  /** Projected, one token of this audience at `token`. Expiration and mode may differ. */
  isOurs({ projected }, audience) {
    const token = projected?.length === 1 ? projected[0] : undefined;
    return token !== undefined && token.audience === audience && token.path === tokenFile.name;
  },
};

export interface WebIdentitySettings {
  readonly roleArn: string;
  readonly token: TokenSettings;
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
  { roleArn, token, allowsRole }: WebIdentitySettings,
): Credentials<never, 'web-identity'> {
  const { windows } = pod;
  const pair = webIdentityMode.variables(roleArn, pod);
  return {
    mode: webIdentityMode,
    roleArn,
    audience: token.audience,
    annotations: noAnnotations,
    give(container): ContainerCredentials {
      const has = (name: string) => container.awsVariables.has(name, windows);
      const hasRole = has(roleArnVariable);
      const hasTokenFile = has(tokenFileVariable);
      const yields = podIdentityVariables.some(has);
      const ownRole = hasRole ? container.awsVariables.literal(roleArnVariable, windows) : undefined;
      let added = nothing;
      if (!yields && !hasTokenFile) {
        if (!hasRole) added = pair;
        else if (ownRole !== undefined && allowsRole(ownRole)) added = pair.slice(1);
      }
      const warnings: CredentialsWarning[] = [];
      if (yields && !hasRole) warnings.push('ConfiguredByPodIdentity');
      else if (hasTokenFile && !hasRole) warnings.push('IncompleteWebIdentity');
      if (has(accessKeyVariable)) warnings.push('StaticAccessKey');
      if (container.hasEnvFrom && !hasRole && added !== pair) warnings.push('EnvFromUnverified');
      return {
        added,
        readsMount: added !== nothing || webIdentityMode.reads(container, pod),
        roleArn: ownRole ?? (added === pair ? roleArn : undefined),
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
