import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { generate } from 'selfsigned';
import { CertificateFiles } from '../../src/server/certificate-files.ts';
import { makeSelfSigned } from '../../src/server/self-signed.ts';
import type { ServerLimits } from '../../src/server/server-limits.ts';
import { type Running, start } from './running-server.ts';
import { sampleReview } from './sample-review.ts';

const kind = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

interface ClientIdentity {
  readonly caPem: string;
  readonly cert: string;
  readonly key: string;
}

async function makeClient(): Promise<ClientIdentity> {
  const ca = await generate([{ name: 'commonName', value: 'client CA' }], {
    ...kind,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: 'kube-apiserver' }], {
    ...kind,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', clientAuth: true },
    ],
  });
  return { caPem: ca.cert, cert: leaf.cert, key: leaf.private };
}

async function startWithClientCa(t: TestContext, clientCaPem: string, limits: Partial<ServerLimits> = {}) {
  const path = await mkdtemp(join(tmpdir(), 'carm-webhook-client-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  const self = await makeSelfSigned();
  const clientCaFile = join(path, 'ca.crt');
  const certFile = join(path, 'tls.crt');
  const keyFile = join(path, 'tls.key');
  await writeFile(clientCaFile, clientCaPem);
  await writeFile(certFile, self.current.certPem);
  await writeFile(keyFile, self.current.keyPem);
  const certificate = await CertificateFiles.open({ certFile, keyFile, clientCaFile, pollMs: 10 });
  const server = await start(t, { certificate, limits });
  return { server, ca: self.caPem, certificate, clientCaFile };
}

const post = (server: Running, options: https.RequestOptions) => server.post('/mutate', sampleReview(), options);

test('a client needs a certificate of the client CA, on every connection, and the CA is read again', async t => {
  const [good, other] = await Promise.all([makeClient(), makeClient()]);
  const { server, ca, certificate, clientCaFile } = await startWithClientCa(t, good.caPem);
  assert.equal((await post(server, { ca, cert: good.cert, key: good.key })).status, 200);
  await assert.rejects(post(server, { ca }));
  await assert.rejects(post(server, { ca, cert: other.cert, key: other.key }));

  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const options = { ca, agent, cert: good.cert, key: good.key };
  assert.equal((await post(server, options)).headers['connection'], 'keep-alive');
  await writeFile(clientCaFile, other.caPem);
  for (let tries = 0; tries < 300 && certificate.current.clientCaPem !== other.caPem; tries++) await sleep(10);
  // The request on the open connection is answered, and is its last.
  assert.equal((await post(server, options)).headers['connection'], 'close');
  await assert.rejects(post(server, options));
  assert.equal((await post(server, { ca, cert: other.cert, key: other.key })).status, 200);
});

test('a verified client loses its idle connection to nobody who has no certificate', async t => {
  const good = await makeClient();
  const { server, ca } = await startWithClientCa(t, good.caPem, { connections: 3, handshakes: 3 });
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const options = { ca, agent, cert: good.cert, key: good.key };
  assert.equal((await post(server, options)).status, 200);
  const [idle] = Object.values(agent.freeSockets).flat();
  assert.ok(idle !== undefined);
  for (let count = 0; count < 20; count++) {
    const stranger = connectTcp(server.port, '127.0.0.1');
    stranger.on('error', () => {});
    t.after(() => stranger.destroy());
  }
  const refused = () => server.metric('carm_webhook_refused_requests_total{cause="handshake"}');
  // All others find the two seats taken that are left. A busy machine takes its time.
  const deadlineMs = performance.now() + 10_000;
  while (((await refused()) ?? 0) < 18 && performance.now() < deadlineMs) await sleep(50);
  assert.equal(await refused(), 18);
  assert.equal((await post(server, options)).status, 200);
  assert.equal(Object.values(agent.freeSockets).flat()[0], idle, 'another connection was opened');
});

/** Dials, waits for whatever the server hands out after the handshake, and tells whether the session was resumed. */
async function dial(
  t: TestContext,
  options: ConnectionOptions,
): Promise<{ readonly session: Buffer | undefined; readonly resumed: boolean; readonly protocol: string | null }> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host: '127.0.0.1', servername: 'localhost', ...options }, resolve);
  socket.on('error', reject);
  t.after(() => socket.destroy());
  let session: Buffer | undefined;
  socket.on('session', given => {
    session = given;
  });
  await promise;
  await sleep(50);
  const result = {
    session: session ?? socket.getSession(),
    resumed: socket.isSessionReused(),
    protocol: socket.getProtocol(),
  };
  socket.destroy();
  return result;
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version} sessions are not resumed`, async t => {
    const server = await start(t, { tlsMinVersion: 'TLSv1.2' });
    const options = { port: server.port, ca: server.caPem, minVersion: version, maxVersion: version };
    const first = await dial(t, options);
    assert.equal(first.protocol, version);
    const { resumed } = await dial(t, { ...options, ...(first.session && { session: first.session }) });
    assert.equal(resumed, false);
  });
}

test('TLS 1.2 is refused by default', async t => {
  const server = await start(t);
  const options = { port: server.port, ca: server.caPem };
  await assert.rejects(dial(t, { ...options, maxVersion: 'TLSv1.2' }), /protocol version|ALERT/i);
  assert.equal((await dial(t, options)).protocol, 'TLSv1.3');
});
