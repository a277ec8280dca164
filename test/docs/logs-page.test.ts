import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { defaultFeatureGates } from '../../src/accounts/feature-gates.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import { openCluster } from '../../src/cli/serve/open-cluster.ts';
import { startVerifyingRoles } from '../../src/cli/serve/verify-roles.ts';
import { connect as connectCluster } from '../../src/cluster/api/connect.ts';
import { WatchingCluster } from '../../src/cluster/watching-cluster.ts';
import { createLogger, logFailure } from '../../src/server/logs.ts';
import { Metrics } from '../../src/server/metrics.ts';
import { makeSelfSigned } from '../../src/server/self-signed.ts';
import { Shortages } from '../../src/server/shortage.ts';
import { builtBundle } from '../built-bundle.ts';
import { VerifiedCluster } from '../cli/serve/verified-cluster.ts';
import { startTinyApiServer } from '../cli/tiny-api-server.ts';
import { pod, podWithEnv } from '../decisions/manifests.ts';
import { reviewBody } from '../decisions/review.ts';
import { foreignRole, writeState } from '../decisions/state.ts';
import { StsError } from '../e2e-node/sts-error.ts';
import { LoopbackServer } from '../loopback-server.ts';
import { send, start } from '../server/running-server.ts';
import { sampleReview } from '../server/sample-review.ts';

/** docs/logs.md against what is logged: every kind of line, its level and its fields. */

type Line = Readonly<Record<string, unknown>>;

const limitMs = 20_000;
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const page = await readFile(new URL('../../docs/logs.md', import.meta.url), 'utf8');
const [reviewSection = '', otherSection = ''] = page.split('## Everything else');
const everyLine = ['level', 'time', 'msg'];

function rowsOf(section: string): readonly (readonly string[])[] {
  const rows = section.split('\n').filter(line => line.startsWith('| `'));
  return rows.map(row => row.split('|').slice(1, -1));
}

const codes = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
const levelsOf = (section: string): readonly string[] =>
  rowsOf(section).flatMap(([level, msg, ...more]) => (more.length > 0 ? [`${codes(level)[0]}: ${codes(msg)[0]}`] : []));
const reviewFields = rowsOf(reviewSection).flatMap(([field, , ...more]) => (more.length > 0 ? [] : codes(field)));

const lines: Line[] = [];
const keep = (level: 'debug' | 'info' = 'debug') =>
  createLogger(level, { write: line => lines.push(JSON.parse(line) as Line) });

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const startMs = performance.now(); performance.now() - startMs < limitMs; await sleep(20)) if (holds()) return;
  assert.fail(`${what} did not come true in ${limitMs} ms`);
}

const seen = (msg: string): boolean => lines.some(line => line['msg'] === msg);

