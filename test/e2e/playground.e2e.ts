import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { survivors } from '../testbed/process-liveness.ts';
import { eventually } from './eventually.ts';
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

  test('prints where the health and the metrics of the webhook are', { timeout: 30_000 }, async () => {
    const [ready = '', metrics = ''] = playground.valueOf('Health and metrics: ').split(', ');
    assert.equal(await (await fetch(ready)).text(), 'ok\n');
    await eventually('the bound namespace is counted', async () =>
      /^carm_webhook_bound_namespaces 1$/m.test(await (await fetch(metrics)).text()) ? true : undefined,
    );
  });

  test('at the start there is nothing for check to find', { timeout: 60_000 }, async () => {
    const [check = ''] = playground.linesWith('node ');
    // The shell of the test has no PATH.
    const { code, stdout, stderr } = await playground.type(check.replace('node', process.execPath));
    assert.deepEqual([code, stderr], [0, ''], stdout);
  });

  test("prints commands that try ACK's resources", { timeout: 60_000 }, async () => {
    const [create = '', unbound = '', forged = '', ...more] = playground.linesWith('echo ');
    assert.deepEqual(more, []);
    const created = await playground.type(create);
    assert.equal(created.code, 0, created.stderr);
    assert.match(created.stdout, /services\.k8s\.aws\/region: eu-central-1/);
    const warned = await playground.type(unbound);
    assert.equal(warned.code, 0, warned.stderr);
    assert.match(warned.stderr, /^Warning: Topic "orders" .*\(NamespaceNotBound\)$/m);
    const refused = await playground.type(forged);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /\(ForgedAnnotation\)/);
    const status = JSON.stringify({
      status: { ackResourceMetadata: { ownerAccountID: '444455556666', region: 'us-east-1' } },
    });
    const patch = `kubectl patch bucket assets -n shop --subresource=status --type=merge --patch '${status}'`;
    assert.match((await playground.type(patch)).stderr, /\(ForgedStatus\)/);
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

test('make playground reports a webhook that dies at once', { timeout: startLimitMs + 60_000 }, async t => {
  const playground = await PlaygroundRun.start(program, startLimitMs);
  t.after(() => playground.stop());
  const [pid = 0] = await childrenOf(playground.process.pid, 'carm-webhook.mjs');
  assert.ok(pid > 0);
  process.kill(pid, 'SIGKILL');
  await eventually('it is reported', () => (playground.complaints === '' ? undefined : true), 5_000);
  assert.match(playground.complaints, /^\ncarm-webhook has ended \(SIGKILL\): .* Its log: \/\S+\n$/);
  // It goes on, and shows what a webhook that does not answer does.
  const refused = await playground.type('kubectl run web -n shop --image=nginx');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /failed calling webhook "pods\.carm-webhook\.dev"/);
  assert.ok(playground.process.signal('SIGINT'));
  assert.deepEqual(await playground.process.wait(endLimitMs), { code: 1, signal: null });
});
