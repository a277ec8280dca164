import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { builtBundle } from '../../built-bundle.ts';
import { pod } from '../../decisions/manifests.ts';
import { reviewBody } from '../../decisions/review.ts';
import { StsError } from '../../e2e-node/sts-error.ts';
import { LoopbackServer } from '../../loopback-server.ts';
import { send } from '../../server/running-server.ts';
import { runCommand } from '../command-runs.ts';
import { VerifiedCluster, type WrittenEvent } from './verified-cluster.ts';

/** The built server with --verify-roles, beside an API server and an STS that answers for each role in its own way. */

/** Namespaces, each named after what STS does for its role, with the account of that role. */
const accounts = new Map(
  [
    'answers',
    'denied',
    'no-provider',
    'other-audience',
    'expired',
    'throttled',
    'garbage',
    'broken',
    'other-account',
    'hangs',
  ].map((name, index) => [name, `${100_000_000_000 + index}`]),
);
const accountOf = (name: string): string => accounts.get(name) ?? '';

const refusals: Readonly<Record<string, StsError>> = {
  denied: new StsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity'),
  'no-provider': new StsError(
    'InvalidIdentityToken',
    'No OpenIDConnect provider found in your account for https://issuer',
  ),
  'other-audience': new StsError('InvalidIdentityToken', 'Incorrect token audience'),
  expired: new StsError('ExpiredTokenException', 'Token expired: current date/time 2 must be before 1'),
  throttled: new StsError('Throttling', 'Rate exceeded'),
};