/** What a process of the built bundle logs from its start to its end. */
async function runServer(t: TestContext): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-logs-'));
  const state = await writeState();
  t.after(() => Promise.all([state.remove(), rm(folder, { recursive: true, force: true })]));
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const certificates = await Promise.all([makeSelfSigned(), makeSelfSigned()]);
  const [{ current: first }, { current: second }] = certificates;
  await Promise.all([writeFile(certFile, first.certPem), writeFile(keyFile, first.keyPem)]);
  const flags = [
    '--bind-address=127.0.0.1',
    '--port=0',
    '--ops-port=0',
    '--shutdown-delay=0s',
    '--log-level=debug',
    '--feature-gates=IgnoreFieldDrift=true',
  ];
  const files = [`--state=${state.folder}`, `--tls-cert-file=${certFile}`, `--tls-private-key-file=${keyFile}`];
  const child = spawn(process.execPath, [builtBundle(), 'serve', ...files, ...flags], {
    env: { PATH: process.env['PATH'] },
    timeout: 60_000,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const whole = (rest + chunk.toString()).split('\n');
    rest = whole.pop() ?? '';
    lines.push(...whole.map(line => JSON.parse(line) as Line));
  });
  await until('it serves', () => seen('serving'));
  const port = Number(lines.find(({ msg }) => msg === 'serving')?.['port']);

  const review = (endpoint: string, body: unknown) =>
    send(
      `https://127.0.0.1:${port}/${endpoint}`,
      { method: 'POST', rejectUnauthorized: false, headers: { 'Content-Type': 'application/json' } },
      JSON.stringify(body),
    );
  const naming = (value: string) => ({ object: podWithEnv([{ name: 'AWS_ROLE_ARN', value }]) });
  await review('mutate', reviewBody({ ...naming(foreignRole), dryRun: true }));
  await review('mutate', reviewBody(naming(secret)));
  await review('mutate', reviewBody({ object: pod({ namespace: 'unmapped-warn' }) }));
  await review('mutate', reviewBody({ object: pod({ namespace: 'unmapped-audit' }) }));
  await review('mutate', reviewBody({ object: pod({ namespace: 'bad-region' }) }));
  await review('mutate', reviewBody({ object: pod({ namespace: 'free' }) }));
  await review('mutate', reviewBody({ object: { ...pod(), spec: { volumes: 'none' } } }));

  await send(`https://127.0.0.1:${port}/nowhere`, { method: 'POST', rejectUnauthorized: false });
  const odd = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  odd.end('GET https://x:bad/mutate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  odd.resume();
  const connection = dial(port, '127.0.0.1');
  const leaving = connect({ socket: connection, rejectUnauthorized: false });
  leaving.on('error', () => undefined);
  await once(leaving, 'secureConnect');
  leaving.write('POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{');
  // The server has begun to read it.
  await sleep(300);
  connection.resetAndDestroy();
  await until('the client is gone', () => seen('client gone'));

  await writeFile(keyFile, second.keyPem);
  await until('the pair does not match', () => seen('the new certificate cannot be used; keeping the last one'));
  await writeFile(certFile, second.certPem);
  await until('the new pair is served', () => seen('new certificate'));
  const broken = join(folder, 'broken.yaml');
  await writeFile(broken, 'kind: Namespace\nmetadata: 7\n');
  await rename(broken, join(state.folder, 'broken.yaml'));
  await until('the state cannot be read', () => seen('the new state cannot be read; keeping the last one'));
  await rm(join(state.folder, 'broken.yaml'));
  await writeFile(join(state.folder, 'more.yaml'), 'apiVersion: v1\nkind: Namespace\nmetadata: {name: more}\n');
  await until('the new state is read', () => seen('new state'));
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  await ended;
}

/** What a watch logs of an API server that has an unreadable object, and forbids a list. */
async function runWatches(t: TestContext): Promise<void> {
  const spec = { arn: 7 };
  const bad = { apiVersion: 'services.k8s.aws/v1alpha1', kind: 'IAMRoleSelector', metadata: { name: 'bad' }, spec };
  const api = await startTinyApiServer(t, [bad]);
  api.forbidden.add('/api/v1/namespaces');
  const metrics = new Metrics({ version: '0', reviewSeries: [], warningReasons: [], processMetrics: false });
  const values = { kubeconfig: api.kubeconfig, verifyRoles: false, maxStalenessMs: 90_000, state: undefined };
  const config = { ...defaultConfig, featureGates: { ...defaultFeatureGates, IAMRoleSelector: true } };
  const cluster = await openCluster(values, config, metrics, keep());
  t.after(() => cluster.close());
  await until('it restarts', () => ['listed', 'watch restarted', 'object not kept'].every(seen));
  assert.equal(
    lines.find(({ why }) => why !== undefined)?.['why'],
    '"spec.arn" is not a string (put it in quotes if YAML could read it as something else)',
  );
}

