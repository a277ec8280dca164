/** Requests over real TLS: who we are, whom we trust, and what becomes of errors, deadlines and kept connections. */

import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { ApiConnection, type ApiPool } from '../../../src/cluster/api/api-connection.ts';
import { ApiError, ClusterUnreachableError } from '../../../src/cluster/api/api-errors.ts';
import { ClusterCredentials } from '../../../src/cluster/api/cluster-access.ts';
import { loadKubeConfig } from '../../../src/cluster/api/kube-config.ts';
import { type CertificateAuthority, makeAuthority } from '../certificate-authority.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const sockets = new Set<Duplex>();
let folder: string;
let authority: CertificateAuthority;
let server: Server;
let port: number;
let handler: Handler = () => {};
let connections = 0;

const inTime = () => AbortSignal.timeout(3000);
const echo: Handler = (request, response) => {
  const { socket } = request as IncomingMessage & { socket: TLSSocket };
  const client = socket.getPeerCertificate().subject?.CN ?? '';
  const { authorization = '', accept } = request.headers;
  response.end(JSON.stringify({ url: request.url, authorization, accept, client }));
};

function answerStatus(code: number, body: unknown, headers: Record<string, string> = {}): Handler {
  return (_request, response) => response.writeHead(code, headers).end(JSON.stringify(body));
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'api-connection-'));
  authority = await makeAuthority('first');
  const options = {
    ...(await authority.sign('server')),
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: false,
  };
  server = createServer(options, (request, response) => handler(request, response));
  server.on('connection', socket => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  await writeFile(join(folder, 'ca.crt'), authority.cert);
});

after(async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  for (const socket of sockets) socket.destroy();
  await promise;
  await rm(folder, { recursive: true });
});

/** A kubeconfig file as people have it; `user` is its user entry. */
async function poolFor(
  user: object,
  options: { path?: string; maxAgeMs?: number; sockets?: number } = {},
): Promise<ApiPool> {
  const file = join(folder, `config-${Math.random()}`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'here',
        cluster: { server: `https://127.0.0.1:${port}${options.path ?? ''}`, 'certificate-authority': 'ca.crt' },
      },
    ],
    users: [{ name: 'me', user }],
    contexts: [{ name: 'both', context: { cluster: 'here', user: 'me' } }],
    'current-context': 'both',
  };
  await writeFile(file, JSON.stringify(config));
  const { maxAgeMs = 20_000 } = options;
  const credentials = new ClusterCredentials(() => loadKubeConfig({ kubeconfig: file }), { maxAgeMs });
  return new ApiConnection(credentials).pool(options.sockets ?? 4);
}

