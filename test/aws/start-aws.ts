import type { JsonWebKeySet } from './assume-rules.ts';
import type { AwsCall } from './aws-call.ts';
import type { AwsFault } from './aws-fault.ts';
import { AwsFront } from './aws-front.ts';
import { IamAccount } from './iam-account.ts';
import { Ministack } from './ministack.ts';
import type { ServiceCredentials } from './service-credentials.ts';

/** AWS on loopback: as many accounts as are asked for, with IAM and an STS that judges as AWS does. */
export interface Aws {
  /** For AWS_ENDPOINT_URL_STS, and for every other service. */
  readonly endpoint: string;
  /** ministack itself: judges no tokens, and its calls are in no list. */
  readonly ministackUrl: string;
  /** An account, by its twelve digits. It is empty at first, and need not be created. */
  iam(accountId: string): IamAccount;
  /** Every call at `endpoint` since the start, those of IAM too, in the order in which they came. */
  calls(): readonly AwsCall[];
  /** The calls of STS since the last call of this function. */
  takeStsCalls(): readonly AwsCall[];
  /** The key set of an issuer of tokens (for a control plane: its `/openid/v1/jwks`), which AWS would fetch. */
  setIssuerKeys(issuer: string, keys: JsonWebKeySet): void;
  /** How long new sessions are good; undefined: as long as AWS says. */
  setSessionLifetime(ms: number | undefined): void;
  /** Credentials of a role that trusts a service of AWS, as that service hands them out. */
  serviceSession(roleArn: string, sessionName: string, lifetimeMs: number): Promise<ServiceCredentials>;
  /** What calls meet from now on instead of an answer; undefined ends it. */
  setFault(fault: AwsFault | undefined): void;
  stop(): Promise<void>;
}

/** A test, or a hook of one. */
interface HasAfter {
  after(run: () => Promise<void>): void;
}

/**
 * Starts it in about a second; it ends with the test that is given, or by `stop`.
 * @throws {TestbedMissing} unless `make testbed-aws` has run
 */
export async function startAws(t?: HasAfter): Promise<Aws> {
  const ministack = await Ministack.start();
  const front = new AwsFront(ministack.url);
  let taken = 0;
  const aws: Aws = {
    endpoint: await front.start(),
    ministackUrl: ministack.url,
    iam: accountId => new IamAccount(ministack.url, accountId),
    calls: () => front.calls,
    takeStsCalls: () => {
      const calls = front.calls.slice(taken).filter(({ service }) => service === 'sts');
      taken = front.calls.length;
      return calls;
    },
    setIssuerKeys: (issuer, keys) => front.setIssuerKeys(issuer, keys),
    setSessionLifetime: ms => {
      front.sessionLifetimeMs = ms;
    },
    serviceSession: (roleArn, sessionName, lifetimeMs) => front.serviceSession(roleArn, sessionName, lifetimeMs),
    setFault: fault => {
      front.fault = fault;
    },
    stop: async () => {
      await front.stop();
      await ministack.stop();
    },
  };
  t?.after(() => aws.stop());
  return aws;
}
