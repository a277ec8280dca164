import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { guardDenials } from '../../src/admission/catalogue/guard-denials.ts';
import { rebindDenials } from '../../src/admission/catalogue/rebind-denial.ts';
import { resourceDenials } from '../../src/admission/catalogue/resource-denials.ts';
import { installAckKinds, pastTheWebhook } from './ack-crds.ts';
import { type AckDenialCase, accountMap, bySelectors, teamMap, withMaps, withoutMaps } from './ack-denial-cases.ts';
import { roleMap } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { sumOf } from './metric-sum.ts';
import { ServedPlane } from './served-plane.ts';
import { SnapshotFile } from './snapshot-file.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const testLimit = { timeout: 30_000 };
const supportMessage = '--support-message=Ask in #platform.';

describe('each denial of ACK resources and their guards, as kubectl prints it', () => {
  const prose = new SnapshotFile('ack-denials.txt');
  const shown = new Set<string>();
  let served: ServedPlane;
  let rows = 0;

  before(
    async () => {
      served = await ServedPlane.start({ flags: ['--feature-gates=TeamLevelCARM=true', supportMessage] });
      await installAckKinds(served.plane);
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  async function prepare(row: AckDenialCase, name: string): Promise<void> {
    const given = row.given?.(name) ?? [];
    if (given.length > 0) await served.apply(given, { as: pastTheWebhook });
    if (row.inDeletion) await served.plane.kubectl(['delete', 'namespace', name, '--wait=false']);
    if (row.status === undefined) return;
    const args = ['patch', 'bucket', 'assets', '-n', name, '--subresource=status', '--type=merge'];
    await served.plane.kubectl([...args, '-p', JSON.stringify({ status: row.status })], { as: pastTheWebhook });
  }

  async function refuse(row: AckDenialCase, name: string, dryRun: boolean): Promise<string> {
    const flags = dryRun ? ['--dry-run=server'] : [];
    const { stdout, stderr } =
      row.apply === undefined
        ? await served.plane.kubectl([...(row.command?.(name) ?? []), ...flags], { expectCode: 1 })
        : await served.apply([row.apply(name)], { flags, expectCode: 1 });
    assert.equal(stdout, '');
    return stderr;
  }

  function check(row: AckDenialCase): void {
    test(`${row.reason}: ${row.what}`, testLimit, async () => {
      rows += 1;
      const name = `case-${rows}`;
      await prepare(row, name);
      const said = await refuse(row, name, false);
      const lines = said
        .trimEnd()
        .split('\n')
        .filter(line => line.includes('carm-webhook.dev" denied the request: '));
      assert.equal(lines.length, 1, said);
      const [, message = ''] = lines[0]?.split(' denied the request: ') ?? [];
      assert.match(message, /^[ -~]{1,1024}$/);
      assert.match(message, /\. (?:To fix this,|Ask your platform team to) /);
      assert.ok(message.endsWith(` (${row.reason}) Ask in #platform.`), message);
      assert.equal(await refuse(row, name, true), said);
      shown.add(row.reason);
      prose.check(`${row.reason}: ${row.what}`, said.replaceAll(name, 'NAMESPACE'));
    });
  }

  describe('without maps', () => {
    for (const row of withoutMaps) check(row);
  });

  describe('with maps', () => {
    before(async () => {
      const account = { ...accountMap, '555566667777': 'arn:aws:iam::555566667777:role/ack' };
      await served.apply([roleMap(account), roleMap(teamMap, 'ack-role-team-map')], { as: pastTheWebhook });
    });
    for (const row of withMaps) check(row);
  });

  describe('with the feature gate IAMRoleSelector', () => {
    let webhook: WebhookUnderTest;
    before(async () => {
      await served.webhook.stopProcess();
      webhook = await WebhookUnderTest.start(served.plane, {
        flags: ['--feature-gates=IAMRoleSelector=true', '--authorize-bindings', supportMessage],
        values: { authorizeBindings: { enabled: true }, config: { featureGates: { IAMRoleSelector: true } } },
      });
      await webhook.install();
      await eventually('selectors are watched', async () =>
        sumOf(await webhook.metrics(), 'carm_webhook_watch_synced', { resource: 'iamroleselectors' }) === 1
          ? true
          : undefined,
      );
    });
    after(() => webhook?.stop());
    for (const row of bySelectors) check(row);
  });

  test('no denial of resources and guards is left out', () => {
    for (const reason of [resourceDenials, rebindDenials, guardDenials].flatMap(Object.keys)) {
      assert.ok(shown.has(reason), reason);
    }
    prose.finish();
  });
});