describe('API connection', { timeout: 20_000 }, () => {
  test('token, Accept and the path of the server', async () => {
    handler = echo;
    const pool = await poolFor({ token: 'abc' }, { path: '/k8s/clusters/c-1/' });
    const answer = await pool.getJson('/api/v1/namespaces?limit=1', { signal: inTime(), accept: 'application/x' });
    assert.deepEqual(answer, {
      url: '/k8s/clusters/c-1/api/v1/namespaces?limit=1',
      authorization: 'Bearer abc',
      accept: 'application/x',
      client: '',
    });
    await pool.close();
  });

  test('a client certificate from files, renewed in place', async () => {
    handler = echo;
    const first = await authority.sign('ann');
    const files = { 'client-certificate': join(folder, 'me.crt'), 'client-key': join(folder, 'me.key') };
    await writeFile(files['client-certificate'], first.cert);
    await writeFile(files['client-key'], first.key);
    const pool = await poolFor(files, { maxAgeMs: 20 });
    assert.equal((await pool.getJson('/', { signal: inTime() }))['client'], 'ann');
    const second = await authority.sign('bea');
    await writeFile(files['client-certificate'], second.cert);
    await writeFile(files['client-key'], second.key);
    await sleep(30);
    assert.equal((await pool.getJson('/', { signal: inTime() }))['client'], 'bea');
    await pool.close();
  });

  test('a token file is read again after its age, and at once after a 401', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'one\n');
    handler = echo;
    const aging = await poolFor({ tokenFile, token: 'never this' }, { maxAgeMs: 20 });
    assert.equal((await aging.getJson('/', { signal: inTime() }))['authorization'], 'Bearer one');
    await writeFile(tokenFile, 'two\n');
    await sleep(30);
    assert.equal((await aging.getJson('/', { signal: inTime() }))['authorization'], 'Bearer two');
    await aging.close();

    const pool = await poolFor({ tokenFile });
    await pool.getJson('/', { signal: inTime() });
    await writeFile(tokenFile, 'three\n');
    const seen: string[] = [];
    handler = (request, response) => {
      seen.push(request.headers.authorization ?? '');
      if (request.headers.authorization === 'Bearer three') echo(request, response);
      else answerStatus(401, { kind: 'Status', code: 401, reason: 'Unauthorized' })(request, response);
    };
    assert.equal((await pool.getJson('/', { signal: inTime() }))['authorization'], 'Bearer three');
    await writeFile(tokenFile, 'four\n');
    handler = answerStatus(401, { kind: 'Status', code: 401, reason: 'Unauthorized' });
    await assert.rejects(pool.getJson('/', { signal: inTime() }), {
      code: 'ApiError',
      status: 401,
      reason: 'Unauthorized',
    });
    assert.deepEqual(seen, ['Bearer two', 'Bearer three']);
    await pool.close();
  });

  test('what is posted is sent whole, as JSON, and again after a 401', async () => {
    const bodies: string[] = [];
    handler = async (request, response) => {
      const { method, headers } = request;
      const sent = await text(request);
      bodies.push(`${method} ${headers['content-type']} ${sent}`);
      if (bodies.length === 1) {
        await writeFile(join(folder, 'posting-token'), 'second');
        answerStatus(401, {})(request, response);
      } else response.writeHead(201).end(`{"sent":${sent}}`);
    };
    await writeFile(join(folder, 'posting-token'), 'first');
    const pool = await poolFor({ tokenFile: join(folder, 'posting-token') });
    const body = { kind: 'TokenRequest', spec: { audiences: ['\u00e9'] } };
    assert.deepEqual(await pool.postJson('/token', body, { signal: inTime() }), { sent: body });
    const once = `POST application/json ${JSON.stringify(body)}`;
    assert.deepEqual(bodies, [once, once]);
    await assert.rejects(pool.postJson('/token', body, { signal: inTime(), maxBytes: 10 }), { code: 'ApiProtocol' });
    await pool.close();
  });

  test('a 401 is not repeated with the same credentials', async () => {
    let asked = 0;
    handler = (request, response) => {
      asked += 1;
      answerStatus(401, {})(request, response);
    };
    const pool = await poolFor({ token: 'bad' });
    await assert.rejects(pool.getJson('/', { signal: inTime() }), { status: 401 });
    assert.equal(asked, 1);
    await pool.close();
  });

  test('a credential plugin is run once, and again after a 401', async () => {
    const plugin = join(folder, 'plugin');
    const count = join(folder, 'count');
    await writeFile(
      plugin,
      `#!/bin/sh
echo x >> ${count}
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"t%s"}}' $(wc -l < ${count})
`,
    );
    await chmod(plugin, 0o755);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' };
    handler = echo;
    const pool = await poolFor({ exec }, { maxAgeMs: 1 });
    for (let i = 0; i < 3; i += 1) {
      assert.equal((await pool.getJson('/', { signal: inTime() }))['authorization'], 'Bearer t1');
      await sleep(5);
    }
    handler = (request, response) => {
      if (request.headers.authorization === 'Bearer t1') answerStatus(401, {})(request, response);
      else echo(request, response);
    };
    assert.equal((await pool.getJson('/', { signal: inTime() }))['authorization'], 'Bearer t2');
    await pool.close();
  });

  test('an unknown CA is refused, and trusted once its file is there', async () => {
    handler = echo;
    const other = await makeAuthority('second');
    await writeFile(join(folder, 'ca.crt'), other.cert);
    const pool = await poolFor({ token: 'abc' });
    await assert.rejects(pool.getJson('/', { signal: inTime() }), { code: 'ClusterUnreachable' });
    await writeFile(join(folder, 'ca.crt'), authority.cert);
    assert.equal((await pool.getJson('/', { signal: inTime() }))['authorization'], 'Bearer abc');
    await pool.close();
  });

  test('errors carry status, reason and the time to wait', async () => {
    const pool = await poolFor({ token: 'abc' });
    const rows: [Handler, Partial<ApiError>][] = [
      [answerStatus(403, { kind: 'Status', code: 403, reason: 'Forbidden' }), { status: 403, reason: 'Forbidden' }],
      [answerStatus(429, {}, { 'retry-after': '7' }), { status: 429, reason: '', retryAfterMs: 7000 }],
      [answerStatus(503, { kind: 'Status', details: { retryAfterSeconds: 2 } }), { status: 503, retryAfterMs: 2000 }],
      [answerStatus(302, {}, { location: 'https://127.0.0.1:1/' }), { status: 302 }],
      [(_request, response) => response.writeHead(404).end('<html>not here</html>'), { status: 404, notFound: false }],
      [answerStatus(404, { kind: 'Status', code: 404, reason: 'NotFound' }), { status: 404, notFound: true }],
      [answerStatus(410, { kind: 'Status', code: 410, reason: 'Expired' }), { gone: true }],
    ];
    for (const [answer, expected] of rows) {
      handler = answer;
      const error = await pool.getJson('/', { signal: inTime() }).catch((error: unknown) => error);
      assert.ok(error instanceof ApiError);
      for (const [name, value] of Object.entries(expected)) assert.equal(Reflect.get(error, name), value, name);
    }
    handler = (_request, response) => response.end('<html>');
    await assert.rejects(pool.getJson('/', { signal: inTime() }), { code: 'ApiProtocol' });
    handler = (_request, response) => response.end(JSON.stringify({ long: 'x'.repeat(1000) }));
    await assert.rejects(pool.getJson('/', { signal: inTime(), maxBytes: 100 }), { code: 'ApiProtocol' });
    handler = (_request, response) => response.write('{"half":', () => response.socket?.destroy());
    await assert.rejects(pool.getJson('/', { signal: inTime() }), { code: 'ClusterUnreachable' });
    await pool.close();
  });

  test('a deadline ends a request before its answer, in its body, and in the queue for a socket', async () => {
    const pool = await poolFor({ token: 'abc' }, { sockets: 1 });
    handler = () => {};
    const startedAt = performance.now();
    const queued = [1, 2].map(() => pool.getJson('/', { signal: AbortSignal.timeout(80) }));
    for (const request of queued) await assert.rejects(request, { code: 'ClusterUnreachable' });
    handler = (_request, response) => response.write('{');
    await assert.rejects(pool.getJson('/', { signal: AbortSignal.timeout(80) }), { code: 'ClusterUnreachable' });
    assert.ok(performance.now() - startedAt < 1000);
    handler = echo;
    await pool.getJson('/', { signal: inTime() });
    await pool.close();
  });

  test('a kept connection that the server has dropped is replaced without an error', async () => {
    const pool = await poolFor({ token: 'abc' });
    handler = echo;
    await pool.getJson('/', { signal: inTime() });
    const before = connections;
    await pool.getJson('/', { signal: inTime() });
    assert.equal(connections, before, 'the connection was kept');
    // The server hangs up on the next request instead of answering it, as if it had closed while we wrote.
    let hungUp = 0;
    handler = (request, response) => {
      hungUp += 1;
      if (hungUp === 1) request.socket.destroy();
      else echo(request, response);
    };
    await pool.getJson('/', { signal: inTime() });
    assert.equal(hungUp, 2);
    await pool.close();
  });

  test('a watch that hangs holds up no read, and close ends it', async () => {
    handler = (request, response) => {
      if (request.url === '/watch') response.write('{}\n');
      else echo(request, response);
    };
    const pool = await poolFor({ token: 'abc' });
    const body = await pool.get('/watch', { signal: new AbortController().signal });
    const broken = assert.rejects(async () => {
      for await (const _ of body);
    });
    await pool.getJson('/', { signal: inTime() });
    await pool.close();
    await broken;
    assert.equal(pool.openSockets, 0);
    await assert.rejects(pool.getJson('/', { signal: inTime() }), { code: 'ClusterUnreachable' });
  });

  test('no server, no credentials: unreachable, and it says so without a secret', async () => {
    const missing = await poolFor({ tokenFile: join(folder, 'absent') });
    await assert.rejects(missing.getJson('/', { signal: inTime() }), /no credentials for the cluster/);
    const hanging = await poolFor({
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sleep', args: ['0.5'] },
    });
    const startedAt = performance.now();
    await assert.rejects(hanging.getJson('/', { signal: AbortSignal.timeout(50) }), ClusterUnreachableError);
    assert.ok(performance.now() - startedAt < 400);
    assert.throws(() => loadKubeConfig({ kubeconfig: join(folder, 'absent') }), { code: 'ClusterUnreachable' });
    await Promise.all([missing.close(), hanging.close()]);
  });
});
