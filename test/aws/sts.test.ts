import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { parseRoleArn } from '../../src/accounts/role-arn.ts';
import { SessionCredentials } from '../../src/aws/session-credentials.ts';
import { Sts, type StsOptions } from '../../src/aws/sts.ts';
import type { RefusalKind } from '../../src/aws/sts-refusal.ts';
import { answers, given, refuses, type ScriptedSts, startScriptedSts } from './scripted-sts.ts';

const role = roleOf('arn:aws:iam::222222222222:role/team/app');
const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl';
const secrets = [token, ...Object.values(given)];
const sessionName = 'team-a.default';
const never = new AbortController().signal;

function roleOf(text: string) {
  const parsed = parseRoleArn(text);
  assert.ok(parsed);
  return parsed;
}

async function start(t: TestContext, options: Partial<StsOptions> = {}): Promise<[Sts, ScriptedSts]> {
  const scripted = await startScriptedSts(t);
  const sts = new Sts({ region: 'eu-central-1', endpoint: scripted.url, callLimitMs: 2_000, ...options });
  t.after(() => sts[Symbol.dispose]());
  return [sts, scripted];
}

/** What came of a web identity call, which must not hold a secret. */
async function refusedWith(sts: Sts, signal = never) {
  const result = await sts.assumeRoleWithWebIdentity({ role, token, sessionName }, signal);
  assert.ok(!result.ok);
  for (const secret of secrets) assert.ok(!JSON.stringify(result).includes(secret.slice(4, 18)), result.problem.text);
  assert.match(result.problem.text, /^[ -~]{1,400}$/);
  return result.problem;
}

describe('calls of STS', () => {
  test('a role by a token: unsigned, with the session name, for the shortest time', async t => {
    const [sts, { calls }] = await start(t);
    const session = await sts.assumeRoleWithWebIdentity({ role, token, sessionName }, never);
    assert.ok(session.ok);
    assert.deepEqual(session.value.identity, {
      accountId: '222222222222',
      arn: 'arn:aws:sts::222222222222:assumed-role/app/team-a.default',
    });
    assert.equal(session.value.expiresAt.getUTCFullYear(), 2099);
    assert.equal(calls.length, 1);
    const { Version, ...parameters } = Object.fromEntries(calls[0]?.parameters ?? []);
    assert.deepEqual(parameters, {
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: role.text,
      RoleSessionName: sessionName,
      WebIdentityToken: token,
      DurationSeconds: '900',
    });
    assert.equal(calls[0]?.headers.authorization, undefined);
  });

  test('a role by the credentials of another, and whose they are: signed with them, for the region', async t => {
    const [sts, { calls }] = await start(t);
    const credentials = new SessionCredentials(given);
    const asked = { role, sessionName, externalId: 'team-a', credentials };
    assert.ok((await sts.assumeRole(asked, never)).ok);
    assert.ok((await sts.assumeRole({ ...asked, externalId: undefined }, never)).ok);
    assert.ok((await sts.getCallerIdentity(credentials, never)).ok);
    assert.deepEqual(
      calls.map(({ parameters }) => parameters.get('ExternalId')),
      ['team-a', null, null],
    );
    for (const { headers } of calls) {
      assert.match(
        headers.authorization ?? '',
        new RegExp(`Credential=${given.accessKeyId}/\\d+/eu-central-1/sts/aws4_request`),
      );
      assert.equal(headers['x-amz-security-token'], given.sessionToken);
    }
  });

  test('the credentials show themselves to nobody who prints', () => {
    const credentials = new SessionCredentials(given);
    const printed = [
      String(credentials),
      JSON.stringify({ credentials }),
      inspect({ credentials }, { depth: 9, showHidden: true }),
    ];
    for (const text of printed) for (const secret of Object.values(given)) assert.ok(!text.includes(secret), text);
  });

  test('nothing of the environment and of files is used: no keys, profile, region, endpoint or attempts', async t => {
    const names = {
      AWS_PROFILE: 'no-such-profile',
      AWS_ACCESS_KEY_ID: 'AKIAOFTHEMACHINE0000',
      AWS_SECRET_ACCESS_KEY: 'of-the-machine',
      AWS_REGION: 'us-west-2',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1',
      AWS_MAX_ATTEMPTS: 'many',
      AWS_CONFIG_FILE: '/nonexistent/config',
      AWS_USE_FIPS_ENDPOINT: 'true',
      AWS_STS_REGIONAL_ENDPOINTS: 'legacy',
    };
    const before = Object.keys(names).map(name => [name, process.env[name]] as const);
    Object.assign(process.env, names);
    t.after(() => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    });
    const [sts, { calls }] = await start(t);
    const session = await sts.assumeRoleWithWebIdentity({ role, token, sessionName }, never);
    assert.ok(session.ok);
    assert.ok((await sts.getCallerIdentity(session.value.credentials, never)).ok);
    assert.equal(calls.length, 2);
    assert.ok(!JSON.stringify(calls.map(({ headers }) => headers)).includes('AKIAOFTHEMACHINE'));
  });
});

