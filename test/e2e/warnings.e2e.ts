import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { warnings } from '../../src/admission/catalogue/warnings.ts';
import type { KubectlResult } from '../testbed/kubectl.ts';
import {
  boundNamespace,
  injectLabel,
  ownerAnnotation,
  pod,
  type StoredPod,
  serviceAccount,
} from './cluster-objects.ts';
import { assertInjected } from './injected-pod.ts';
import type { Manifest } from './manifests.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';
import { SnapshotFile } from './snapshot-file.ts';
import { accountMap, surroundings, type WarningCase, warningCases } from './warning-cases.ts';

const account = '111122223333';
const role = accountMap[account];
const testLimit = { timeout: 30_000 };

function pathOf({ kind, metadata: { namespace, name } }: Manifest): string {
  if (kind === 'Namespace') return `/api/v1/namespaces/${name}`;
  if (kind === 'Deployment') return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}

describe('each warning, as kubectl prints it', () => {
  const prose = new SnapshotFile('warnings.txt');
  const shown = new Set<string>();
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({ map: accountMap });
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  /** How many warnings the webhook has sent, by its own count. */
  async function sent(): Promise<number> {
    const lines = (await served.webhook.metrics()).split('\n');
    const counts = lines.filter(line => line.startsWith('carm_webhook_warnings_total{'));
    return counts.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** The count after the last row: a fresh one takes a second to come. Undefined after a row that failed. */
  let sentBefore: number | undefined;

  async function isThere(path: string): Promise<boolean> {
    return (await served.plane.request('GET', path)).status === 200;
  }

  function checkLines(row: WarningCase, result: KubectlResult): readonly string[] {
    const lines = warningsOf(result);
    assert.deepEqual(
      lines.map(line => /\((\w+)\)$/.exec(line)?.[1]),
      row.reasons,
      result.stderr,
    );
    for (const line of lines)
      assert.match(line, /^(?:(?:carm-webhook: )?pods of )?(?:Pod|Namespace|Deployment) "[ -~]+$/);
    if (row.invalid === undefined) {
      assert.equal(result.stderr, lines.map(line => `Warning: ${line}\n`).join(''));
    } else {
      assert.match(result.stderr, row.invalid);
    }
    return lines;
  }

  async function checkRow(row: WarningCase, name: string): Promise<void> {
    const { namespace, rest } = surroundings(row, name);
    const ofRest = row.object === undefined ? [] : warningsOf(await served.apply([namespace, ...rest]));
    const subject = row.object?.(name) ?? namespace;
    const path = pathOf(subject as Manifest);
    const expectCode = row.invalid === undefined ? 0 : 1;

    const before = sentBefore === undefined ? await sent() : sentBefore + ofRest.length;
    sentBefore = undefined;
    const dryRun = await served.apply([subject], { flags: ['--dry-run=server'], expectCode });
    const results = checkLines(row, dryRun);
    assert.equal(await isThere(path), false);
    const applied = await served.apply([subject], { expectCode });
    const lines = checkLines(row, applied);
    assert.equal(await isThere(path), row.invalid === undefined);
    assert.deepEqual(results, lines);
    // The message of a denial that a workload is told is none of the warnings that are counted.
    const counted = row.reasons.filter(reason => Object.hasOwn(warnings, reason)).length;
    const now = await sent();
    assert.equal(now - before, 2 * counted);
    sentBefore = now;

    for (const reason of row.reasons) shown.add(reason);
    prose.check(row.what, lines.join('\n').replaceAll(name, 'NAMESPACE'));
  }

  for (const [index, row] of warningCases.entries()) {
    test(`${row.reasons.join(', ')}: ${row.what}`, testLimit, () => checkRow(row, `warned-${index}`));
  }

  test('BindingRemoved: by kubectl annotate, and by its dry run, which stores nothing', testLimit, async () => {
    await served.apply([boundNamespace('unbound', account)]);
    const unbind = ['annotate', 'namespace', 'unbound', `${ownerAnnotation}-`];
    const results = await served.plane.kubectl([...unbind, '--dry-run=server']);
    const { metadata } = await served.get<StoredPod>('/api/v1/namespaces/unbound');
    assert.equal(metadata.annotations?.[ownerAnnotation], account);
    const removed = await served.plane.kubectl(unbind);
    assert.equal(results.stderr, removed.stderr);
    assert.match(removed.stderr, /^Warning: .*\(BindingRemoved\)\n$/);
    shown.add('BindingRemoved');
    prose.check('a binding that is removed', warningsOf(removed).join('\n'));
  });

  test('LabelRestored: by kubectl label, and by its dry run', testLimit, async () => {
    await served.apply([boundNamespace('relabelled', account)]);
    const remove = ['label', 'namespace', 'relabelled', `${injectLabel}-`];
    const results = await served.plane.kubectl([...remove, '--dry-run=server']);
    const removed = await served.plane.kubectl(remove);
    assert.equal(results.stderr, removed.stderr);
    assert.match(removed.stderr, /^Warning: .*\(LabelRestored\)\n$/);
    const { metadata } = await served.get<StoredPod>('/api/v1/namespaces/relabelled');
    assert.equal(metadata.labels?.[injectLabel], 'enabled');
    shown.add('LabelRestored');
    prose.check('a label that is removed by hand', warningsOf(removed).join('\n'));
  });

  test('DebugContainerNotInjected: the account is mapped no more', testLimit, async () => {
    await served.apply([
      boundNamespace('debugged', account),
      serviceAccount('debugged', 'app'),
      pod('debugged', 'web'),
    ]);
    await served.plane.kubectl(['annotate', '--overwrite', 'namespace', 'debugged', `${ownerAnnotation}=444455556666`]);
    const debugged = await served.plane.kubectl(['debug', 'web', '-n', 'debugged', '--image=tools', '-c', 'look']);
    const lines = warningsOf(debugged);
    assert.deepEqual(
      lines.map(line => /\((\w+)\)$/.exec(line)?.[1]),
      ['DebugContainerNotInjected'],
    );
    const { spec } = await served.pod('debugged', 'web');
    assert.equal(spec.ephemeralContainers?.[0]?.env, undefined);
    shown.add('DebugContainerNotInjected');
    prose.check('a debug container where the account is mapped no more', lines.join('\n'));
  });

  test('no warning that the catalogue has for pods, workloads and namespaces is left out', () => {
    // ACK resources, maps and selectors have all but the last; test/aws/verify-roles.aws.ts shows that one.
    const ofOthers = [
      'MappingUseUnverified',
      'OwnerIgnored',
      'UnknownValue',
      'RetainAdded',
      'AdoptedNotRetained',
      'RegionPinned',
      'ResourcesInOtherRegion',
      'ResourcesLeftBehind',
      'RoleReplaced',
      'UnknownService',
      'RoleBroken',
    ];
    assert.deepEqual(
      [...shown].filter(reason => Object.hasOwn(warnings, reason)).sort(),
      Object.keys(warnings)
        .filter(reason => !ofOthers.includes(reason))
        .sort(),
    );
    prose.finish();
  });

  test('nothing is said where nothing is wrong', testLimit, async () => {
    const objects = [boundNamespace('fine', account), serviceAccount('fine', 'app'), pod('fine', 'web')];
    assert.equal((await served.apply(objects)).stderr, '');
  });

  test('a server-side dry run shows the pod as it would be stored, and stores nothing', testLimit, async () => {
    const flags = ['--dry-run=server', '-o', 'json'];
    const dryRun = await served.apply([pod('fine', 'later')], { flags });
    const results = JSON.parse(dryRun.stdout) as StoredPod;
    assertInjected(results, role);
    assert.equal(await isThere('/api/v1/namespaces/fine/pods/later'), false);
    await served.apply([pod('fine', 'later')]);
    const stored = await served.pod('fine', 'later');
    assert.deepEqual(results.spec, stored.spec);
    assert.deepEqual(results.metadata.annotations, stored.metadata.annotations);
  });

  test('a server-side dry run of a namespace shows its label, and stores nothing', testLimit, async () => {
    const flags = ['--dry-run=server', '-o', 'json'];
    const dryRun = await served.apply([boundNamespace('planned', account)], { flags });
    assert.equal((JSON.parse(dryRun.stdout) as StoredPod).metadata.labels?.[injectLabel], 'enabled');
    assert.equal(await isThere('/api/v1/namespaces/planned'), false);
  });

  test('pods by generateName are injected, each under its own name', testLimit, async () => {
    const unnamed = { ...pod('fine', ''), metadata: { generateName: 'batch-', namespace: 'fine' } };
    const input = JSON.stringify(unnamed);
    const names = new Set<string>();
    for (let count = 0; count < 3; count++) {
      const { stdout, stderr } = await served.plane.kubectl(['create', '-f', '-', '-o', 'name'], { input });
      assert.equal(stderr, '');
      const name = stdout.trim().replace('pod/', '');
      assertInjected(await served.pod('fine', name), role);
      names.add(name);
    }
    assert.equal(names.size, 3);
  });
});
