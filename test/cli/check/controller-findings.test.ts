import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import type { Finding } from '../../../src/cli/check/finding.ts';
import { runCommand } from '../command-runs.ts';
import { notInstalled, startTinyApiServer, type TinyObject } from '../tiny-api-server.ts';

const ownNamespace = { name: 'ACK_SYSTEM_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } };
const ofSecret = { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'settings', key: 'a' } } };

interface Controller {
  readonly alias?: string;
  readonly namespace?: string;
  readonly args?: readonly string[];
  readonly env?: readonly object[];
}

function controller({
  alias = 's3',
  namespace = 'ack-system',
  args = [],
  env = [ownNamespace],
}: Controller): TinyObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `ack-${alias}-controller`, namespace },
    spec: { template: { spec: { containers: [{ name: 'controller', command: ['./bin/controller'], args, env }] } } },
  };
}

async function check(t: TestContext, objects: readonly TinyObject[], ...flags: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'carm-check-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'state.yaml'), objects.map(object => `---\n${stringify(object)}`).join(''));
  const { stdout, stderr } = await runCommand(['check', '--state', folder, '-o', 'json', ...flags]);
  const findings: readonly Finding[] = JSON.parse(stdout).findings;
  return { findings, stderr };
}

const gates = (text: string) => `--feature-gates=${text}`;
const so = 'so it ignores the bindings of all namespaces and works in its own account';

