import type { AwsCall } from './aws-call.ts';
import type { ClientName } from './aws-client.ts';

/** How each SDK begins its `User-Agent`. */
const agents: Readonly<Record<ClientName, string>> = {
  boto3: 'Boto3/',
  cli: 'aws-cli/',
  js: 'aws-sdk-js/',
  go: 'aws-sdk-go-v2/',
  java: 'aws-sdk-java/',
};

/** The calls of one SDK. */
export function callsOf(calls: readonly AwsCall[], client: ClientName): readonly AwsCall[] {
  return calls.filter(({ userAgent }) => userAgent.startsWith(agents[client]));
}

/** One step to an identity. */
export interface Hop {
  readonly action: string;
  readonly roleArn?: string;
  readonly sessionName?: string;
  readonly externalId?: string;
  readonly subject?: string;
  /** Of the session that was used. */
  readonly caller?: string;
}

export function hopOf({ action, roleArn, sessionName, externalId, token, caller }: AwsCall): Hop {
  return {
    action,
    ...(roleArn === undefined ? {} : { roleArn }),
    ...(sessionName === undefined ? {} : { sessionName }),
    ...(externalId === undefined ? {} : { externalId }),
    ...(token === undefined ? {} : { subject: token.subject }),
    ...(caller === undefined ? {} : { caller }),
  };
}
