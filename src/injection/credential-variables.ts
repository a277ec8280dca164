/** The variables by which AWS SDKs find credentials. https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html */

export const roleArnVariable = 'AWS_ROLE_ARN';
export const tokenFileVariable = 'AWS_WEB_IDENTITY_TOKEN_FILE';
export const accessKeyVariable = 'AWS_ACCESS_KEY_ID';
/** An older name of it. https://github.com/aws/aws-sdk-go-v2/blob/main/config/env_config.go (credAccessEnvKeys) */
export const oldAccessKeyVariable = 'AWS_ACCESS_KEY';
export const staticKeyVariables = [
  accessKeyVariable,
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  oldAccessKeyVariable,
  'AWS_SECRET_KEY',
] as const;
export const configFileVariable = 'AWS_CONFIG_FILE';
export const sharedCredentialsVariable = 'AWS_SHARED_CREDENTIALS_FILE';
export const profileVariables = ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE'] as const;
/** Without it the SDK for Go v1 reads no config file. https://docs.aws.amazon.com/sdk-for-go/api/aws/session/ */
export const loadConfigVariable = 'AWS_SDK_LOAD_CONFIG';
/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html */
export const sessionNameVariable = 'AWS_ROLE_SESSION_NAME';
/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html */
export const metadataVariable = 'AWS_EC2_METADATA_DISABLED';

/** Set by EKS Pod Identity. https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html */
export const podIdentityVariables = [
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
] as const;