describe("what check finds in the flags of ACK's controllers", () => {
  const rows: readonly (readonly [
    title: string,
    controller: Controller,
    flags: readonly string[],
    found: readonly (readonly [reason: string, message: string])[],
  ])[] = [
    ['nothing where both say the same', { args: ['--aws-region=eu-central-1'] }, ['--default-region=eu-central-1'], []],
    [
      'the same gates in another order, and gates of its own',
      { args: [gates('TeamLevelCARM=T, ServiceLevelCARM=1,ResourceAdoption=false,IgnoreFieldDrift=true')] },
      [gates('ServiceLevelCARM=true,TeamLevelCARM=true')],
      [],
    ],
    [
      'gates that differ, each for itself',
      { args: [gates('TeamLevelCARM=true')] },
      [gates('ServiceLevelCARM=true')],
      [
        [
          'ControllerGatesDiffer',
          'it runs with ServiceLevelCARM=false, but --feature-gates of carm-webhook says ServiceLevelCARM=true',
        ],
        [
          'ControllerGatesDiffer',
          'it runs with TeamLevelCARM=true, but --feature-gates of carm-webhook says TeamLevelCARM=false',
        ],
      ],
    ],
    [
      'CARM that is off',
      { args: ['--enable-carm=F'] },
      [],
      [['ControllerIgnoresBindings', `it runs with --enable-carm=false and without the gate IAMRoleSelector, ${so}`]],
    ],
    [
      'CARM that is off for selectors',
      { args: ['--enable-carm=false', gates('IAMRoleSelector=true')] },
      [gates('IAMRoleSelector=true')],
      [],
    ],
    [
      'selectors only with us',
      { args: ['--enable-carm=false'] },
      [gates('IAMRoleSelector=true')],
      [
        [
          'ControllerGatesDiffer',
          'it runs with IAMRoleSelector=false, but --feature-gates of carm-webhook says IAMRoleSelector=true',
        ],
        ['ControllerIgnoresBindings', `it runs with --enable-carm=false and without the gate IAMRoleSelector, ${so}`],
      ],
    ],
    [
      'one watched namespace',
      { args: ['--watch-namespace', 'shop'] },
      [],
      [['ControllerIgnoresBindings', `it watches one namespace, "shop", which turns CARM off, ${so}`]],
    ],
    ['two watched namespaces', { args: ['--watch-namespace=shop,web'] }, [], []],
    [
      'one watched namespace with selectors',
      { args: ['--watch-namespace=shop', '--enable-carm=false', gates('IAMRoleSelector=true')] },
      [gates('IAMRoleSelector=true')],
      [],
    ],
    [
      'maps of another namespace',
      { env: [{ name: 'ACK_SYSTEM_NAMESPACE', value: 'acks' }] },
      [],
      [
        [
          'ControllerReadsOtherMaps',
          'it reads its maps in namespace "acks", but carm-webhook reads those of s3 in "ack-system"',
        ],
      ],
    ],
    [
      'maps of a namespace that is for other services',
      {},
      ['--ack-system-namespace=ack-system=iam,acks'],
      [
        [
          'ControllerReadsOtherMaps',
          'it reads its maps in namespace "ack-system", but carm-webhook reads those of s3 in "acks"',
        ],
      ],
    ],
    ['maps of a shard', { namespace: 'acks' }, ['--ack-system-namespace=ack-system,acks'], []],
    ['a namespace that is none of ACK', { namespace: 'elsewhere', args: ['--enable-carm=false'] }, [], []],
    [
      'another region',
      { args: ['--aws-region=eu-west-1'] },
      ['--default-region=eu-central-1'],
      [
        [
          'ControllerRegionDiffers',
          'its --aws-region is "eu-west-1", but pods get --default-region eu-central-1 where their namespace names no region',
        ],
      ],
    ],
  ];
  for (const [title, written, flags, found] of rows) {
    test(title, async t => {
      const { findings, stderr } = await check(t, [controller(written)], ...flags);
      assert.deepEqual(
        findings.map(({ reason, message }) => [reason, message]),
        found,
      );
      for (const { object, fix } of findings) {
        assert.deepEqual(object, { kind: 'Deployment', namespace: 'ack-system', name: 'ack-s3-controller' });
        assert.match(fix, /^(?:Set|Have|Name) .{20,}\.$/);
      }
      assert.equal(stderr, '');
    });
  }

  test('values that the Deployment does not hold, or that ACK does not start with, are said not to be checked', async t => {
    const args = ['--watch-namespace=$(SECRET)', '--enable-carm=no', gates('TeamLevelCARM')];
    const { findings, stderr } = await check(t, [controller({ args, env: [ofSecret, ownNamespace] })]);
    assert.deepEqual(findings, []);
    assert.equal(
      stderr,
      'not checked: --feature-gates, --enable-carm, --watch-namespace of Deployment "ack-system/ack-s3-controller": no valid value is in the Deployment itself\n',
    );
  });

  test('of a cluster, each ACK system namespace is listed; who may not is told so', async t => {
    const other = { ...controller({ alias: 'web' }), metadata: { name: 'web', namespace: 'acks' } };
    const off = { args: ['--enable-carm=false'] };
    const controllers = [controller({ ...off, namespace: 'acks' }), other, controller({ ...off, namespace: 'shop' })];
    const api = await startTinyApiServer(t, controllers);
    const argv = ['check', '-o', 'json', '--kubeconfig', api.kubeconfig, '--ack-system-namespace=ack-system,acks'];
    const { stdout, stderr } = await runCommand(argv);
    assert.equal(stderr, notInstalled);
    const findings: readonly Finding[] = JSON.parse(stdout).findings;
    assert.deepEqual(
      findings.map(({ reason, object: { namespace, name } }) => `${reason} ${namespace}/${name}`),
      ['ControllerIgnoresBindings acks/ack-s3-controller'],
    );
    api.forbidden.add('/apis/apps/v1/namespaces/acks/deployments');
    const forbidden = await runCommand(argv);
    assert.deepEqual(JSON.parse(forbidden.stdout).findings, []);
    assert.match(
      forbidden.stderr.replace(notInstalled, ''),
      /^not checked: cannot read the deployments: .*403 Forbidden \(you need the right to list deployments\)\n$/,
    );
  });

  test('so many Deployments are taken of a cluster, and it is said that there are more', async t => {
    const many = Array.from({ length: 1001 }, (_, index) => controller({ alias: `a${index}` }));
    const api = await startTinyApiServer(t, many);
    const { stderr } = await runCommand(['check', '--kubeconfig', api.kubeconfig]);
    assert.equal(stderr, `not checked: Deployments of ACK's controllers after the first 1000\n${notInstalled}`);
  });
});