describe('refusals of STS', () => {
  test("AWS's code and text, once", async t => {
    const [sts, { calls, script }] = await start(t);
    script.set(
      'AssumeRoleWithWebIdentity',
      refuses('InvalidIdentityToken', 'No OpenIDConnect provider found in your account for https://oidc.example'),
    );
    assert.deepEqual(await refusedWith(sts), {
      kind: 'NoProvider',
      call: 'AssumeRoleWithWebIdentity',
      code: 'InvalidIdentityToken',
      text: 'No OpenIDConnect provider found in your account for https://oidc.example',
    });
    assert.equal(calls.length, 1);
  });

  test('throttling: three attempts, no more', async t => {
    const [sts, { calls, script }] = await start(t, { callLimitMs: 10_000 });
    script.set('AssumeRoleWithWebIdentity', refuses('Throttling', 'Rate exceeded'));
    assert.equal((await refusedWith(sts)).kind, 'Throttled');
    assert.equal(calls.length, 3);
  });

  test('an answer that repeats the token and the keys does not show them', async t => {
    const [sts, { script }] = await start(t);
    const echoed = `Value '${token}' and ${token.slice(30)} at 'webIdentityToken' failed`;
    script.set('AssumeRoleWithWebIdentity', refuses('ValidationError', echoed));
    const { text } = await refusedWith(sts);
    assert.ok(!text.includes(token.slice(30, 50)), text);
    script.set(
      'GetCallerIdentity',
      refuses('AccessDenied', `${given.sessionToken} ${given.accessKeyId} ${given.secretAccessKey}`),
    );
    const result = await sts.getCallerIdentity(new SessionCredentials(given), never);
    assert.deepEqual(!result.ok && result.problem.text, '(hidden) (hidden) (hidden)');
  });

  const oddities: Readonly<Record<string, [Parameters<ScriptedSts['script']['set']>[1], RefusalKind]>> = {
    'an empty answer': [answers(200, ''), 'Unexpected'],
    'no XML': [answers(200, 'hello <<<'), 'Unexpected'],
    'an answer that breaks off': [answers(200, '<AssumeRoleResponse><Assume\0'), 'Unexpected'],
    JSON: [answers(200, '{}'), 'Unexpected'],
    'an HTML page of a proxy': [answers(407, '<html>proxy</html>'), 'Unexpected'],
    'a server error': [answers(503, '<html>later</html>'), 'Unreachable'],
    '10 MB': [answers(200, '<a>'.padEnd(10_000_000, 'x')), 'Unexpected'],
    'no credentials': [
      answers(
        200,
        '<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult/></AssumeRoleWithWebIdentityResponse>',
      ),
      'Unexpected',
    ],
    'a reset': [response => response.destroy(), 'Unreachable'],
    'an error without an end': [refuses('AccessDenied', 'x'.repeat(60_000), 403), 'WebIdentityNotAuthorized'],
  };
  for (const [what, [respond, kind]] of Object.entries(oddities)) {
    test(`${what}: ${kind}`, async t => {
      const [sts, { script }] = await start(t);
      script.set('AssumeRoleWithWebIdentity', respond);
      assert.equal((await refusedWith(sts)).kind, kind);
    });
  }

  for (const [what, begin] of [
    ['never answers', () => {}],
    [
      'sends a byte now and then',
      (response: ServerResponse) => {
        response.writeHead(200).write('<a>');
        const timer = setInterval(() => response.write('x'), 50);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ] as const) {
    test(`an endpoint that ${what} takes no longer than the limit of a call, or than the caller waits`, async t => {
      const [sts, { script }] = await start(t, { callLimitMs: 300 });
      script.set('AssumeRoleWithWebIdentity', begin);
      const startedAt = performance.now();
      assert.deepEqual(await refusedWith(sts), {
        kind: 'Unreachable',
        call: 'AssumeRoleWithWebIdentity',
        code: undefined,
        text: 'no answer within 0.3 s',
      });
      assert.equal((await refusedWith(sts, AbortSignal.timeout(100))).text, 'ended before STS answered');
      assert.equal((await refusedWith(sts, AbortSignal.abort())).text, 'ended before STS answered');
      assert.ok(performance.now() - startedAt < 1_500);
    });
  }

  test('a closed port, a name that there is not, an endpoint without TLS', async t => {
    const [, { url }] = await start(t);
    const textAt = async (endpoint: string) => {
      const sts = new Sts({ region: 'eu-central-1', endpoint });
      const { kind, text } = await refusedWith(sts);
      assert.equal(kind, 'Unreachable');
      return text;
    };
    assert.equal(await textAt('http://127.0.0.1:1'), 'the connection was refused');
    assert.equal(await textAt(url.replace('http:', 'https:')), 'the endpoint does not speak TLS');
    assert.match(await textAt('https://sts.invalid'), /^DNS does not/);
  });

  test('without an endpoint the regional one of the partition is called', async t => {
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    t.after(() => proxy.close());
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    for (const [region, host] of [
      ['eu-central-1', 'sts.eu-central-1.amazonaws.com'],
      ['us-east-1', 'sts.us-east-1.amazonaws.com'],
      ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
      ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
      ['eusc-de-east-1', 'sts.eusc-de-east-1.amazonaws.eu'],
    ] as const) {
      using sts = new Sts({ region, callLimitMs: 5_000, proxyEnv: { HTTPS_PROXY: proxyUrl } });
      assert.equal((await refusedWith(sts)).text, 'the proxy did not open a connection');
      assert.equal(asked.at(-1), `${host}:443`);
    }
  });
});
