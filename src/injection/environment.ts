import type { Container } from '../objects/pod.ts';

/** The variables that AWS SDKs read. https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html */
export const roleArnVariable = 'AWS_ROLE_ARN';
export const tokenFileVariable = 'AWS_WEB_IDENTITY_TOKEN_FILE';
const stsRegionalVariable = 'AWS_STS_REGIONAL_ENDPOINTS';
const regionVariables = ['AWS_DEFAULT_REGION', 'AWS_REGION'] as const;
const accessKeyVariable = 'AWS_ACCESS_KEY_ID';

/** Set by EKS Pod Identity. https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html */
const containerCredentialVariables = ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];

/** What a pod's containers are to find in their environment. */
export interface WantedEnvironment {
  readonly roleArn: string;
  readonly tokenFile: string;
  readonly region: string | undefined;
  readonly regionalSts: boolean;
  readonly windows: boolean;
  /** Whether the user may name this role in a container of their own accord. */
  readonly allowsRole: (roleArn: string) => boolean;
}

export interface AddedVariable {
  readonly name: string;
  readonly value: string;
}

export type EnvironmentWarning =
  | 'ConfiguredByPodIdentity'
  | 'IncompleteWebIdentity'
  | 'StaticAccessKey'
  | 'EnvFromUnverified';

export interface EnvironmentPlan {
  readonly added: readonly AddedVariable[];
  readonly warnings: readonly EnvironmentWarning[];
}

/** Whether a container would be given the token file: it has none of its own, and EKS Pod Identity does not serve it. */
export function takesTokenFile(container: Container, windows: boolean): boolean {
  const names = [tokenFileVariable, ...containerCredentialVariables];
  return !names.some(name => container.awsVariables.has(name, windows));
}

/**
 * The variables to append to a container's `env`, in the order of amazon-eks-pod-identity-webhook, each only if absent.
 * An empty value counts as present. The pair of role and token file is given whole or not at all, except for a role that
 * the user named themselves and that they may have: it gains the token file.
 * https://github.com/aws/amazon-eks-pod-identity-webhook/blob/master/pkg/handler/handler.go (addEnvToContainer)
 */
export function planEnvironment(container: Container, wanted: WantedEnvironment): EnvironmentPlan {
  const has = (name: string) => container.awsVariables.has(name, wanted.windows);
  const added: AddedVariable[] = [];
  const warnings: EnvironmentWarning[] = [];

  if (wanted.regionalSts && !has(stsRegionalVariable)) added.push({ name: stsRegionalVariable, value: 'regional' });
  const { region } = wanted;
  if (region !== undefined && !regionVariables.some(has)) {
    added.push(...regionVariables.map(name => ({ name, value: region })));
  }

  const tokenFile = { name: tokenFileVariable, value: wanted.tokenFile };
  let suppressed = true;
  if (containerCredentialVariables.some(has)) {
    // SDKs try web identity before container credentials: the pair would take over a pod that EKS Pod Identity serves.
    if (!has(roleArnVariable)) warnings.push('ConfiguredByPodIdentity');
  } else if (!has(roleArnVariable) && !has(tokenFileVariable)) {
    added.push({ name: roleArnVariable, value: wanted.roleArn }, tokenFile);
    suppressed = false;
  } else if (!has(tokenFileVariable)) {
    const role = container.awsVariables.literal(roleArnVariable, wanted.windows);
    if (role !== undefined && wanted.allowsRole(role)) added.push(tokenFile);
  } else if (!has(roleArnVariable)) {
    warnings.push('IncompleteWebIdentity');
  }
  if (has(accessKeyVariable)) warnings.push('StaticAccessKey');
  if (suppressed && container.hasEnvFrom && !has(roleArnVariable)) warnings.push('EnvFromUnverified');
  return { added, warnings };
}
