import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultConfig } from '../../../src/admission/config.ts';
import { clusterMetricLabels, openCluster } from '../../../src/cli/serve/open-cluster.ts';
import { createLogger } from '../../../src/server/logs.ts';
import { Metrics } from '../../../src/server/metrics.ts';
import { runCommand } from '../command-runs.ts';

const role = (account: string) => `arn:aws:iam::${account}:role/workloads`;

const maps: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'ack-role-account-map': {
    '111122223333': role('111122223333'),
    'pods.111122223333': role('111122223333'),
    's3.111122223333': role('111122223333'),
    '444455556666': '',
    'not an id': '',
    '777788889999': role('111122223333'),
    '1234': role('111122223333'),
    '222233334444': 'no ARN',
  },
  'ack-role-team-map': {
    red: role('111122223333'),
    'pods.red': '',
    'r e d': role('111122223333'),
    blue: 'no ARN',
  },
};

test('carm_webhook_map_entries counts as invalid what check finds, and empty values not at all', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'carm-maps-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, data] of Object.entries(maps)) {
    const metadata = { name, namespace: 'ack-system' };
    await writeFile(
      join(folder, `${name}.json`),
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }),
    );
  }
  const metrics = new Metrics({
    version: 'test',
    reviewSeries: [],
    warningReasons: [],
    cluster: clusterMetricLabels(defaultConfig),
    processMetrics: false,
  });
  const values = { state: folder, kubeconfig: undefined, verifyRoles: false, maxStalenessMs: 90_000 };
  const served = await openCluster(values, defaultConfig, metrics, createLogger('silent'));
  t.after(() => served.close());
  const counted = async (map: string, valid: boolean) =>
    (await metrics.registry.metrics()).match(`carm_webhook_map_entries{map="${map}",valid="${valid}"} (\\d+)`)?.[1];
  assert.deepEqual([await counted('account', true), await counted('account', false)], ['3', '3']);
  assert.deepEqual([await counted('team', true), await counted('team', false)], ['1', '2']);

  const { stdout } = await runCommand(['check', '--state', folder, '-o', 'json']);
  const findings: { object: { kind: string } }[] = JSON.parse(stdout).findings;
  const inMaps = findings.filter(({ object }) => object.kind === 'ConfigMap');
  // And one for the key that is no id and has no value.
  assert.equal(inMaps.length, 3 + 2 + 1, stdout);
});
