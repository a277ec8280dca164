import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { survivors } from '../testbed/process-liveness.ts';
import { childrenOf, PlaygroundRun } from './playground-run.ts';

const program = join(import.meta.dirname, '..', 'testbed', 'playground.ts');
const startLimitMs = 90_000;
const endLimitMs = 30_000;

describe('make playground', () => {
  let playground: PlaygroundRun;

  before(
    async () => {
      // Where there is no kubectl, the test bed's own is told of.
      playground = await PlaygroundRun.start(program, startLimitMs, { PATH: '/nonexistent' });
    },
    { timeout: startLimitMs + 10_000 },
  );
  after(() => playground?.stop());

  test('prints what makes kubectl call it', { timeout: 60_000 }, async () => {
    assert.match(playground.valueOf('export KUBECONFIG='), /^\/\S+$/);
    const { code, stdout, stderr } = await playground.type('kubectl get namespace shop -o jsonpath={.metadata.labels}');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /"carm-webhook.dev\/inject":"enabled"/);
  });

  test('prints three commands that show what they say', { timeout: 120_000 }, async () => {
    const [make = '', stray = '', annotate = '', ...more] = playground.linesWith('kubectl ');
    assert.deepEqual(more, []);

    const injected = await playground.type(make);
    assert.equal(injected.code, 0, injected.stderr);
    assert.match(injected.stdout, /name: AWS_ROLE_ARN\n\s+value: arn:aws:iam::111122223333:role\/shop-pods/);
    assert.match(injected.stdout, /name: AWS_REGION\n\s+value: eu-central-1/);

    const refused = await playground.type(stray);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /\(RoleOutsideAccount\)/);

    const warned = await playground.type(annotate);
    assert.equal(warned.code, 0, warned.stderr);
    assert.match(warned.stderr, /^Warning: .*444455556666/m);
    const after = await playground.type('kubectl run late -n shop --image=nginx');
    assert.equal(after.code, 1);
    assert.match(after.stderr, /\(AccountNotMapped\)/);
  });

  test('Ctrl-C ends it and all that it started, with exit code 0', { timeout: 90_000 }, async () => {
    const kubeconfig = playground.valueOf('export KUBECONFIG=');
    const logs = playground.valueOf('Logs: ');
    assert.ok(existsSync(kubeconfig));
    assert.ok(existsSync(logs));
    const server = await playground.type('kubectl config view -o jsonpath={.clusters[0].cluster.server}');
    // etcd, kube-apiserver, kube-controller-manager, carm-webhook.
    const pids = await childrenOf(playground.process.pid, dirname(logs));
    assert.equal(pids.length, 4);
    await playground.interrupt();
    assert.deepEqual(await survivors(pids, endLimitMs), []);
    await assert.rejects(fetch(server.stdout), /fetch failed/);
    assert.equal(existsSync(logs), false);
  });
});
