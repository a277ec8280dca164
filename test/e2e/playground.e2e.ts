import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { survivors } from '../testbed/process-liveness.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import { eventually } from './eventually.ts';

const program = join(import.meta.dirname, '..', 'testbed', 'playground.ts');
const startLimitMs = 90_000;
const commandLimitMs = 30_000;
const endLimitMs = 30_000;

describe('make playground', () => {
  let playground: SupervisedProcess;
  let printed = '';
  let errors: Promise<string>;

  before(
    async () => {
      // Where there is no kubectl, the test bed's own is told of.
      playground = new SupervisedProcess(process.execPath, [program], { env: { PATH: '/nonexistent' } });
      playground.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        printed += chunk;
      });
      errors = playground.stderr === null ? Promise.resolve('') : text(playground.stderr);
      await eventually(
        'the playground is ready',
        () => {
          assert.equal(playground.end, undefined, printed);
          return printed.includes('Ctrl-C ends it') ? true : undefined;
        },
        startLimitMs,
      );
    },
    { timeout: startLimitMs + 10_000 },
  );
  after(async () => {
    await playground?.stop(endLimitMs);
  });

  const linesWith = (start: string): readonly string[] =>
    printed
      .split('\n')
      .map(line => line.trim())
      .filter(line => line.startsWith(start));

  /** As a person would: the printed lines in a shell. */
  const inShell = (command: string) => run([...linesWith('export '), command].join('\n'));

  async function run(script: string) {
    const shell = new SupervisedProcess('/bin/sh', ['-c', script]);
    const output = Promise.all([shell.stdout, shell.stderr].map(stream => (stream === null ? '' : text(stream))));
    const end = await shell.wait(commandLimitMs);
    if (end === undefined) shell.signal('SIGKILL');
    const [stdout = '', stderr = ''] = await output;
    return { code: end?.code, stdout, stderr };
  }

  /** The processes that a process has started with some text among their arguments. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ps.html */
  async function childrenOf(parent: number, argument: string): Promise<readonly number[]> {
    const { stdout } = await run('ps -A -o pid= -o ppid= -o args=');
    const rows = stdout.split('\n').filter(row => row.includes(argument));
    const ids = rows.map(row => row.trim().split(/\s+/).slice(0, 2).map(Number));
    return ids.filter(([, ppid]) => ppid === parent).map(([pid = Number.NaN]) => pid);
  }

  test('prints what makes kubectl call it', { timeout: 60_000 }, async () => {
    assert.match(linesWith('export KUBECONFIG=')[0] ?? '', /^export KUBECONFIG=\/\S+$/);
    const { code, stdout, stderr } = await inShell('kubectl get namespace shop -o jsonpath={.metadata.labels}');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /"carm-webhook.dev\/inject":"enabled"/);
  });

  test('prints three commands that show what they say', { timeout: 120_000 }, async () => {
    const [make = '', stray = '', annotate = '', ...more] = linesWith('kubectl ');
    assert.deepEqual(more, []);

    const injected = await inShell(make);
    assert.equal(injected.code, 0, injected.stderr);
    assert.match(injected.stdout, /name: AWS_ROLE_ARN\n\s+value: arn:aws:iam::111122223333:role\/shop-pods/);
    assert.match(injected.stdout, /name: AWS_REGION\n\s+value: eu-central-1/);

    const refused = await inShell(stray);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /\(RoleOutsideAccount\)/);

    const warned = await inShell(annotate);
    assert.equal(warned.code, 0, warned.stderr);
    assert.match(warned.stderr, /^Warning: .*444455556666/m);
    const after = await inShell('kubectl run late -n shop --image=nginx');
    assert.equal(after.code, 1);
    assert.match(after.stderr, /\(AccountNotMapped\)/);
  });

  test('Ctrl-C ends it and all that it started, with exit code 0', { timeout: 60_000 }, async () => {
    const [, kubeconfig = ''] = /^export KUBECONFIG=(.*)$/.exec(linesWith('export KUBECONFIG=')[0] ?? '') ?? [];
    const [, logs = ''] = /^Logs: (.*)$/.exec(linesWith('Logs: ')[0] ?? '') ?? [];
    assert.ok(existsSync(kubeconfig));
    assert.ok(existsSync(logs));
    const server = await inShell('kubectl config view -o jsonpath={.clusters[0].cluster.server}');
    // etcd, kube-apiserver, kube-controller-manager, carm-webhook.
    const pids = await childrenOf(playground.pid, dirname(logs));
    assert.equal(pids.length, 4);
    assert.ok(playground.signal('SIGINT'));
    const end = await playground.wait(endLimitMs);
    assert.deepEqual(end, { code: 0, signal: null }, printed + (end === undefined ? '' : await errors));
    assert.equal(await errors, '');
    assert.deepEqual(await survivors(pids, endLimitMs), []);
    await assert.rejects(fetch(server.stdout), /fetch failed/);
    assert.equal(existsSync(logs), false);
  });
});