/** What --verify-roles logs, where it may write nothing and finds a role that is broken; and where it has no token. */
async function runVerification(t: TestContext): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-logs-'));
  const api = new VerifiedCluster(new Map([1, 2].map(n => [`team-${n}`, `${n}`.repeat(12)])));
  for (const method of ['POST', 'PATCH']) api.forbidden.add(method);
  const message = 'No OpenIDConnect provider found in your account for https://issuer';
  const refusal = new StsError('InvalidIdentityToken', message);
  const sts = new LoopbackServer((_request, response) => response.writeHead(refusal.status).end(refusal.xml('1')));
  await api.start();
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, api.kubeconfig);
  const claims = Buffer.from(JSON.stringify({ aud: 'sts.amazonaws.com' })).toString('base64url');
  const token = join(folder, 'token');
  await writeFile(token, `e30.${claims}.e30`);
  const connection = connectCluster({ kubeconfig });
  const observer = {
    synced: () => {},
    lastEvent: () => {},
    restarted: () => {},
    listenerFailed: () => {},
    liveRead: () => {},
    changed: () => {},
  };
  const cluster = new WatchingCluster({
    connection,
    ackSystems: ['ack-system'],
    maps: ['account'],
    roleSelectors: false,
    maxStalenessMs: 90_000,
    observer,
  });
  cluster.start();
  const metrics = new Metrics({ version: '0', reviewSeries: [], warningReasons: [], processMetrics: false });
  const endpoint = await sts.start();
  const verifications = [token, join(folder, 'none')].map(file =>
    startVerifyingRoles({
      cluster,
      connection,
      config: defaultConfig,
      metrics: metrics.verification,
      logger: keep(),
      env: { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ENDPOINT_URL_STS: endpoint },
      schedule: { mostRoles: 1 },
    }),
  );
  t.after(async () => {
    await Promise.all(verifications.map(verification => verification.stop()));
    await cluster.stop();
    await Promise.all([api.stop(), sts.stop(), rm(folder, { recursive: true, force: true })]);
  });
  const kinds = ['role verified', 'role not verified', 'other replicas not known', 'event not written'];
  await until('each is logged', () => [...kinds, 'too many roles to verify'].every(seen));
}

/** What only a bug, or a crowd, brings about. */
async function runFailures(t: TestContext): Promise<void> {
  const error = Object.assign(new Error('broken'), { code: 'E_BROKEN' });
  const server = await start(t, { admit: () => Promise.reject(error) });
  await server.post('/mutate', sampleReview());
  lines.push(...server.logs.filter(({ msg }) => msg === 'review failed'));
  logFailure(keep(), error);
  const metrics = new Metrics({ version: '0', reviewSeries: [], warningReasons: [], processMetrics: false });
  const { report } = new Shortages(metrics, keep());
  for (let count = 0; count < 3; count++) report('body', { address: '10.0.0.7', share: '10.0.0.7', trusted: false });
  await until('what was suppressed is told', () => lines.some(({ suppressed }) => suppressed === 2));
}

describe('docs/logs.md', () => {
  const isReview = ({ msg }: Line): boolean => String(msg).startsWith('review ');
  const fieldsOf = (of: readonly Line[]): ReadonlySet<string> =>
    new Set(of.flatMap(line => Object.keys(line)).filter(field => !everyLine.includes(field)));

  test('was tried: a server from start to end, its watches, and what fails', { timeout: 90_000 }, async t => {
    await Promise.all([runServer(t), runWatches(t), runVerification(t), runFailures(t)]);
    for (const line of lines) for (const field of everyLine) assert.ok(field in line, JSON.stringify(line));
  });

  test('lists every kind of line with its level, and no other', () => {
    const kinds = new Set(lines.map(({ level, msg }) => `${level}: ${msg}`));
    assert.deepEqual(new Set([...levelsOf(reviewSection), ...levelsOf(otherSection)]), kinds);
  });

  test('lists every field of the lines about reviews, and no other', () => {
    assert.deepEqual(new Set(reviewFields), fieldsOf(lines.filter(isReview)));
  });

  for (const [, msg, , fields] of rowsOf(otherSection)) {
    const [kind = ''] = codes(msg);
    test(`lists every field of "${kind}", and no other`, () => {
      const logged = fieldsOf(lines.filter(line => line['msg'] === kind));
      // It takes as many failures as no test waits for: test/cli/serve/log-ration.test.ts.
      const documented = codes(fields).filter(field => field !== 'leftOut');
      assert.deepEqual(new Set(documented), logged);
    });
  }

  test('shows a denial as it is logged', () => {
    const [, example = '{}'] = /```json\n(.*)\n```/.exec(page) ?? [];
    const denied = lines.find(({ msg, dryRun }) => msg === 'review denied' && dryRun === true);
    const { dryRun: _, ...fields } = denied ?? {};
    assert.deepEqual(Object.keys(JSON.parse(example)), Object.keys(fields));
  });

  test('is right that no line holds a value that is no role ARN, or more than 64 KiB', () => {
    const text = lines.map(line => JSON.stringify(line));
    assert.ok(text.every(line => !line.includes(secret) && line.length <= 65_536));
    assert.ok(text.some(line => line.includes('sets AWS_ROLE_ARN to \\"(not logged)\\"')));
    assert.ok(text.some(line => line.includes(foreignRole)));
  });
});
