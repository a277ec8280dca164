import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { demoState, inRepository, runBundle } from './command-runs.ts';
import { startTinyApiServer } from './tiny-api-server.ts';

/** The commands as a person runs them: the built bundle as a process of its own. */
describe('the bundle', () => {
  const web = inRepository('test/demo/web.yaml');

  test('inject', async () => {
    const { code, stdout, stderr } = await runBundle(['inject', '-f', web, '--state', demoState]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(stdout.startsWith('# A pod as anyone would write it'));
    const { volumes, containers } = parse(stdout).spec;
    assert.equal(volumes[0].projected.sources[0].serviceAccountToken.audience, 'sts.amazonaws.com');
    assert.equal(containers[0].env.length, 7);
  });

  test('inject from stdin, denied', async () => {
    const stdin = (await readFile(web, 'utf8')).replace('team-a', 'team-b');
    const { code, stdout, stderr } = await runBundle(['inject', '-f', '-', '--state', demoState], { stdin });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^stdin:2: denied: .*\(AccountNotMapped\)\n$/);
  });

  test('inject without cluster and state: exit 3, what is missing', async () => {
    const { code, stdout, stderr } = await runBundle(['inject', '-f', web]);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(
      stderr,
      /^carm-webhook: Namespace "team-a" is not in the input and cannot be read: there is no kubeconfig.*\n$/,
    );
  });

  test('check', async () => {
    const { code, stdout } = await runBundle(['check', '--state', demoState]);
    assert.equal(code, 1);
    assert.match(stdout, /AccountNotMapped +Namespace team-b\n/);
  });

  test('why', async () => {
    const { code, stdout } = await runBundle(['why', 'namespace', 'team-a', '--state', demoState]);
    assert.equal(code, 0);
    assert.match(stdout, /Role from: +ConfigMap ack-system\/ack-role-account-map/);
  });

  test('version', async () => {
    const { code, stdout } = await runBundle(['version']);
    assert.equal(code, 0);
    assert.match(stdout, /^carm-webhook \d+\.\d+\.\d+ \(Node\.js 24\.\d+\.\d+\)\n$/);
  });

  test('finds the cluster by KUBECONFIG, and ends at once when it is done', async t => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'plain' } };
    const api = await startTinyApiServer(t, [namespace]);
    const startedAt = performance.now();
    const env = { KUBECONFIG: api.kubeconfig };
    const { code, stdout } = await runBundle(['why', 'namespace', 'plain'], { env });
    assert.equal(code, 0);
    assert.match(stdout, /\(NamespaceNotManaged\)/);
    assert.ok(performance.now() - startedAt < 8_000);
  });
});
