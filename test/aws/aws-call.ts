import type { IncomingMessage } from 'node:http';
import { readWebIdentityClaims } from '../e2e-node/web-identity-token.ts';

/** One call that came to the front, and what became of it. */
export interface AwsCall {
  /** `sts` for a call that nobody signed. */
  readonly service: string;
  readonly action: string;
  readonly roleArn: string | undefined;
  readonly sessionName: string | undefined;
  readonly externalId: string | undefined;
  readonly durationSeconds: string | undefined;
  /** Whose key signed it; undefined for a call that needs no signature. */
  readonly accessKeyId: string | undefined;
  /** The session of that key: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. */
  readonly caller: string | undefined;
  /** What the web identity token says, unverified. */
  readonly token: TokenIdentity | undefined;
  readonly userAgent: string;
  readonly atMs: number;
  /** Undefined while it has no answer. */
  status: number | undefined;
  errorCode: string | undefined;
  /** The session that was given: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, and its key. */
  session: string | undefined;
  sessionKeyId: string | undefined;
}

export interface TokenIdentity {
  readonly id: string | undefined;
  readonly issuer: string;
  readonly subject: string;
}

/** `sessionOf` knows the sessions of access keys. */
export function readCall(
  request: IncomingMessage,
  parameters: URLSearchParams,
  sessionOf: (accessKeyId: string) => string | undefined,
): AwsCall {
  const { accessKeyId, service = 'sts' } = signerOf(request.headers.authorization ?? '');
  const parameter = (name: string): string | undefined => parameters.get(name) ?? undefined;
  return {
    service,
    action: parameter('Action') ?? '',
    roleArn: parameter('RoleArn'),
    sessionName: parameter('RoleSessionName'),
    externalId: parameter('ExternalId'),
    durationSeconds: parameter('DurationSeconds'),
    accessKeyId,
    caller: accessKeyId === undefined ? undefined : sessionOf(accessKeyId),
    token: tokenIdentity(parameter('WebIdentityToken')),
    userAgent: request.headers['user-agent'] ?? '',
    atMs: Date.now(),
    status: undefined,
    errorCode: undefined,
    session: undefined,
    sessionKeyId: undefined,
  };
}

/** `Credential=KEY/DATE/REGION/SERVICE/aws4_request`. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html */
function signerOf(authorization: string): { readonly accessKeyId?: string; readonly service?: string } {
  const [, accessKeyId, service] = /Credential=([^/,]+)\/\d+\/[^/,]*\/([^/,]+)\//.exec(authorization) ?? [];
  return accessKeyId === undefined || service === undefined ? {} : { accessKeyId, service };
}

function tokenIdentity(token: string | undefined): TokenIdentity | undefined {
  if (token === undefined) return undefined;
  try {
    const { iss, sub, jti } = readWebIdentityClaims(token);
    return { id: jti, issuer: iss, subject: sub };
  } catch {
    return undefined;
  }
}
