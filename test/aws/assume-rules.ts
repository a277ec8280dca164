import { StsError } from '../e2e-node/sts-error.ts';
import {
  type OidcProvider,
  readIssuerKey,
  readWebIdentityClaims,
  verifyWebIdentityToken,
} from '../e2e-node/web-identity-token.ts';

/* What AWS demands of the parameters and ministack does not. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */

const anHour = 3600;

/** @throws {StsError} */
export function checkParameters(parameters: URLSearchParams): void {
  const roleArn = parameters.get('RoleArn') ?? '';
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/[!-~]+$/.test(roleArn))
    throw new StsError('ValidationError', `${roleArn} is invalid`);
  checkText('roleSessionName', parameters.get('RoleSessionName') ?? '', /^[\w+=,.@-]{2,64}$/);
  const externalId = parameters.get('ExternalId');
  if (externalId !== null) checkText('externalId', externalId, /^[\w+=,.@:/-]{2,1224}$/);
  const duration = Number(parameters.get('DurationSeconds') ?? anHour);
  if (!(duration >= 900 && duration <= 43_200)) {
    const bound = duration < 900 ? 'greater than or equal to 900' : 'less than or equal to 43200';
    const message = `1 validation error detected: Value '${duration}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${bound}`;
    throw new StsError('ValidationError', message);
  }
}

function checkText(name: string, value: string, pattern: RegExp): void {
  if (pattern.test(value)) return;
  const message = `1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern.source}`;
  throw new StsError('ValidationError', message);
}

/** The rules of AssumeRole that depend on who calls. @throws {StsError} */
export function checkCaller(
  parameters: URLSearchParams,
  caller: { readonly isRoot: boolean; readonly isRoleSession: boolean },
): void {
  if (caller.isRoot) throw new StsError('AccessDenied', 'Roles may not be assumed by root accounts.');
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
  if (caller.isRoleSession && Number(parameters.get('DurationSeconds') ?? anHour) > anHour) {
    const message = 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining';
    throw new StsError('ValidationError', message);
  }
}

/** An issuer as an account knows it: its client ids, and what the issuer signs with. */
export interface Provider {
  readonly clientIds: ReadonlySet<string>;
  readonly keys: JsonWebKeySet;
}

/** https://www.rfc-editor.org/rfc/rfc7517#section-5 */
export interface JsonWebKeySet {
  readonly keys: readonly (Readonly<Record<string, unknown>> & { readonly kid?: string })[];
}

/**
 * Judges a token as AWS does before it looks at the role.
 * @returns the token for ministack, which compares an array of audiences as text where AWS takes the one in it.
 * @throws {StsError}
 */
export async function judgeToken(
  token: string,
  findProvider: (issuer: string) => Promise<Provider | undefined>,
  nowMs: number,
): Promise<string> {
  const { iss } = readWebIdentityClaims(token);
  const found = await findProvider(iss);
  if (found === undefined) {
    throw new StsError('InvalidIdentityToken', `No OpenIDConnect provider found in your account for ${iss}`);
  }
  const [header = '', , signature = ''] = token.split('.');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { readonly kid?: string };
  const jwk = found.keys.keys.find(key => key.kid === kid);
  const provider: OidcProvider = {
    issuer: iss,
    audiences: found.clientIds,
    key: jwk && readIssuerKey({ key: jwk, format: 'jwk' }),
  };
  const claims = verifyWebIdentityToken(token, provider, nowMs);
  if (claims.aud.length !== 1) return token;
  const payload = Buffer.from(JSON.stringify({ ...claims, aud: claims.aud[0] })).toString('base64url');
  return `${header}.${payload}.${signature}`;
}
