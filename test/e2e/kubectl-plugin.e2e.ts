import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { builtBundle } from '../built-bundle.ts';
import { demoState } from '../cli/command-runs.ts';
import { startTinyApiServer } from '../cli/tiny-api-server.ts';
import { controlPlaneProgram } from '../testbed/binaries.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';

/** The built program under the names that package.json gives it, found by a real kubectl on the PATH. */
describe('kubectl carm', () => {
  let folder: string;
  let env: Readonly<Record<string, string>>;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'carm-plugin-'));
    const programs = join(folder, 'bin');
    mkdirSync(programs);
    for (const name of ['kubectl-carm', 'kubectl_complete-carm']) symlinkSync(builtBundle(), join(programs, name));
    // The first line of the program asks the PATH for node.
    const path = [programs, dirname(process.execPath), dirname(controlPlaneProgram('kubectl'))];
    // Without the folders of this machine's PATH that are not there, of which kubectl warns.
    env = { PATH: [...path, '/usr/bin', '/bin'].join(delimiter), HOME: folder };
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function kubectl(...args: readonly string[]) {
    const result = spawnSync('kubectl', args, { env, encoding: 'utf8', timeout: 20_000 });
    assert.equal(result.error, undefined);
    return result;
  }

  test('is listed without a warning', () => {
    const { status, stdout, stderr } = kubectl('plugin', 'list');
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /^\S+\/kubectl-carm$/m);
  });

  test('runs commands, with their exit codes, and calls itself so in help and hints', () => {
    const check = kubectl('carm', 'check', '--state', demoState);
    assert.equal(check.status, 1);
    assert.match(check.stdout, /^SEVERITY +REASON +OBJECT$/m);
    assert.match(kubectl('carm', 'why', '--help').stdout, /^Usage: kubectl carm why pod NAME /);
    assert.match(kubectl('carm', '--help').stdout, /^Usage: kubectl carm COMMAND \[flags\]\n/);
    const unknown = kubectl('carm', 'check', '--contxt', 'a');
    assert.equal(unknown.status, 2);
    assert.equal(
      unknown.stderr.split('\n')[0],
      'carm-webhook: unknown flag "--contxt". Did you mean --context? `kubectl carm check --help` lists the flags',
    );
  });

  test('takes --kubeconfig, --context and --namespace as kubectl does, behind the command', async t => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'team-a' },
      spec: { containers: [] },
    };
    const api = await startTinyApiServer(t, [
      pod,
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } },
    ]);
    const flags = [`--kubeconfig=${api.kubeconfig}`, '--context=good', '--namespace=team-a', '-o', 'json'];
    // Not by spawnSync: the server is in this process.
    const child = new SupervisedProcess('kubectl', ['carm', 'why', 'pod', 'web', ...flags], { env });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    const end = await child.wait(20_000);
    assert.equal(end?.code, 0, Buffer.concat(chunks).toString());
    assert.equal(JSON.parse(Buffer.concat(chunks).toString()).namespace, 'team-a');
    assert.ok(api.requests.includes('/api/v1/namespaces/team-a/pods/web'));
  });

  test('is completed by kubectl', () => {
    const completed = (...words: readonly string[]) =>
      kubectl('__complete', 'carm', ...words)
        .stdout.trimEnd()
        .split('\n');
    assert.deepEqual(
      completed('ver').map(line => line.split('\t')[0]),
      ['verify', 'version', ':4'],
    );
    assert.deepEqual(completed('check', '--output', ''), ['table', 'json', ':4']);
    assert.deepEqual(completed('check', '--state', ''), [':16']);
  });
});
