import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeSelfSigned } from '../../../src/server/self-signed.ts';
import { builtBundle } from '../../built-bundle.ts';
import { readyLine } from '../../ready-line.ts';
import { demoState } from '../command-runs.ts';

const limitMs = 20_000;
/** Certificate files are looked at every 2 s, and a page of metrics is up to 1 s old. */
const severalLooksMs = 4_200;

test('each new certificate that cannot be served is counted once, and the last good one stays', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'carm-certificate-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [{ current: first }, { current: second }] = await Promise.all([makeSelfSigned(), makeSelfSigned()]);
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const write = async (certPem: string, keyPem: string): Promise<void> => {
    await Promise.all([writeFile(certFile, certPem), writeFile(keyFile, keyPem)]);
  };
  await write(first.certPem, first.keyPem);
  const files = [`--state=${demoState}`, `--tls-cert-file=${certFile}`, `--tls-private-key-file=${keyFile}`];
  const flags = ['--bind-address=127.0.0.1', '--port=0', '--ops-port=0', '--shutdown-delay=0s'];
  const child = spawn(process.execPath, [builtBundle(), 'serve', ...files, ...flags], {
    env: { PATH: process.env['PATH'] },
    timeout: 60_000,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const { opsPort } = await readyLine(child, limitMs);
  const counted = async (): Promise<readonly (string | undefined)[]> => {
    const page = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
    const errors = /^carm_webhook_certificate_errors_total (\d+)$/m.exec(page)?.[1];
    const expiry = /^carm_webhook_certificate_expiry_timestamp_seconds (\S+)$/m.exec(page)?.[1];
    return [errors, expiry];
  };
  const expiryOf = ({ expiresAtMs }: { readonly expiresAtMs: number }): string => String(expiresAtMs / 1000);
  const until = async (errors: string, expiry: string): Promise<void> => {
    const deadline = performance.now() + limitMs;
    while ((await counted()).join() !== `${errors},${expiry}`) {
      assert.ok(performance.now() < deadline, `${await counted()}`);
      await sleep(200);
    }
  };
  assert.deepEqual(await counted(), ['0', expiryOf(first)]);

  await writeFile(keyFile, second.keyPem);
  await until('1', expiryOf(first));
  await sleep(severalLooksMs);
  assert.deepEqual(await counted(), ['1', expiryOf(first)], 'a key of another certificate');

  await rename(keyFile, `${keyFile}.away`);
  await until('2', expiryOf(first));
  await sleep(severalLooksMs);
  assert.deepEqual(await counted(), ['2', expiryOf(first)], 'a key that is not there');

  await write(second.certPem, second.keyPem);
  await sleep(severalLooksMs);
  assert.deepEqual((await counted())[1], expiryOf(second), 'a good pair');
});
