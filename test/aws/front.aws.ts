import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { TokenIssuer } from '../e2e-node/token-issuer.ts';
import { assumePolicy, roleTrust, webIdentityTrust } from './iam-account.ts';
import { type Aws, startAws } from './start-aws.ts';

/*
 * The rows of real AWS's answers: what ministack and the front give together.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
 */

const hubAccount = '111111111111';
const targetAccount = '222222222222';
const emptyAccount = '333333333333';
const subject = 'system:serviceaccount:team-a:reader';
const now = (): number => Math.floor(Date.now() / 1000);

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

describe('AWS on loopback', () => {
  const issuer = new TokenIssuer();
  const stranger = new TokenIssuer();
  let aws: Aws;
  let web: string;
  let hub: string;
  let chained: string;
  let withId: string;

  before(
    async () => {
      aws = await startAws();
      aws.setIssuerKeys(issuer.issuer, issuer.keySet);
      const inHub = aws.iam(hubAccount);
      const inTarget = aws.iam(targetAccount);
      const absent = inTarget.roleArn('absent');
      await inHub.createOidcProvider(issuer.issuer);
      await inTarget.createOidcProvider(issuer.issuer);
      chained = inTarget.roleArn('chained');
      withId = inTarget.roleArn('with-id', '/teams/');
      const unlisted = { name: 'unlisted', trust: roleTrust(inHub.roleArn('hub')) };
      hub = await inHub.createRole({
        name: 'hub',
        trust: webIdentityTrust(inHub, issuer.issuer, [subject]),
        policy: assumePolicy([chained, withId, inTarget.roleArn('stranger'), absent]),
      });
      web = await inTarget.createRole({ name: 'web', trust: webIdentityTrust(inTarget, issuer.issuer, [subject]) });
      await inTarget.createRole({ name: 'chained', trust: roleTrust(hub) });
      await inTarget.createRole({ name: 'with-id', path: '/teams/', trust: roleTrust(hub, 'id-1') });
      await inTarget.createRole({ name: 'stranger', trust: roleTrust(inHub.roleArn('other')) });
      await inTarget.createRole(unlisted);
      await inTarget.createRole({ name: 'of-hub', trust: webIdentityTrust(inHub, issuer.issuer, [subject]) });
      const empty = aws.iam(emptyAccount);
      await empty.createRole({ name: 'web', trust: webIdentityTrust(empty, issuer.issuer, [subject]) });
    },
    { timeout: 60_000 },
  );
  after(() => aws?.stop());

  /** The caller's identity: of nobody, of a session, or of an account's root. */
  function sts(credentials: Keys = { accessKeyId: 'none', secretAccessKey: 'none' }): STSClient {
    return new STSClient({ endpoint: aws.endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 });
  }

  async function takeByToken(RoleArn: string, WebIdentityToken: string, rest: object = {}): Promise<Keys> {
    const input = { RoleArn, WebIdentityToken, RoleSessionName: 'team-a.reader', ...rest };
    return keysOf((await sts().send(new AssumeRoleWithWebIdentityCommand(input))).Credentials);
  }

  async function takeByRole(keys: Keys, RoleArn: string, rest: object = {}): Promise<Keys> {
    const input = { RoleArn, RoleSessionName: 'team-a.reader', ...rest };
    return keysOf((await sts(keys).send(new AssumeRoleCommand(input))).Credentials);
  }

  async function identityOf(keys: Keys): Promise<string | undefined> {
    return (await sts(keys).send(new GetCallerIdentityCommand())).Arn;
  }

  describe('with a token', () => {
    for (const [what, aud] of [
      ['an audience', 'sts.amazonaws.com'],
      ['a list of one audience, as Kubernetes writes it', ['sts.amazonaws.com']],
    ] as const) {
      test(`that has ${what}: the role`, async () => {
        const keys = await takeByToken(web, issuer.token({ aud: aud as readonly string[] }));
        assert.equal(await identityOf(keys), `arn:aws:sts::${targetAccount}:assumed-role/web/team-a.reader`);
      });
    }

    const denied = [
      ['with a wrong audience', { aud: ['other'] }, 'InvalidIdentityToken', /^Incorrect token audience$/],
      [
        'with a wrong subject',
        { sub: `${subject}-evil` },
        'AccessDenied',
        /^Not authorized to perform sts:AssumeRoleWithWebIdentity$/,
      ],
      [
        'of an issuer that the account does not know',
        { iss: 'https://other' },
        'InvalidIdentityToken',
        /^No OpenIDConnect provider found in your account for https:\/\/other$/,
      ],
      [
        'that has expired',
        { exp: now() - 60 },
        'ExpiredTokenException',
        /^Token expired: current date\/time \d+ must be before the expiration/,
      ],
      ['that is not valid yet', { nbf: now() + 3600 }, 'InvalidIdentityToken', /^Token is not valid yet/],
      ['without an end', { exp: undefined as unknown as number }, 'InvalidIdentityToken', /not a valid JWT/],
    ] as const;
    for (const [what, claims, name, message] of denied) {
      test(`${what}: ${name}`, async () => {
        await assert.rejects(takeByToken(web, issuer.token(claims)), refusal(name, message));
      });
    }

    test('that another key signed: InvalidIdentityToken', async () => {
      await assert.rejects(takeByToken(web, stranger.token()), refusal('InvalidIdentityToken', /verification key/));
      await assert.rejects(
        takeByToken(web, issuer.token({}, { kid: 'unknown' })),
        refusal('InvalidIdentityToken', /verification key/),
      );
    });

    test('that is none: InvalidIdentityToken', async () => {
      await assert.rejects(takeByToken(web, 'garbage'), refusal('InvalidIdentityToken', /not a valid JWT/));
    });

    test('an account without the provider: InvalidIdentityToken', async () => {
      const none = refusal('InvalidIdentityToken', /^No OpenIDConnect provider found in your account for https:/);
      await assert.rejects(takeByToken(aws.iam(emptyAccount).roleArn('web'), issuer.token()), none);
    });

    test('an account whose provider has another client id: InvalidIdentityToken', async () => {
      const account = aws.iam('444444444444');
      await account.createOidcProvider(issuer.issuer, ['other']);
      const role = await account.createRole({
        name: 'web',
        trust: webIdentityTrust(account, issuer.issuer, [subject]),
      });
      await assert.rejects(
        takeByToken(role, issuer.token()),
        refusal('InvalidIdentityToken', /^Incorrect token audience$/),
      );
    });

    for (const [what, role] of [
      ['a role that is absent', 'absent'],
      ['a role that trusts only a role', 'chained'],
      ["a role that trusts another account's provider", 'of-hub'],
      ['a role whose path the ARN lacks', 'with-id'],
    ] as const) {
      test(`${what}: AccessDenied`, async () => {
        const message = /^Not authorized to perform sts:AssumeRoleWithWebIdentity$/;
        const role_ = aws.iam(targetAccount).roleArn(role);
        await assert.rejects(takeByToken(role_, issuer.token()), refusal('AccessDenied', message));
      });
    }

    test('no role, a short time, a bad session name: ValidationError', async () => {
      for (const [role, rest] of [
        [`arn:aws:iam::${targetAccount}:user/web`, {}],
        [web, { DurationSeconds: 2 }],
        [web, { DurationSeconds: 43_201 }],
        [web, { RoleSessionName: 'a:b' }],
        [web, { RoleSessionName: 'x'.repeat(65) }],
      ] as const) {
        await assert.rejects(takeByToken(role, issuer.token(), rest), refusal('ValidationError', /./));
      }
    });
  });

  describe('from role to role', () => {
    let hubKeys: Keys;
    const caller = `arn:aws:sts::${hubAccount}:assumed-role/hub/team-a.reader`;

    before(async () => {
      hubKeys = await takeByToken(hub, issuer.token());
    });

    test('without and with an external id: the role', async () => {
      for (const [role, id, arn] of [
        [chained, undefined, 'chained'],
        [chained, 'not-wanted', 'chained'],
        [withId, 'id-1', 'with-id'],
      ] as const) {
        const keys = await takeByRole(hubKeys, role, { ExternalId: id });
        assert.equal(await identityOf(keys), `arn:aws:sts::${targetAccount}:assumed-role/${arn}/team-a.reader`);
      }
    });

    for (const [what, role, rest, why] of [
      ['a wrong external id', 'teams/with-id', { ExternalId: 'id-2' }, ''],
      ['no external id', 'teams/with-id', {}, ''],
      ['a role that does not trust it', 'stranger', {}, ''],
      ['a role that is absent', 'absent', {}, ''],
      [
        'a role that its own policy lacks',
        'unlisted',
        {},
        ' because no identity-based policy allows the sts:AssumeRole action',
      ],
    ] as const) {
      test(`${what}: AccessDenied, with the caller and the role`, async () => {
        const arn = `arn:aws:iam::${targetAccount}:role/${role}`;
        await assert.rejects(takeByRole(hubKeys, arn, rest), {
          name: 'AccessDenied',
          message: `User: ${caller} is not authorized to perform: sts:AssumeRole on resource: ${arn}${why}`,
        });
      });
    }

    test('session tags that the role does not trust: AccessDenied, about the tags', async () => {
      const tagged = takeByRole(hubKeys, chained, { Tags: [{ Key: 'team', Value: 'a' }] });
      await assert.rejects(
        tagged,
        refusal('AccessDenied', /not authorized to perform: sts:TagSession on resource: arn/),
      );
    });

    test('more than an hour, a bad name or external id: ValidationError', async () => {
      for (const rest of [
        { DurationSeconds: 3601 },
        { DurationSeconds: 2 },
        { RoleSessionName: 'a:b' },
        { ExternalId: 'a b' },
        { ExternalId: 'x'.repeat(1225) },
      ]) {
        await assert.rejects(takeByRole(hubKeys, chained, rest), refusal('ValidationError', /./));
      }
    });

    test("an account's root: AccessDenied", async () => {
      const root = { accessKeyId: hubAccount, secretAccessKey: 'any' };
      await assert.rejects(takeByRole(root, chained), refusal('AccessDenied', /^Roles may not be assumed by root/));
    });

    test('keys that nobody was given: InvalidClientTokenId', async () => {
      const unknown = { accessKeyId: 'ASIAUNKNOWNUNKNOWN00', secretAccessKey: 'x', sessionToken: 'y' };
      await assert.rejects(takeByRole(unknown, chained), refusal('InvalidClientTokenId', /./));
      await assert.rejects(identityOf({ ...hubKeys, secretAccessKey: 'x' }), refusal('SignatureDoesNotMatch', /./));
    });
  });

  test('a session that was made short ends', async () => {
    aws.setSessionLifetime(100);
    const keys = await takeByToken(hub, issuer.token());
    aws.setSessionLifetime(undefined);
    await new Promise(resolve => setTimeout(resolve, 110));
    const ended = refusal('ExpiredToken', /^The security token included in the request is expired$/);
    await assert.rejects(identityOf(keys), ended);
    await assert.rejects(takeByRole(keys, chained), ended);
  });

  test('what was called is told', async () => {
    aws.takeStsCalls();
    const keys = await takeByToken(hub, issuer.token());
    await takeByRole(keys, withId, { ExternalId: 'id-1' });
    await assert.rejects(takeByRole(keys, withId, { ExternalId: 'id-2' }));
    const hubSession = `arn:aws:sts::${hubAccount}:assumed-role/hub/team-a.reader`;
    const [first, second, third, ...rest] = aws.takeStsCalls();
    assert.partialDeepStrictEqual(first, {
      service: 'sts',
      action: 'AssumeRoleWithWebIdentity',
      roleArn: hub,
      sessionName: 'team-a.reader',
      accessKeyId: undefined,
      token: { issuer: issuer.issuer, subject },
      status: 200,
      session: hubSession,
      sessionKeyId: keys.accessKeyId,
    });
    assert.partialDeepStrictEqual(second, {
      action: 'AssumeRole',
      roleArn: withId,
      externalId: 'id-1',
      accessKeyId: keys.accessKeyId,
      caller: hubSession,
      status: 200,
      session: `arn:aws:sts::${targetAccount}:assumed-role/with-id/team-a.reader`,
    });
    assert.partialDeepStrictEqual(third, {
      externalId: 'id-2',
      status: 403,
      errorCode: 'AccessDenied',
      session: undefined,
    });
    assert.deepEqual(rest, []);
  });

  for (const [kind, expected] of [
    ['throttled', { name: 'Throttling', message: 'Rate exceeded' }],
    ['server-error', /./],
    ['garbage', /./],
    ['reset', { code: 'ECONNRESET' }],
  ] as const) {
    test(`it can be told to answer with ${kind}, to some calls`, async () => {
      aws.setFault({ kind, matches: ({ roleArn }) => roleArn === web });
      try {
        await assert.rejects(takeByToken(web, issuer.token()), expected);
        await takeByToken(hub, issuer.token());
      } finally {
        aws.setFault(undefined);
      }
      await takeByToken(web, issuer.token());
    });
  }

  test('it can be told to hang', async () => {
    aws.setFault({ kind: 'hang' });
    const input = { RoleArn: web, WebIdentityToken: issuer.token(), RoleSessionName: 'app' };
    const call = sts().send(new AssumeRoleWithWebIdentityCommand(input), { abortSignal: AbortSignal.timeout(200) });
    try {
      await assert.rejects(call, { name: 'AbortError' });
    } finally {
      aws.setFault(undefined);
    }
  });
});

function keysOf(
  given: {
    AccessKeyId?: string | undefined;
    SecretAccessKey?: string | undefined;
    SessionToken?: string | undefined;
  } = {},
): Keys {
  const {
    AccessKeyId: accessKeyId = '',
    SecretAccessKey: secretAccessKey = '',
    SessionToken: sessionToken = '',
  } = given;
  return { accessKeyId, secretAccessKey, sessionToken };
}

/** The SDK gives some of AWS's codes another name with `Exception` at its end. */
function refusal(code: string, message: RegExp): (error: unknown) => boolean {
  return error => {
    assert.ok(error instanceof Error);
    assert.equal(error.name.replace(/Exception$/, ''), code.replace(/Exception$/, ''));
    assert.match(error.message, message);
    return true;
  };
}
