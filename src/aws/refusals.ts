import type { RefusalKind } from './sts-refusal.ts';

/**
 * Who can fix it: those who administer the account of the role that was asked for, or of the role that asked; the platform
 * team; whoever runs the command. `later`: nobody needs to, or nobody of ours can.
 */
export type RefusalFixedBy = 'account of the role' | 'account of the caller' | 'platform team' | 'you' | 'later';

/** What a refusal of AWS STS means, for people who have never met it. */
export interface RefusalEntry {
  /** AWS's error code, and of its text what tells it from others; as the page shows it. */
  readonly aws: string;
  /** A whole sentence. */
  readonly cause: string;
  readonly fixedBy: RefusalFixedBy;
  /** Goes on after "Ask … to", "To fix this,": lower case, no full stop. */
  readonly fix: string;
}

/** `docs/aws.md` has its table of errors from here. */
export const refusals: Readonly<Record<RefusalKind, RefusalEntry>> = {
  NoProvider: {
    aws: '`InvalidIdentityToken: No OpenIDConnect provider found in your account for …`',
    cause: "The role's account has no IAM OIDC provider for the issuer of this cluster's tokens.",
    fixedBy: 'account of the role',
    fix: 'create an IAM OIDC provider there, for exactly the issuer that AWS names and with the client id sts.amazonaws.com; or use chain mode, which needs a provider only in the account of the hub role',
  },
  WrongAudience: {
    aws: '`InvalidIdentityToken: Incorrect token audience`',
    cause: "The account's IAM OIDC provider does not list the audience of the token as a client id.",
    fixedBy: 'account of the role',
    fix: 'add the audience (sts.amazonaws.com, unless the ServiceAccount has an audience annotation) to the client ids of its OIDC provider',
  },
  TokenExpired: {
    aws: '`ExpiredTokenException: Token expired: …`',
    cause: 'The token had expired when AWS checked it. It was a new one, so a clock is wrong.',
    fixedBy: 'platform team',
    fix: 'synchronize the clocks of the control plane nodes (NTP)',
  },
  InvalidToken: {
    aws: '`InvalidIdentityToken: …`, other texts; `IDPRejectedClaim`',
    cause:
      'AWS does not accept the token: its signature does not match the keys that the issuer publishes, or a claim is missing.',
    fixedBy: 'platform team',
    fix: "check that the issuer's JWKS document holds the key that the API server signs with (it changes when a cluster is deleted and created again under the same name)",
  },
  IssuerUnreachable: {
    aws: "`InvalidIdentityToken: Couldn't retrieve verification key from your identity provider …`; `IDPCommunicationError`",
    cause: "AWS cannot fetch the issuer's public keys.",
    fixedBy: 'platform team',
    fix: 'make ISSUER/.well-known/openid-configuration and its jwks_uri readable from the internet, with a certificate that matches a thumbprint of the OIDC provider',
  },
  WebIdentityNotAuthorized: {
    aws: '`AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity`',
    cause:
      'The role does not exist, or its trust policy does not let this ServiceAccount in: another principal than the OIDC provider, another `aud`, another `sub`.',
    fixedBy: 'account of the role',
    fix: "create the role, or correct its trust policy: principal the account's OIDC provider, aud and sub exactly as the token has them. A role that trusts only another role needs chain mode",
  },
  AssumeRoleNotAuthorized: {
    aws: '`AccessDenied: User: … is not authorized to perform: sts:AssumeRole on resource: …`',
    cause:
      'The role does not exist, its trust policy does not name the role that calls, or it expects another external id than the pod sends (or one where the pod sends none).',
    fixedBy: 'account of the role',
    fix: 'create the role, or correct its trust policy: principal the hub role, and the external id that the pod sends (verify shows it)',
  },
  NoIdentityPolicy: {
    aws: '`AccessDenied: … because no identity-based policy allows the sts:AssumeRole action`',
    cause: 'The role that calls has no permission to assume this role.',
    fixedBy: 'account of the caller',
    fix: 'allow sts:AssumeRole on exactly this role in a policy of the hub role',
  },
  DeniedByPolicy: {
    aws: '`AccessDenied: … with an explicit deny in …`; `… because no service control policy allows …`; the same of permissions boundaries and resource control policies',
    cause:
      "A policy forbids the call, whatever others allow: one of the organization, a permissions boundary, or a Deny in a role's own policies.",
    fixedBy: 'account of the caller',
    fix: 'find the policy that AWS names and make an exception for this role',
  },
  TagSession: {
    aws: '`AccessDenied: … is not authorized to perform: sts:TagSession on resource: …`',
    cause: 'The session carries tags, and one of the two sides does not allow sts:TagSession.',
    fixedBy: 'account of the role',
    fix: "add sts:TagSession beside sts:AssumeRole to the role's trust policy, and have the account of the hub role add it to the hub's own policy; or turn session tags off",
  },
  RoleInvalid: {
    aws: '`ValidationError: Invalid RoleArn …`; `Request ARN is invalid`',
    cause: 'AWS does not accept the ARN as that of a role.',
    fixedBy: 'platform team',
    fix: 'correct the ARN where it comes from',
  },
  RegionDisabled: {
    aws: '`RegionDisabledException`',
    cause: "The role's account has AWS STS turned off in this region.",
    fixedBy: 'account of the role',
    fix: 'enable the region for the account; or have your platform team set another region with the annotation services.k8s.aws/default-region',
  },
  CredentialsRejected: {
    aws: '`InvalidClientTokenId`, `SignatureDoesNotMatch`, `ExpiredToken` of a signed call',
    cause:
      'AWS gave credentials, but does not accept them in the next call: the clock here is wrong, or the account of the credentials has not enabled the region.',
    fixedBy: 'you',
    fix: 'check the clock of this machine, and that the region is enabled in the account of the role that calls',
  },
  OtherIdentity: {
    aws: 'GetCallerIdentity answers with another account or role',
    cause: 'The credentials are not those of the role that was asked for.',
    fixedBy: 'you',
    fix: 'check which endpoint answers: AWS_ENDPOINT_URL_STS, a proxy, or the DNS of this machine',
  },
  Throttled: {
    aws: '`Throttling: Rate exceeded`',
    cause: 'The account calls AWS STS more often than AWS allows.',
    fixedBy: 'later',
    fix: 'try again in a minute',
  },
  Unreachable: {
    aws: 'no answer: DNS, connection, TLS, time limit; or an answer with status 5xx',
    cause: 'AWS STS did not answer this machine. This says nothing about the role.',
    fixedBy: 'you',
    fix: 'check that the endpoint can be reached from here (DNS, firewall, HTTPS_PROXY; NODE_EXTRA_CA_CERTS for a proxy with a CA of its own), and try again',
  },
  Unexpected: {
    aws: 'anything else',
    cause: 'AWS STS answered with something that carm-webhook does not know.',
    fixedBy: 'later',
    fix: "read AWS's text; if it is not from AWS, check which endpoint answers",
  },
};

const fixers: Readonly<Record<RefusalFixedBy, string>> = {
  'account of the role': "administrators of the role's account",
  'account of the caller': 'administrators of the account of the role that makes the call',
  'platform team': 'your platform team',
  you: 'whoever runs the command',
  later: '',
};

/** The rows of a Markdown table of all refusals. */
export function renderRefusalTable(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = Object.entries(refusals).map(([kind, { aws, cause, fixedBy, fix }]) => {
    const who = fixers[fixedBy] === '' ? '' : ` (${fixers[fixedBy]})`;
    return `| \`${kind}\` | ${cell(aws)} | ${cell(cause)} | ${cell(fix[0]?.toUpperCase() + fix.slice(1))}${who} |`;
  });
  return ['| kind | AWS says | what it means | what to do |', '|---|---|---|---|', ...rows].join('\n');
}
