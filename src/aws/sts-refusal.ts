/** What AWS STS says when it does not do what it was asked, as one of a closed set of kinds. */

/** The calls that a pod's SDK makes on its way to a role. */
export type StsCall = 'AssumeRoleWithWebIdentity' | 'AssumeRole' | 'GetCallerIdentity';

export const refusalKinds = [
  'NoProvider',
  'WrongAudience',
  'TokenExpired',
  'InvalidToken',
  'IssuerUnreachable',
  'WebIdentityNotAuthorized',
  'AssumeRoleNotAuthorized',
  'NoIdentityPolicy',
  'DeniedByPolicy',
  'TagSession',
  'RoleInvalid',
  'RegionDisabled',
  'CredentialsRejected',
  'OtherIdentity',
  'Throttled',
  'Unreachable',
  'Unexpected',
] as const;

export type RefusalKind = (typeof refusalKinds)[number];

export interface StsRefusal {
  readonly kind: RefusalKind;
  readonly call: StsCall;
  /** AWS's error code, as AWS writes it; undefined where STS did not answer. */
  readonly code: string | undefined;
  /** AWS's own words, or why there are none: ASCII, bounded, without anything secret. */
  readonly text: string;
}

/** An error as STS answers it. */
export interface StsError {
  readonly code: string;
  readonly message: string;
  readonly status: number | undefined;
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html, and what SDKs take for the same. */
const throttlingCodes: ReadonlySet<string> = new Set([
  'RequestLimitExceeded',
  'RequestThrottled',
  'SlowDown',
  'Throttled',
  'Throttling',
  'TooManyRequests',
]);

/** Of signed calls: the credentials, the clock, or a region that the account of the credentials has not enabled. */
const credentialsCodes: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidSignature',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'UnrecognizedClient',
]);

/**
 * Of policies that limit what others allow: organizations' policies, permissions boundaries, session policies.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
const limitingPolicy =
  /explicit deny|no (?:service control policy|resource control policy|permissions boundary|session policy|VPC endpoint policy) allows/i;

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors */
function kindOfToken(message: string): RefusalKind {
  if (/no openidconnect provider found/i.test(message)) return 'NoProvider';
  if (/token audience/i.test(message)) return 'WrongAudience';
  return /verification key|thumbprint|certificate/i.test(message) ? 'IssuerUnreachable' : 'InvalidToken';
}

function kindOfDenied(call: StsCall, message: string): RefusalKind {
  if (call === 'GetCallerIdentity') return 'Unexpected';
  if (limitingPolicy.test(message)) return 'DeniedByPolicy';
  if (call === 'AssumeRoleWithWebIdentity') return 'WebIdentityNotAuthorized';
  if (/sts:TagSession\b/.test(message)) return 'TagSession';
  return /no identity-based policy allows/i.test(message) ? 'NoIdentityPolicy' : 'AssumeRoleNotAuthorized';
}

/** The kind of an error, by AWS's code and, where one code has several causes, by the wording. */
export function refusalKindOf(call: StsCall, { code, message, status }: StsError): RefusalKind {
  // AWS's pages write some codes with this ending, its answers without.
  const name = code.replace(/Exception$/, '');
  if (throttlingCodes.has(name)) return 'Throttled';
  if (name === 'AccessDenied') return kindOfDenied(call, message);
  if (name === 'RegionDisabled') return 'RegionDisabled';
  if (name === 'ValidationError' && /\b(?:Role)?ARN\b/i.test(message)) return 'RoleInvalid';
  if (call === 'AssumeRoleWithWebIdentity') {
    if (name === 'InvalidIdentityToken') return kindOfToken(message);
    if (name === 'ExpiredToken') return 'TokenExpired';
    if (name === 'IDPRejectedClaim') return 'InvalidToken';
    if (name === 'IDPCommunicationError') return 'IssuerUnreachable';
  } else if (credentialsCodes.has(name)) {
    return 'CredentialsRejected';
  }
  return status !== undefined && status >= 500 ? 'Unreachable' : 'Unexpected';
}
