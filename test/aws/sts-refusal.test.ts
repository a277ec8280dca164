import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refusals, renderRefusalTable } from '../../src/aws/refusals.ts';
import { type RefusalKind, refusalKindOf, refusalKinds, type StsCall } from '../../src/aws/sts-refusal.ts';

const hub = 'arn:aws:sts::111111111111:assumed-role/hub/team-a.default';
const role = 'arn:aws:iam::222222222222:role/app';
const user = `User: ${hub} is not authorized to perform: sts:AssumeRole`;
const web = 'AssumeRoleWithWebIdentity';
const chained = 'AssumeRole';

/** Call, code, message, kind: as AWS words it, and as stand-ins for AWS do. */
const rows: readonly (readonly [StsCall, string, string, RefusalKind])[] = [
  // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html and https://repost.aws/knowledge-center/iam-sts-invalididentitytoken
  [
    web,
    'InvalidIdentityToken',
    'No OpenIDConnect provider found in your account for https://oidc.example',
    'NoProvider',
  ],
  [
    web,
    'InvalidIdentityTokenException',
    'No OpenIDConnect provider found in your account for https://oidc.example',
    'NoProvider',
  ],
  [web, 'InvalidIdentityToken', 'Incorrect token audience', 'WrongAudience'],
  [
    web,
    'InvalidIdentityToken',
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
    'IssuerUnreachable',
  ],
  [
    web,
    'InvalidIdentityToken',
    "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
    'IssuerUnreachable',
  ],
  [web, 'IDPCommunicationError', 'An error occurred', 'IssuerUnreachable'],
  [
    web,
    'InvalidIdentityToken',
    'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    'InvalidToken',
  ],
  [web, 'IDPRejectedClaim', 'A claim was rejected', 'InvalidToken'],
  [
    web,
    'ExpiredTokenException',
    'Token expired: current date/time 1764151939 must be before the expiration date/time 1764148339',
    'TokenExpired',
  ],
  [web, 'ExpiredToken', 'Token expired: current date/time 1 must be before the expiration date/time 0', 'TokenExpired'],
  [web, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 'WebIdentityNotAuthorized'],
  [
    web,
    'AccessDenied',
    'Not authorized to perform sts:AssumeRoleWithWebIdentity with an explicit deny in a resource control policy',
    'DeniedByPolicy',
  ],
  [web, 'ValidationError', 'Invalid RoleArn: arn:aws:iam::222222222222:user/app', 'RoleInvalid'],
  [web, 'ValidationError', 'Request ARN is invalid', 'RoleInvalid'],
  [
    web,
    'ValidationError',
    "1 validation error detected: Value '2' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    'Unexpected',
  ],
  [chained, 'AccessDenied', `${user} on resource: ${role}`, 'AssumeRoleNotAuthorized'],
  [
    chained,
    'AccessDenied',
    `User: is not authorized to perform: sts:AssumeRole on resource: ${role}`,
    'AssumeRoleNotAuthorized',
  ],
  [
    chained,
    'AccessDenied',
    `${user} on resource: ${role} because no resource-based policy allows the sts:AssumeRole action`,
    'AssumeRoleNotAuthorized',
  ],
  [
    chained,
    'AccessDenied',
    `${user} on resource: ${role} because no identity-based policy allows the sts:AssumeRole action`,
    'NoIdentityPolicy',
  ],
  [
    chained,
    'AccessDenied',
    `${user} because no identity-based policy allows the sts:AssumeRole action`,
    'NoIdentityPolicy',
  ],
  [
    chained,
    'AccessDenied',
    `${user} on resource: ${role} with an explicit deny in an identity-based policy`,
    'DeniedByPolicy',
  ],
  [
    chained,
    'AccessDenied',
    `${user} on resource: ${role} with an explicit deny in a service control policy`,
    'DeniedByPolicy',
  ],
  [
    chained,
    'AccessDenied',
    `${user} on resource: ${role} because no service control policy allows the sts:AssumeRole action`,
    'DeniedByPolicy',
  ],
  [
    chained,
    'AccessDenied',
    `${user} on resource: ${role} because no permissions boundary allows the sts:AssumeRole action`,
    'DeniedByPolicy',
  ],
  [
    chained,
    'AccessDenied',
    `User: ${hub} is not authorized to perform: sts:TagSession on resource: ${role}`,
    'TagSession',
  ],
  [
    chained,
    'AccessDenied',
    `User: ${hub} is not authorized to perform: sts:TagSession on resource: ${role} because no identity-based policy allows the sts:TagSession action`,
    'TagSession',
  ],
  [chained, 'ExpiredToken', 'The security token included in the request is expired', 'CredentialsRejected'],
  ['GetCallerIdentity', 'ExpiredToken', 'The security token included in the request is expired', 'CredentialsRejected'],
  [
    'GetCallerIdentity',
    'InvalidClientTokenId',
    'The security token included in the request is invalid',
    'CredentialsRejected',
  ],
  [
    'GetCallerIdentity',
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided',
    'CredentialsRejected',
  ],
  ['GetCallerIdentity', 'AccessDenied', 'anything', 'Unexpected'],
  [chained, 'MissingAuthenticationToken', 'Request is missing Authentication Token', 'Unexpected'],
  [web, 'RegionDisabledException', 'STS is not activated in this region for account:222222222222.', 'RegionDisabled'],
  [chained, 'RegionDisabled', 'STS is not activated in this region', 'RegionDisabled'],
  [web, 'Throttling', 'Rate exceeded', 'Throttled'],
  [chained, 'ThrottlingException', 'Rate exceeded', 'Throttled'],
  [chained, 'RequestLimitExceeded', 'Request limit exceeded', 'Throttled'],
];

describe('the kind of a refusal', () => {
  for (const [call, code, message, kind] of rows) {
    test(`${call}: ${code}: ${message.slice(0, 90)}: ${kind}`, () => {
      assert.equal(refusalKindOf(call, { code, message, status: 400 }), kind);
    });
  }

  test('a fault of the server says nothing about the role', () => {
    assert.equal(refusalKindOf(web, { code: 'InternalFailure', message: '', status: 500 }), 'Unreachable');
    assert.equal(refusalKindOf(web, { code: 'Whatever', message: '', status: undefined }), 'Unexpected');
  });

  test('every kind that an answer can have is reached by a row', () => {
    const notAnswered: readonly RefusalKind[] = ['OtherIdentity', 'Unreachable'];
    const reached = new Set(rows.map(([, , , kind]) => kind));
    assert.deepEqual(refusalKinds.filter(kind => !reached.has(kind)).toSorted(), notAnswered.toSorted());
  });
});

describe('the catalogue of refusals', () => {
  test('each cause is a sentence, each fix goes on after "to"', () => {
    for (const [kind, { cause, fix }] of Object.entries(refusals)) {
      assert.match(cause, /^[A-Z].*\.$/, kind);
      assert.match(fix, /^[a-z].*[^.]$/, kind);
      assert.match(`${cause}${fix}`, /^[ -~]*$/, kind);
    }
  });

  test('its table has a row for each kind, of four cells', () => {
    const [, , ...table] = renderRefusalTable().split('\n');
    assert.deepEqual(
      table.map(row => /^\| `(\w+)` \|/.exec(row)?.[1]),
      [...refusalKinds],
    );
    for (const row of table) assert.equal(row.split(/(?<!\\)\|/).length, 6, row);
  });
});
