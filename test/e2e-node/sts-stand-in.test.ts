import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import { bundleJsClient } from './clients/bundle-js-client.ts';
import { StsStandIn } from './sts-stand-in.ts';
import { TokenIssuer } from './token-issuer.ts';
import { readIssuerKey } from './web-identity-token.ts';

const roleArn = 'arn:aws:iam::111122223333:role/readers/s3-reader';
const arn = 'arn:aws:sts::111122223333:assumed-role/s3-reader/team-a-reader';
const testLimit = { timeout: 30_000 };
const clientLimitMs = 20_000;

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

interface Line {
  readonly sdk: string;
  readonly error?: string;
  readonly accessKeyId?: string;
  readonly tokenIssuedAt?: number;
}

/** The Python that has boto3: that of the system, where its packages are. */
const python = ['/usr/bin/python3', 'python3'].find(
  each =>
    spawnSync(each, ['-c', 'import sys, importlib.util as u; sys.exit(u.find_spec("boto3") is None)']).status === 0,
);

const issuer = new TokenIssuer();
const stranger = new TokenIssuer();
let folder: string;
let sts: StsStandIn;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carm-webhook-sts-'));
  const { publicKeyPem: issuerPublicKeyPem } = issuer;
  const options = { address: '127.0.0.1', port: 0, issuerPublicKeyPem, issuer: issuer.issuer, audiences: ['ours'] };
  [sts] = await Promise.all([StsStandIn.start(options), bundleJsClient(join(folder, 'identity.mjs'))]);
  writeFileSync(join(folder, 'ca.pem'), sts.caPem);
});
after(async () => {
  await sts?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** In one step, as kubelet does it. */
function writeToken(file: string, token: string): void {
  writeFileSync(`${file}.new`, token);
  chmodSync(`${file}.new`, 0o640);
  renameSync(`${file}.new`, file);
}

const clients = [
  {
    sdk: 'boto3',
    skip: python === undefined && 'no python3 with boto3 (Debian and Ubuntu: python3-boto3)',
    command: () => [python ?? '', join(import.meta.dirname, 'clients/identity.py')],
    environment: () => ({
      PYTHONPATH: join(import.meta.dirname, 'loopback'),
      PYTHONDONTWRITEBYTECODE: '1',
      AWS_CA_BUNDLE: join(folder, 'ca.pem'),
    }),
  },
  {
    sdk: 'js',
    skip: false as const,
    command: () => [
      process.execPath,
      '--import',
      join(import.meta.dirname, 'loopback/aws-names.mjs'),
      join(folder, 'identity.mjs'),
    ],
    environment: () => ({ NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') }),
  },
] as const;

describe('clients in a pod', { concurrency: 2 }, () => {
  for (const { sdk, skip, command, environment } of clients) {
    /** Starts a client with what the webhook injects, and nothing of AWS beside it. */
    const start = (tokenFile: string, ...options: readonly string[]): SupervisedProcess =>
      startWith(
        {
          AWS_ROLE_ARN: roleArn,
          AWS_ROLE_SESSION_NAME: 'team-a-reader',
          AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
        },
        ...options,
      );
    const startWith = (variables: Readonly<Record<string, string>>, ...options: readonly string[]) => {
      const nothing = Object.fromEntries(Object.keys(process.env).map(name => [name, undefined]));
      const [program = '', ...args] = command();
      return new SupervisedProcess(program, [...args, ...options], {
        cwd: folder,
        env: {
          ...nothing,
          HOME: folder,
          ...environment(),
          STS_STAND_IN_PORT: String(sts.port),
          ...variables,
          AWS_STS_REGIONAL_ENDPOINTS: 'regional',
          AWS_REGION: 'eu-central-1',
          AWS_DEFAULT_REGION: 'eu-central-1',
        },
      });
    };
    const run = async (tokenFile: string) => endOf(start(tokenFile));
    const endOf = async (client: SupervisedProcess) => {
      const [stdout = '', stderr = ''] = await Promise.all(
        [client.stdout, client.stderr].map(stream => (stream === null ? '' : text(stream))),
      );
      const end = await client.wait(clientLimitMs);
      assert.equal(stderr, '');
      return { code: end?.code, line: JSON.parse(stdout) as Line };
    };

    describe(sdk, { skip, concurrency: 2 }, () => {
      test('a good token: the role and all that its session tells', testLimit, async () => {
        const file = join(folder, `${sdk}-good`);
        const now = Math.floor(Date.now() / 1000);
        writeToken(file, issuer.token({ iat: now - 60, exp: now + 600, aud: ['ours'] }));
        const { code, line } = await run(file);
        assert.deepEqual(
          { code, line },
          {
            code: 0,
            line: {
              sdk,
              arn,
              accessKeyId: line.accessKeyId,
              uid: process.getuid?.(),
              gid: process.getgid?.(),
              tokenMode: '0640',
              tokenIssuedAt: now - 60,
              region: 'eu-central-1',
            },
          },
        );
        const session = sts.sessionOf(line.accessKeyId ?? '');
        assert.match(line.accessKeyId ?? '', /^ASIA[A-Z2-7]{16}$/);
        assert.deepEqual(session, {
          accessKeyId: line.accessKeyId,
          roleArn,
          roleSessionName: 'team-a-reader',
          arn,
          takenBy: undefined,
          externalId: undefined,
          sourceIdentity: undefined,
          audience: 'ours',
          subject: 'system:serviceaccount:team-a:reader',
          podName: 'app-1',
          podUid: '8c7b5b1e-3f0e-4f43-9c1e-6f5f2f3c9f51',
          serviceAccount: 'reader',
          tokenIssuedAt: now - 60,
          tokenExpiresAt: now + 600,
          host: 'sts.eu-central-1.amazonaws.com',
          userAgent: session?.userAgent,
          sdk,
          at: session?.at,
        });
        // One call for credentials, not one more for each use.
        assert.equal(sts.sessions.filter(each => each.sdk === sdk && each.tokenIssuedAt === now - 60).length, 1);
      });

      test('a chain from a hub role, by a config file: who took the role, and with what', testLimit, async () => {
        const file = join(folder, `${sdk}-chained`);
        writeToken(file, issuer.token({ aud: ['ours'] }));
        const config = join(folder, `${sdk}-config`);
        const lines = [
          '[profile carm-hub]',
          'role_arn = arn:aws:iam::222222222222:role/hub',
          `web_identity_token_file = ${file}`,
          'role_session_name = hub-session',
          '[default]',
          `role_arn = ${roleArn}`,
          'source_profile = carm-hub',
          'external_id = team-a/111122223333',
          'role_session_name = team-a-reader',
        ];
        writeFileSync(config, lines.map(line => `${line}\n`).join(''), { mode: 0o644 });
        const { code, line } = await endOf(startWith({ AWS_CONFIG_FILE: config, AWS_SDK_LOAD_CONFIG: '1' }));
        assert.deepEqual([code, line.error], [0, undefined]);
        assert.partialDeepStrictEqual(line, { arn, tokenMode: '0640', configMode: '0644' });
        assert.partialDeepStrictEqual(sts.sessionOf(line.accessKeyId ?? ''), {
          roleArn,
          roleSessionName: 'team-a-reader',
          externalId: 'team-a/111122223333',
          podName: 'app-1',
          tokenIssuedAt: line.tokenIssuedAt,
          takenBy: { arn: 'arn:aws:sts::222222222222:assumed-role/hub/hub-session', takenBy: undefined },
        });
      });

      test('a token for another audience: the error of STS', testLimit, async () => {
        const file = join(folder, `${sdk}-audience`);
        writeToken(file, issuer.token({ aud: ['https://kubernetes.default.svc'] }));
        const { code, line } = await run(file);
        assert.equal(code, 1);
        assert.deepEqual(Object.keys(line), ['sdk', 'error']);
        assert.match(line.error ?? '', /InvalidIdentityToken.*Incorrect token audience/);
      });

      test('again and again: each time with the token that is there, until SIGTERM', testLimit, async () => {
        const file = join(folder, `${sdk}-every`);
        const now = Math.floor(Date.now() / 1000);
        writeToken(file, issuer.token({ iat: now - 50 }));
        const client = start(file, '--every', '0.02');
        const lines: Line[] = [];
        const output = createInterface({ input: client.stdout ?? process.stdin })[Symbol.asyncIterator]();
        const next = async (isIt: (line: Line) => boolean): Promise<void> => {
          for (;;) {
            const { value, done } = await output.next();
            assert.ok(!done, `the client ended: ${JSON.stringify(lines)}`);
            lines.push(JSON.parse(value));
            if (isIt(JSON.parse(value))) return;
          }
        };
        await next(({ tokenIssuedAt }) => tokenIssuedAt === now - 50);
        await next(({ tokenIssuedAt }) => tokenIssuedAt === now - 50);
        const keys = new Set(lines.map(({ accessKeyId }) => accessKeyId));
        assert.equal(keys.size, lines.length, 'credentials that were used before');
        writeToken(file, stranger.token());
        await next(({ error }) => /InvalidIdentityToken.*verification key/.test(error ?? ''));
        writeToken(file, issuer.token({ exp: now - 1 }));
        await next(({ error }) => /ExpiredToken.*Token expired/.test(error ?? ''));
        writeToken(file, issuer.token({ iat: now - 40 }));
        await next(({ tokenIssuedAt }) => tokenIssuedAt === now - 40);
        client.signal('SIGTERM');
        assert.deepEqual(await client.wait(3000), { code: 0, signal: null });
      });
    });
  }
});

describe('the STS stand-in', () => {
  interface Answer {
    readonly status: number | undefined;
    readonly code: string | undefined;
    readonly body: string;
  }

  async function call(parameters: Readonly<Record<string, string>>, method: 'GET' | 'POST' = 'POST'): Promise<Answer> {
    const form = new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString();
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    request(
      {
        host: '127.0.0.1',
        port: sts.port,
        servername: 'sts.amazonaws.com',
        ca: sts.caPem,
        agent: false,
        method,
        path: method === 'GET' ? `/?${form}` : '/',
      },
      resolve,
    )
      .on('error', reject)
      .end(method === 'POST' ? form : undefined);
    const response = await promise;
    const body = await text(response);
    return { status: response.statusCode, code: /<Code>(.*)<\/Code>/.exec(body)?.[1], body };
  }
  const assume = (WebIdentityToken: string, parameters: Readonly<Record<string, string>> = {}) =>
    call({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: roleArn,
      RoleSessionName: 'raw-call',
      WebIdentityToken,
      ...parameters,
    });
  const soon = () => Math.floor(Date.now() / 1000) + 100;

  const refused = [
    ['no token', () => 'opaque', 'InvalidIdentityToken', /not a valid JWT/],
    ['another audience', () => issuer.token({ aud: ['sts'] }), 'InvalidIdentityToken', /Incorrect token audience/],
    ['no audience', () => issuer.token({ aud: [] }), 'InvalidIdentityToken', /Incorrect token audience/],
    ['another issuer', () => issuer.token({ iss: 'https://a.b' }), 'InvalidIdentityToken', /No OpenIDConnect provider/],
    ['a foreign signature', () => stranger.token(), 'InvalidIdentityToken', /verification key/],
    ['no signature', () => issuer.token().replace(/[^.]*$/, ''), 'InvalidIdentityToken', /verification key/],
    ['another algorithm', () => issuer.token({}, { alg: 'none' }), 'InvalidIdentityToken', /verification key/],
    ['an expired token', () => issuer.token({ exp: soon() - 100 }), 'ExpiredTokenException', /must be before/],
    ['a token of the future', () => issuer.token({ nbf: soon() }), 'InvalidIdentityToken', /not valid yet/],
  ] as const;
  for (const [what, token, code, message] of refused) {
    test(`refuses ${what}`, async () => {
      const answer = await assume(token());
      assert.deepEqual({ status: answer.status, code: answer.code }, { status: 400, code });
      assert.match(answer.body, message);
      assert.equal(sts.refusals.at(-1)?.code, code);
      assert.equal(sts.refusals.at(-1)?.roleArn, roleArn);
    });
  }

  test('refuses what STS does not take as a name, a role, a duration or an action', async () => {
    for (const [parameters, code] of [
      [{ RoleSessionName: 'a b' }, 'ValidationError'],
      [{ RoleSessionName: 'a'.repeat(65) }, 'ValidationError'],
      [{ RoleArn: 'arn:aws:iam::111122223333:user/a' }, 'ValidationError'],
      [{ DurationSeconds: '899' }, 'ValidationError'],
      [{ Action: 'AssumeRoot' }, 'InvalidAction'],
    ] as const) {
      const answer = await assume(issuer.token(), parameters);
      assert.deepEqual({ status: answer.status, code: answer.code }, { status: 400, code });
    }
  });

  test('takes a GET as well', async () => {
    const parameters = { Action: 'AssumeRoleWithWebIdentity', RoleArn: roleArn, RoleSessionName: 'by-get' };
    const { status, body } = await call({ ...parameters, WebIdentityToken: issuer.token() }, 'GET');
    assert.equal(status, 200);
    const [, accessKeyId = ''] = /<AccessKeyId>(.*)<\/AccessKeyId>/.exec(body) ?? [];
    assert.equal(sts.sessionOf(accessKeyId)?.roleSessionName, 'by-get');
    assert.equal(sts.sessions.at(-1), sts.sessionOf(accessKeyId));
  });

  test('takes no body above 64 KiB', async () => {
    assert.equal((await assume('x'.repeat(65_536))).status, 413);
  });

  test('tells nobody who is not signed for, and gives them no role', async () => {
    const chained = { Action: 'AssumeRole', RoleArn: roleArn, RoleSessionName: 'raw-call' };
    for (const parameters of [{ Action: 'GetCallerIdentity' }, chained]) {
      const { status, code } = await call(parameters);
      assert.deepEqual({ status, code }, { status: 403, code: 'MissingAuthenticationToken' });
    }
  });

  test('tells who was given a key, to whom holds all that was given', async () => {
    const region = 'eu-central-1';
    // The endpoint by its name, as the certificate and the signature have it.
    const httpsAgent = new Agent({
      ca: sts.caPem,
      lookup: (_host, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]),
    });
    const give = async (lifetimeSeconds: number): Promise<Credentials> => {
      const usual = sts.lifetimeSeconds;
      sts.lifetimeSeconds = lifetimeSeconds;
      const { body } = await assume(issuer.token());
      sts.lifetimeSeconds = usual;
      const part = (name: string) => new RegExp(`<${name}>(.*)</${name}>`).exec(body)?.[1] ?? '';
      return {
        accessKeyId: part('AccessKeyId'),
        secretAccessKey: part('SecretAccessKey'),
        sessionToken: part('SessionToken'),
      };
    };
    const send = async <Output>(
      credentials: Credentials,
      signedFor: string,
      use: (client: STSClient) => Promise<Output>,
    ) => {
      const endpoint = `https://sts.${region}.amazonaws.com:${sts.port}`;
      const client = new STSClient({
        region: signedFor,
        endpoint,
        credentials,
        maxAttempts: 1,
        requestHandler: { httpsAgent },
      });
      try {
        return await use(client).catch((error: Error) => error.name);
      } finally {
        client.destroy();
      }
    };
    const ask = (credentials: Credentials, signedFor = region) =>
      send(credentials, signedFor, client => client.send(new GetCallerIdentityCommand()));
    const chain = (credentials: Credentials, fields: object = {}) =>
      send(credentials, region, client =>
        client.send(new AssumeRoleCommand({ RoleArn: `${roleArn}-2`, RoleSessionName: 'next', ...fields })),
      );
    const given = await give(900);
    const answer = await ask(given);
    assert.ok(typeof answer === 'object');
    assert.equal(answer.Arn, 'arn:aws:sts::111122223333:assumed-role/s3-reader/raw-call');
    assert.equal(answer.Account, '111122223333');
    assert.match(answer.UserId ?? '', /^AROA[A-Z2-7]{16}:raw-call$/);
    assert.equal(await ask({ ...given, secretAccessKey: 'guessed' }), 'SignatureDoesNotMatch');
    assert.equal(await ask(given, 'us-east-1'), 'SignatureDoesNotMatch');
    assert.equal(await ask({ ...given, sessionToken: 'guessed' }), 'InvalidClientTokenId');
    assert.equal(await ask({ ...given, accessKeyId: 'ASIAIOSFODNN7EXAMPLE' }), 'InvalidClientTokenId');
    assert.equal(await ask(await give(0)), 'ExpiredToken');

    // A source identity stays with all who are taken from it.
    const first = await chain(given, { SourceIdentity: 'mallory' });
    assert.ok(typeof first === 'object');
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = first.Credentials ?? {};
    const held = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
    const second = await chain(held);
    assert.ok(typeof second === 'object');
    assert.equal(second.SourceIdentity, 'mallory');
    const session = sts.sessionOf(second.Credentials?.AccessKeyId ?? '');
    assert.equal(session?.takenBy?.takenBy?.accessKeyId, given.accessKeyId);
    assert.equal(session.sourceIdentity, 'mallory');
    assert.equal(await chain(given, { ExternalId: 'a b' }), 'ValidationError');
    assert.equal(await chain(given, { DurationSeconds: 3601 }), 'ValidationError');
    assert.equal(await chain({ ...given, secretAccessKey: 'guessed' }), 'SignatureDoesNotMatch');
  });

  test('takes no key that is not RSA', () => {
    assert.throws(() => readIssuerKey('no key'), { code: 'IssuerKeyInvalid' });
  });
});
