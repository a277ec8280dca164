import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';

/** As the services of AWS write credentials for a program. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html */
export interface ServiceCredentials {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly Token: string;
  readonly Expiration: string;
}

/** `lifetimeMs` is what the service says; the session itself lasts an hour. */
export async function serviceCredentials(
  ministackUrl: string,
  roleArn: string,
  sessionName: string,
  lifetimeMs: number,
): Promise<ServiceCredentials> {
  const root = { accessKeyId: roleArn.split(':')[4] ?? '', secretAccessKey: 'any' };
  const client = new STSClient({ endpoint: ministackUrl, region: 'us-east-1', credentials: root });
  const { Credentials } = await client.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName }));
  client.destroy();
  return {
    AccessKeyId: Credentials?.AccessKeyId ?? '',
    SecretAccessKey: Credentials?.SecretAccessKey ?? '',
    Token: Credentials?.SessionToken ?? '',
    Expiration: new Date(Date.now() + lifetimeMs).toISOString(),
  };
}
