import { createPublicKey, type JsonWebKeyInput, type KeyObject, verify } from 'node:crypto';
import { StsError } from './sts-error.ts';

/** https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens */
export interface ServiceAccountClaims {
  readonly iss: string;
  readonly aud: readonly string[];
  readonly sub: string;
  /** Unique to each token of kube-apiserver. */
  readonly jti?: string;
  /** Seconds since the epoch, as all times of a token. */
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly 'kubernetes.io'?: {
    readonly namespace?: string;
    readonly pod?: { readonly name: string; readonly uid: string };
    readonly serviceaccount?: { readonly name: string; readonly uid: string };
  };
}

/** What an IAM OIDC identity provider knows. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html */
export interface OidcProvider {
  /** Undefined when the issuer has no key of the name that the token gives. */
  readonly key: KeyObject | undefined;
  readonly issuer: string;
  /** Its client ids. */
  readonly audiences: ReadonlySet<string>;
}

/** An error to be thrown when a stand-in is given a key that no token could be checked with. */
export class IssuerKeyError extends Error {
  override readonly name = 'IssuerKeyError';
  readonly code = 'IssuerKeyInvalid';
}

/** @throws {IssuerKeyError} for all but an RSA key (a private key gives its public one, as in `--service-account-key-file`). */
export function readIssuerKey(pemOrJwk: string | JsonWebKeyInput): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey(pemOrJwk);
  } catch (cause) {
    throw new IssuerKeyError('the key of the issuer is not a PEM key', { cause });
  }
  if (key.asymmetricKeyType !== 'rsa') {
    throw new IssuerKeyError(`the key of the issuer is of type ${key.asymmetricKeyType}, not rsa`);
  }
  return key;
}

const notAToken = 'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)';
const noKey =
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";

/** What a token says, whoever signed it. @throws {StsError} */
export function readWebIdentityClaims(token: string): ServiceAccountClaims {
  const [header = '', payload = '', , ...rest] = token.split('.');
  const claims = readClaims(payload);
  if (rest.length > 0 || claims === undefined || readPart(header) === undefined) {
    throw new StsError('InvalidIdentityToken', notAToken);
  }
  return claims;
}

/**
 * Judges a token as AWS does, in words of AWS where they are known.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
 * @throws {StsError}
 */
export function verifyWebIdentityToken(token: string, provider: OidcProvider, nowMs: number): ServiceAccountClaims {
  const claims = readWebIdentityClaims(token);
  const [header = '', payload = '', signature = ''] = token.split('.');
  if (claims.iss !== provider.issuer) {
    const message = `No OpenIDConnect provider found in your account for ${claims.iss}`;
    throw new StsError('InvalidIdentityToken', message);
  }
  // The one algorithm of an RSA key of kube-apiserver: a token must not choose another.
  const signed = Buffer.from(`${header}.${payload}`);
  if (
    provider.key === undefined ||
    readPart(header)?.['alg'] !== 'RS256' ||
    !verify('sha256', signed, provider.key, Buffer.from(signature, 'base64url'))
  ) {
    throw new StsError('InvalidIdentityToken', noKey);
  }
  const now = Math.floor(nowMs / 1000);
  if (claims.exp <= now) {
    const message = `Token expired: current date/time ${now} must be before the expiration date/time ${claims.exp}`;
    throw new StsError('ExpiredTokenException', message);
  }
  if (claims.nbf > now) {
    const message = `Token is not valid yet: current date/time ${now} must not be before ${claims.nbf}`;
    throw new StsError('InvalidIdentityToken', message);
  }
  if (!claims.aud.some(audience => provider.audiences.has(audience))) {
    throw new StsError('InvalidIdentityToken', 'Incorrect token audience');
  }
  return claims;
}

function readPart(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The claims that every token has; those of Kubernetes are as its signer wrote them. */
function readClaims(payload: string): ServiceAccountClaims | undefined {
  const claims = readPart(payload);
  if (claims === undefined) return undefined;
  const { iss, sub, aud, iat, nbf = iat, exp } = claims;
  const audiences = typeof aud === 'string' ? [aud] : aud;
  if (typeof iss !== 'string' || typeof sub !== 'string') return undefined;
  if (typeof iat !== 'number' || typeof nbf !== 'number' || typeof exp !== 'number') return undefined;
  if (!Array.isArray(audiences) || !audiences.every(each => typeof each === 'string')) return undefined;
  return { ...claims, iss, sub, aud: audiences, iat, nbf, exp };
}
