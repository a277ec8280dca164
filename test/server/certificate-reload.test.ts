import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CertificateError } from '../../src/server/certificate.ts';
import { CertificateFiles } from '../../src/server/certificate-files.ts';
import { makeSelfSigned, type SelfSigned } from '../../src/server/self-signed.ts';
import { type Running, send, start } from './running-server.ts';
import { sampleReview } from './sample-review.ts';

interface Folder {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

async function folder(t: TestContext): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'carm-webhook-certificate-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return { certFile: join(path, 'tls.crt'), keyFile: join(path, 'tls.key'), caFile: join(path, 'ca.crt') };
}

async function write({ certFile, keyFile }: Folder, { current }: SelfSigned): Promise<void> {
  await writeFile(certFile, current.certPem);
  await writeFile(keyFile, current.keyPem);
}

/** At once: writing in place can be seen half done. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.next`, text);
  await rename(`${path}.next`, path);
}

/** Waits, for 5 s at most. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const startedAtMs = performance.now(); performance.now() - startedAtMs < 5000; await sleep(10)) {
    if (await holds()) return;
  }
  assert.fail('it did not come true in 5 s');
}

async function servedFingerprint(server: Running): Promise<string> {
  const socket = await server.dial();
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

describe('certificate files', () => {
  test('are swapped under load without a dropped request, and the new certificate is served', async t => {
    const [first, second] = await Promise.all([makeSelfSigned(), makeSelfSigned()]);
    const files = await folder(t);
    await write(files, first);
    const errors: CertificateError[] = [];
    const certificate = await CertificateFiles.open({ ...files, pollMs: 20, onError: error => errors.push(error) });
    const server = await start(t, { certificate });
    const ca = [first.caPem, second.caPem];
    const keepAlive = new https.Agent({ keepAlive: true, maxSockets: 4 });
    t.after(() => keepAlive.destroy());
    const seen = new Set<string>();
    let isOver = false;
    let answered = 0;
    const load = async (agent: https.Agent | false): Promise<void> => {
      while (!isOver) {
        const options = { method: 'POST', ca, agent, headers: { 'Content-Type': 'application/json' } };
        const { status } = await send(
          `https://localhost:${server.port}/mutate`,
          { ...options, family: 4 },
          JSON.stringify(sampleReview()),
        );
        assert.equal(status, 200);
        answered++;
        await sleep(1);
      }
    };
    const clients = Promise.all([load(keepAlive), load(keepAlive), load(false), load(false)]);
    const dial = async (pem: SelfSigned): Promise<string> => {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const request = https.get({ port: server.port, host: '127.0.0.1', ca: pem.caPem, agent: false }, response => {
        response.resume();
        seen.add(pem.caPem);
        resolve(pem.caPem);
      });
      request.on('error', reject);
      return promise;
    };
    await dial(first);
    for (const next of [second, first, second]) {
      const before = answered;
      await write(files, next);
      await until(() =>
        dial(next).then(
          () => true,
          () => false,
        ),
      );
      await until(() => answered > before + 20);
    }
    isOver = true;
    await clients;
    assert.equal(seen.size, 2);
    const expiry = await server.metric('carm_webhook_certificate_expiry_timestamp_seconds');
    assert.equal(expiry, second.current.expiresAtMs / 1000);
    const notBefore = await server.metric('carm_webhook_certificate_not_before_timestamp_seconds');
    assert.equal(notBefore, second.current.validFromMs / 1000);
    // The pair is written in two steps: in between it may be seen mismatched, which harms nobody.
    assert.ok(errors.every(({ code }) => code === 'CertificateMismatch' || code === 'CertificateInvalid'));
  });

  test('keep the last good pair while they are mismatched, cut or gone; each content is told once', async t => {
    const [first, second] = await Promise.all([makeSelfSigned(), makeSelfSigned()]);
    const files = await folder(t);
    await write(files, first);
    const errors: CertificateError[] = [];
    const certificate = await CertificateFiles.open({ ...files, pollMs: 10, onError: error => errors.push(error) });
    t.after(() => certificate.close());
    const server = await start(t, { certificate });
    const holds = async (code: string, count: number): Promise<void> => {
      await until(() => errors.length === count);
      await sleep(60);
      assert.deepEqual(errors.map(error => error.code).slice(count - 1), [code]);
      assert.doesNotMatch(errors.at(-1)?.message ?? '', /\n|BEGIN/);
      assert.equal(certificate.current.certPem, first.current.certPem);
      assert.equal(await server.metric('carm_webhook_certificate_reload_failed'), 1);
    };
    assert.equal(await server.metric('carm_webhook_certificate_reload_failed'), 0);
    await replace(files.keyFile, second.current.keyPem);
    await holds('CertificateMismatch', 1);
    await replace(files.keyFile, first.current.keyPem.slice(0, 60));
    await holds('CertificateInvalid', 2);
    await unlink(files.keyFile);
    await holds('CertificateUnreadable', 3);
    assert.equal((await server.post('/mutate', sampleReview(), { ca: first.caPem })).status, 200);
    await replace(files.keyFile, first.current.keyPem);
    await sleep(60);
    assert.equal(errors.length, 3);
    assert.equal(await server.metric('carm_webhook_certificate_reload_failed'), 0);
    await write(files, second);
    await until(() => certificate.current.certPem === second.current.certPem);
    assert.equal((await server.post('/mutate', sampleReview(), { ca: second.caPem })).status, 200);
  });

  test("follow kubelet's swap of a symbolic link", async t => {
    const [first, second] = await Promise.all([makeSelfSigned(), makeSelfSigned()]);
    const path = await mkdtemp(join(tmpdir(), 'carm-webhook-certificate-'));
    t.after(() => rm(path, { recursive: true, force: true }));
    for (const [name, pair] of [
      ['one', first],
      ['two', second],
    ] as const) {
      await writeFile(join(path, `${name}.crt`), pair.current.certPem);
      await writeFile(join(path, `${name}.key`), pair.current.keyPem);
    }
    const certFile = join(path, 'tls.crt');
    const keyFile = join(path, 'tls.key');
    await symlink('one.crt', certFile);
    await symlink('one.key', keyFile);
    const certificate = await CertificateFiles.open({ certFile, keyFile, pollMs: 10 });
    t.after(() => certificate.close());
    for (const extension of ['crt', 'key']) {
      await symlink(`two.${extension}`, join(path, 'next'));
      await rename(join(path, 'next'), join(path, `tls.${extension}`));
    }
    await until(() => certificate.current.certPem === second.current.certPem);
  });

  test('that cannot be served at the start are one typed error of one line', async t => {
    const [first, second] = await Promise.all([makeSelfSigned(), makeSelfSigned()]);
    const files = await folder(t);
    const { caFile: clientCaFile } = files;
    const opens = (code: string, message: RegExp, more = {}) =>
      assert.rejects(CertificateFiles.open({ ...files, ...more }), error => {
        assert.ok(error instanceof CertificateError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    await opens(
      'CertificateUnreadable',
      /^cannot read --tls-(?:cert|private-key)-file "[^"]+\/tls\.(?:crt|key)": there is no such file$/,
    );
    await write(files, first);
    await writeFile(files.keyFile, second.current.keyPem);
    await opens(
      'CertificateMismatch',
      /^the key in --tls-private-key-file ".*tls\.key" does not belong to the certificate in --tls-cert-file ".*tls\.crt"$/,
    );
    await writeFile(files.keyFile, 'no key');
    await opens('CertificateInvalid', /^--tls-private-key-file ".*tls\.key" is not/);
    await write(files, first);
    await writeFile(files.certFile, '');
    await opens('CertificateInvalid', /^--tls-cert-file ".*tls\.crt" is not/);
    await write(files, first);
    await writeFile(clientCaFile, 'nothing');
    await opens('ClientCaInvalid', /^--client-ca-file ".*ca\.crt" holds no PEM certificate$/, { clientCaFile });
    await opens('CertificateUnreadable', /: it is a folder/, { certFile: tmpdir() });
  });
});

test('another certificate is served to new connections only; old ones stay', async t => {
  const [first, second] = await Promise.all([makeSelfSigned(), makeSelfSigned()]);
  const files = await folder(t);
  await write(files, first);
  const certificate = await CertificateFiles.open({ ...files, pollMs: 10 });
  const server = await start(t, { certificate });
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const options = { agent, ca: first.caPem };
  assert.equal((await server.post('/mutate', sampleReview(), options)).headers['connection'], 'keep-alive');
  await write(files, second);
  await until(() => certificate.current.certPem === second.current.certPem);
  // A client that does not know the second CA yet goes on over its connection.
  assert.equal((await server.post('/mutate', sampleReview(), options)).status, 200);
  await assert.rejects(servedFingerprint(server));
});
