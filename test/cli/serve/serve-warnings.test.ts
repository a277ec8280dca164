import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { builtBundle } from '../../built-bundle.ts';
import { readAll } from '../../server/wire.ts';
import { demoState } from '../command-runs.ts';

/** Targets that make a dependency of ours call what Node.js deprecates. */
const targets = ['https://x:bad/mutate', '*', 'https://x/mutate', 'https://y:bad/mutate'];

test('serve has nothing but JSON to say, whatever the target of a request; Node.js warns once', async t => {
  const flags = ['--tls-self-signed', '--bind-address=127.0.0.1', '--port=0', '--ops-port=0', '--shutdown-delay=0s'];
  const child = spawn(process.execPath, [builtBundle(), 'serve', '--state', demoState, ...flags], {
    env: { PATH: process.env['PATH'] },
    timeout: 20_000,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [errors, ended] = [text(child.stderr), once(child, 'close')];
  let written = '';
  child.stdout.on('data', (chunk: Buffer) => {
    written += chunk.toString();
  });
  while (!written.includes('\n') && child.exitCode === null) await Promise.race([once(child.stdout, 'data'), ended]);
  const { port } = JSON.parse(written.split('\n', 1)[0] ?? '');
  for (const target of targets) {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    socket.end(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    assert.match((await readAll(socket)).text, /^HTTP\/1\.1 40[45] /);
  }
  child.kill('SIGTERM');
  await ended;
  assert.equal(await errors, '');
  const lines = written
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  const codes = lines.filter(({ level }) => level === 'warn').map(({ code }) => code);
  assert.ok(codes.includes('DEP0170'), written);
  assert.deepEqual(codes, [...new Set(codes)]);
});