function sessionXml(arn: string): string {
  return `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>
<AssumedRoleUser><Arn>${arn}</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret-of-sts</SecretAccessKey>
<SessionToken>session-of-sts</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
}

function answer(response: ServerResponse, account: string, role: string): void {
  const xml = (status: number, body: string) => response.writeHead(status, { 'Content-Type': 'text/xml' }).end(body);
  const refusal = refusals[role];
  if (refusal !== undefined) xml(refusal.status, refusal.xml('1'));
  else if (role === 'answers') xml(200, sessionXml(`arn:aws:sts::${account}:assumed-role/answers/s`));
  else if (role === 'other-account') xml(200, sessionXml('arn:aws:sts::999999999999:assumed-role/other-account/s'));
  else if (role === 'garbage') xml(200, '<html>welcome');
  else if (role === 'broken') response.writeHead(500).end('no');
  // The rest hangs.
}

const tokenPart = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
const token = `${tokenPart({ alg: 'none' })}.${tokenPart({ aud: ['sts.amazonaws.com'] })}.c2lnbmF0dXJl`;

interface Server {
  readonly child: ChildProcess;
  readonly logs: Readonly<Record<string, unknown>>[];
  readonly port: number;
  readonly opsPort: number;
}

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const endMs = performance.now() + 20_000; performance.now() < endMs; await sleep(50)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
  }
  assert.fail(`${what} did not come true in 20 s`);
}

describe('serve --verify-roles', { timeout: 60_000 }, () => {
  const cluster = new VerifiedCluster(accounts);
  const calls: { readonly role: string; readonly atMs: number; readonly signed: boolean }[] = [];
  let hangsForAll = false;
  const sts = new LoopbackServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const [, account = '', role = ''] = /::(\d+):role\/(.+)$/.exec(form.get('RoleArn') ?? '') ?? [];
    calls.push({ role, atMs: performance.now(), signed: request.headers.authorization !== undefined });
    assert.equal(form.get('WebIdentityToken'), token);
    if (!hangsForAll) answer(response, account, role);
  });
  const servers: Server[] = [];
  let folder = '';
  let stsUrl = '';

  async function start(name: string, ...flags: readonly string[]): Promise<Server> {
    const child = spawn(
      process.execPath,
      [
        builtBundle(),
        'serve',
        `--kubeconfig=${join(folder, 'kubeconfig')}`,
        '--tls-self-signed',
        '--bind-address=127.0.0.1',
        '--port=0',
        '--ops-port=0',
        '--shutdown-delay=0s',
        ...flags,
      ],
      {
        env: {
          PATH: process.env['PATH'],
          POD_NAME: name,
          AWS_ENDPOINT_URL_STS: stsUrl,
          AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'),
          // What a machine has of its own must not be used.
          AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
          AWS_SECRET_ACCESS_KEY: 'of the machine',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
        timeout: 60_000,
        killSignal: 'SIGKILL',
      },
    );
    const logs: Readonly<Record<string, unknown>>[] = [];
    createInterface({ input: child.stdout }).on('line', line => logs.push(JSON.parse(line)));
    const ports = await until('it serves', () => logs.find(({ opsPort }) => opsPort !== undefined));
    const server = { child, logs, port: Number(ports['port']), opsPort: Number(ports['opsPort']) };
    servers.push(server);
    await until('it is ready', async () => (await fetch(`http://127.0.0.1:${server.opsPort}/readyz`)).ok);
    return server;
  }

  const metricsOf = async ({ opsPort }: Server): Promise<string> =>
    (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();

  async function seriesOf(server: Server, series: string): Promise<number> {
    const line = (await metricsOf(server)).split('\n').find(each => each.startsWith(`${series} `));
    assert.ok(line, series);
    return Number(line.slice(series.length + 1));
  }

  async function create({ port }: Server, namespace: string) {
    const review = reviewBody({ object: pod(), namespace });
    const options = { method: 'POST', rejectUnauthorized: false, headers: { 'Content-Type': 'application/json' } };
    const { status, body } = await send(`https://127.0.0.1:${port}/mutate?timeout=5s`, options, JSON.stringify(review));
    assert.equal(status, 200, body);
    return (JSON.parse(body) as { response: { allowed: boolean; patch?: string; warnings?: string[] } }).response;
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carm-verify-'));
    await cluster.start();
    stsUrl = await sts.start();
    await writeFile(join(folder, 'kubeconfig'), cluster.kubeconfig);
    await writeFile(join(folder, 'token'), token);
    const server = await start('replica-a', '--verify-roles', '--log-level=debug');
    await until('each role was asked for', async () => {
      const at = await seriesOf(server, 'carm_webhook_role_verification_last_round_timestamp_seconds');
      return at > 0 || undefined;
    });
    await until('both events are written', () => cluster.events.length >= 2 || undefined);
  });
  after(async () => {
    for (const { child } of servers) if (child.exitCode === null) child.kill('SIGKILL');
    await sts.stop();
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const first = (): Server => servers[0] as Server;

  test('a role that answers is ok, one whose account has no provider or not the audience is broken; the rest is unknown', async () => {
    for (const [result, count] of Object.entries({ ok: 1, broken: 2, unknown: 7 })) {
      assert.equal(await seriesOf(first(), `carm_webhook_verified_roles{result="${result}"}`), count, result);
    }
  });

  test('each outcome is counted', async () => {
    const outcomes = {
      ok: 1,
      NoProvider: 1,
      WrongAudience: 1,
      WebIdentityNotAuthorized: 1,
      TokenExpired: 1,
      Throttled: 1,
      OtherIdentity: 1,
      Unexpected: 1,
      NoToken: 0,
    };
    for (const [outcome, count] of Object.entries(outcomes)) {
      const series = `carm_webhook_role_verifications_total{outcome="${outcome}"}`;
      assert.ok((await seriesOf(first(), series)) >= count, series);
      if (count === 0) assert.equal(await seriesOf(first(), series), 0);
    }
    assert.ok((await seriesOf(first(), 'carm_webhook_role_verifications_total{outcome="Unreachable"}')) >= 2);
  });

  test('calls are not signed, and never come faster than five a second', () => {
    assert.ok(calls.length >= accounts.size);
    assert.ok(calls.every(({ signed }) => !signed));
    // Over all of them, for a busy machine may be late with the first of a second: schedule.test.ts counts each second.
    const tookMs = (calls.at(-1)?.atMs ?? 0) - (calls[0]?.atMs ?? 0);
    assert.ok(tookMs > (calls.length - 1) * 200 - 1000, `${calls.length} calls in ${tookMs} ms`);
  });

  test('an event in each namespace that is concerned says what is wrong, and no other has one', () => {
    const byNamespace = new Map(cluster.events.map(event => [event.metadata.namespace, event]));
    assert.deepEqual([...byNamespace.keys()].sort(), ['no-provider', 'other-audience']);
    const { reason, type, note, regarding, reportingInstance } =
      byNamespace.get('no-provider') ?? ({} as Partial<WrittenEvent>);
    assert.deepEqual(
      { reason, type, regarding, reportingInstance },
      {
        reason: 'RoleBroken',
        type: 'Warning',
        regarding: { apiVersion: 'v1', kind: 'Namespace', name: 'no-provider', namespace: 'no-provider' },
        reportingInstance: 'replica-a',
      },
    );
    assert.equal(
      note,
      `AWS will not accept the tokens of these pods: account ${accountOf('no-provider')} has no OIDC provider for this cluster. Ask your platform team to create it.`,
    );
    assert.match(String(byNamespace.get('other-audience')?.['note']), /does not list the audience sts\.amazonaws\.com/);
  });

  test('a line in the log tells each change of a result, and holds nothing secret', () => {
    const changes = first().logs.filter(({ msg }) => msg === 'role verified');
    const told = changes.map(({ level, account, result, before, problem }) => ({
      level,
      account,
      result,
      before,
      problem,
    }));
    const sorted = told.sort((a, b) => (String(a.account) < String(b.account) ? -1 : 1));
    const unknown = { before: 'unknown' };
    assert.deepEqual(sorted, [
      { level: 'info', account: accountOf('answers'), result: 'ok', problem: undefined, ...unknown },
      { level: 'warn', account: accountOf('no-provider'), result: 'broken', problem: 'NoProvider', ...unknown },
      { level: 'warn', account: accountOf('other-audience'), result: 'broken', problem: 'WrongAudience', ...unknown },
    ]);
    const all = JSON.stringify(first().logs);
    assert.doesNotMatch(all, /secret-of-sts|session-of-sts/);
    assert.ok(!all.includes(token));
  });

  test('a pod is warned of a role that is certainly broken, and created with it all the same', async () => {
    for (const name of accounts.keys()) {
      const { allowed, patch, warnings = [] } = await create(first(), name);
      assert.ok(allowed && patch, name);
      const isBroken = name === 'no-provider' || name === 'other-audience';
      assert.deepEqual(warnings.length, isBroken ? 1 : 0, `${name}: ${warnings.join()}`);
    }
    const [warning = ''] = (await create(first(), 'no-provider')).warnings ?? [];
    assert.match(
      warning,
      /: AWS will not give it the role: account 100000000002 has no OIDC provider for this cluster\. Ask your platform team to create it \(RoleBroken\)$/,
    );
  });

  test('the replica says in its Lease what it found, and another one warns by that without a call of its own', async () => {
    const lease = cluster.leases.get('verify-roles.replica-a');
    assert.equal(lease?.spec.holderIdentity, 'replica-a');
    await until('the Lease tells of both accounts', () => {
      const told = cluster.leases.get('verify-roles.replica-a')?.metadata.annotations;
      return told?.['carm-webhook.dev/provider-problems'] ===
        JSON.stringify({
          NoProvider: [accountOf('no-provider')],
          WrongAudience: [accountOf('other-audience')],
        })
        ? true
        : undefined;
    });
    const second = await start('replica-b', '--verify-roles');
    hangsForAll = true;
    await until('it knows the other', async () =>
      (await seriesOf(second, 'carm_webhook_role_verification_replicas')) === 2 ? true : undefined,
    );
    for (const name of ['no-provider', 'other-audience']) {
      assert.equal((await create(second, name)).warnings?.length, 1, name);
    }
  });

  test('while STS hangs, pods are answered as fast as without --verify-roles', async () => {
    hangsForAll = true;
    const without = await start('replica-c');
    const [verifying] = servers.slice(1, 2);
    assert.ok(verifying);
    const times = new Map<Server, number[]>([
      [without, []],
      [verifying, []],
    ]);
    const callsBefore = calls.length;
    for (let turn = 0; turn < 200; turn++) {
      for (const [server, of] of times) {
        const startMs = performance.now();
        await create(server, 'denied');
        of.push(performance.now() - startMs);
      }
    }
    const median = (of: readonly number[] = []) => [...of].sort((a, b) => a - b)[of.length / 2] ?? Number.NaN;
    const [alone, beside] = [median(times.get(without)), median(times.get(verifying))];
    assert.ok(calls.length > callsBefore, 'STS was asked meanwhile');
    assert.ok(beside < alone * 1.5 + 1, `${beside.toFixed(2)} ms beside ${alone.toFixed(2)} ms`);
  });

  test('it ends with the server, calls in flight included, and its Lease is gone', async () => {
    const { child } = first();
    const startMs = performance.now();
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    assert.ok(performance.now() - startMs < 4000);
    assert.ok(!cluster.leases.has('verify-roles.replica-a'));
  });

  test('with --state it is a mistake', async () => {
    const { code, stderr } = await runCommand(['serve', '--tls-self-signed', '--verify-roles', `--state=${folder}`]);
    assert.equal(code, 2);
    assert.match(stderr, /^carm-webhook: --verify-roles cannot be combined with --state/);
  });
});
