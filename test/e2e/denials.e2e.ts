import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bindingDenials } from '../../src/admission/catalogue/binding-denials.ts';
import { roleDenials } from '../../src/admission/catalogue/role-denials.ts';
import { AuditLog, annotationsOf } from './audit-log.ts';
import {
  boundNamespace,
  containerWith,
  deployment,
  namespace,
  pod,
  roleMap,
  serviceAccount,
} from './cluster-objects.ts';
import { accountMap, type DenialCase, teamMap, withMaps, withoutMaps, withPodsKey } from './denial-cases.ts';
import { eventually } from './eventually.ts';
import { assertUntouched } from './injected-pod.ts';
import { runPasted } from './pasted-command.ts';
import { ReviewFlood } from './review-flood.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';
import { SnapshotFile } from './snapshot-file.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const account = '111122223333';
const role = accountMap[account];
const foreignRole = 'arn:aws:iam::999999999999:role/admin';
const testLimit = { timeout: 30_000 };
const denied =
  'Error from server (Forbidden): error when creating "STDIN": admission webhook "pods.carm-webhook.dev" denied the request: ';

interface Status {
  readonly reason?: string;
  readonly message?: string;
}

describe('each denial, as kubectl prints it', () => {
  const audit = new AuditLog();
  const prose = new SnapshotFile('denials.txt');
  const shown = new Set<string>();
  let served: ServedPlane;

  before(
    async () => {
      // Without the ServiceAccount admission plugin, which denies a missing ServiceAccount before any webhook is asked.
      served = await ServedPlane.start({
        flags: ['--feature-gates=TeamLevelCARM=true', '--support-message=Ask in #platform.'],
        apiServerFlags: audit.flags,
      });
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await served?.stop();
    audit.remove();
  });

  const exists = async (path: string): Promise<boolean> => (await served.plane.request('GET', path)).status === 200;

  async function prepare(row: DenialCase, name: string): Promise<void> {
    await served.apply([
      namespace(name, row.namespace),
      ...(row.serviceAccount === null ? [] : [serviceAccount(name, 'app', row.serviceAccount)]),
    ]);
  }

  function checkMessage(row: DenialCase, name: string, object: string, message: string): void {
    const named = (text: string): string => text.replaceAll('NAMESPACE', name);
    assert.ok(message.startsWith(`${object}: `), message);
    assert.match(message, new RegExp(named(row.blames.source)));
    assert.ok(message.endsWith(`. ${named(row.remedy)} (${row.reason}) Ask in #platform.`), message);
    assert.match(message, /^[ -~]{1,1024}$/);
  }

  async function checkRow(row: DenialCase, name: string): Promise<void> {
    await prepare(row, name);
    const aPod = pod(name, 'web', row.pod);
    const refused = await served.apply([aPod], { expectCode: 1 });
    assert.equal(refused.stdout, '');
    assert.ok(refused.stderr.startsWith(denied), refused.stderr);
    checkMessage(row, name, `Pod "web" in namespace "${name}"`, refused.stderr.slice(denied.length).trimEnd());
    const dryRun = await served.apply([aPod], { flags: ['--dry-run=server'], expectCode: 1 });
    assert.equal(dryRun.stderr, refused.stderr);
    assert.equal(await exists(`/api/v1/namespaces/${name}/pods/web`), false);

    const workload = deployment(name, 'web', row.pod);
    const results = await served.apply([workload], { flags: ['--dry-run=server'] });
    assert.equal(await exists(`/apis/apps/v1/namespaces/${name}/deployments/web`), false);
    const warned = await served.apply([workload]);
    assert.equal(warned.stdout, 'deployment.apps/web created\n');
    assert.equal(results.stderr, warned.stderr);
    const [warning, ...more] = warningsOf(warned);
    assert.deepEqual(more, []);
    // In most bundles it comes later in the same file.
    const mayFollow = row.reason === 'ServiceAccountNotFound';
    if (mayFollow) assert.equal(warning, undefined);
    else checkMessage(row, name, 'carm-webhook: pods of Deployment "web" will not start', warning ?? '');

    const event = audit.last('create', 'pods', name, 'web');
    assert.equal(event?.responseStatus?.code, 403);
    const { decision, reason } = annotationsOf(event, 'pods.carm-webhook.dev');
    assert.deepEqual({ decision, reason }, { decision: 'deny', reason: row.reason });
    const ofWorkload = annotationsOf(audit.last('create', 'deployments', name, 'web'), 'workloads.carm-webhook.dev');
    assert.equal(ofWorkload['decision'], mayFollow ? 'allow' : 'deny');
    assert.equal(ofWorkload['reason'], mayFollow ? 'Checked' : row.reason);
    shown.add(row.reason);
    prose.check(`${row.reason}: ${row.what}`, `${refused.stderr}${warned.stderr}`.replaceAll(name, 'NAMESPACE'));
    if (row.filledIn !== undefined) await checkCommand(row.filledIn, refused.stderr, aPod);
  }

  /** The command that the message ends with, pasted into a shell, lets the pod be created. */
  async function checkCommand([placeholder, value]: readonly [string, string], message: string, aPod: object) {
    const [, command = ''] = /: (kubectl (?:create|annotate|patch) .*) \(\w+\) Ask in/.exec(message) ?? [];
    assert.ok(command.includes(placeholder), message);
    const pasted = await runPasted(served.plane, command.replace(placeholder, value));
    assert.deepEqual(pasted, { code: 0, stderr: '' }, command);
    assert.equal((await served.apply([aPod])).stdout, 'pod/web created\n');
  }

  for (const [index, row] of withoutMaps.entries()) {
    test(`${row.reason}: ${row.what}`, testLimit, () => checkRow(row, `unmapped-${index}`));
  }

  test('the maps are made', testLimit, async () => {
    const files = [roleMap(accountMap), roleMap(teamMap, 'ack-role-team-map')];
    // By the way out: no guard of the maps stands in the way of what is wrong in them.
    const as = { user: 'admin', groups: ['system:masters', 'carm-webhook:break-glass'] };
    await served.apply(files, { flags: ['--server-side', '--force-conflicts'], as });
  });

  for (const [index, row] of withMaps.entries()) {
    test(`${row.reason}: ${row.what}`, testLimit, () => checkRow(row, `denied-${index}`));
  }

  describe('with --require-pods-key', () => {
    let strict: WebhookUnderTest;
    before(
      async () => {
        const flags = ['--require-pods-key', '--support-message=Ask in #platform.'];
        strict = await WebhookUnderTest.start(served.plane, { flags });
        await strict.install();
      },
      { timeout: 60_000 },
    );
    after(async () => {
      await served.webhook.install();
      await strict?.stop();
    });
    for (const [index, row] of withPodsKey.entries()) {
      test(`${row.reason}: ${row.what}`, testLimit, () => checkRow(row, `strict-${index}`));
    }
  });

  test('a pod by generateName is named by it', testLimit, async () => {
    await served.apply([boundNamespace('generated', '777788889999'), serviceAccount('generated', 'app')]);
    const unnamed = { ...pod('generated', ''), metadata: { generateName: 'web-', namespace: 'generated' } };
    const input = JSON.stringify(unnamed);
    const refused = await served.plane.kubectl(['create', '-f', '-'], { input, expectCode: 1 });
    assert.ok(refused.stderr.startsWith(`${denied}Pod "web-*" in namespace "generated": `), refused.stderr);
    assert.match(refused.stderr, /\(AccountNotMapped\) Ask in #platform\.\n$/);
    prose.check('AccountNotMapped: a pod by generateName', refused.stderr);
  });

  test('a namespace that does not exist is denied by the API server itself', testLimit, async () => {
    const refused = await served.apply([pod('nowhere', 'web')], { expectCode: 1 });
    assert.match(refused.stderr, /^Error from server \(NotFound\): .*namespaces "nowhere" not found/);
  });

  for (const mode of ['warn', 'audit'] as const) {
    test(`in mode ${mode} what would be denied passes unpatched`, testLimit, async () => {
      const name = `mode-${mode}`;
      const labels = { 'carm-webhook.dev/mode': mode };
      const containers = [containerWith({ name: 'AWS_ROLE_ARN', value: foreignRole })];
      await served.apply([boundNamespace(name, account, { labels }), serviceAccount(name, 'app')]);
      const applied = await served.apply([pod(name, 'web', { containers })]);
      assert.equal(applied.stdout, 'pod/web created\n');
      // Both webhooks say the same, and the API server tells it once.
      const reasons = warningsOf(applied).map(line => /\((\w+)\) Ask in #platform\.$/.exec(line)?.[1]);
      assert.deepEqual(reasons, mode === 'warn' ? ['RoleOutsideAccount'] : []);
      assertUntouched(await served.pod(name, 'web'));
      const event = audit.last('create', 'pods', name, 'web');
      assert.equal(event?.responseStatus?.code, 201);
      const noted = annotationsOf(event, 'pods.carm-webhook.dev');
      assert.equal(noted['decision'], 'deny');
      assert.equal(noted['reason'], 'RoleOutsideAccount');
      assert.equal(noted['account-id'], account);
      const workload = await served.apply([deployment(name, 'web', { containers })]);
      assert.equal(warningsOf(workload).length, mode === 'warn' ? 1 : 0);
      const ofWorkload = audit.last('create', 'deployments', name, 'web');
      assert.equal(annotationsOf(ofWorkload, 'workloads.carm-webhook.dev')['reason'], 'RoleOutsideAccount');
      prose.check(`mode ${mode}: RoleOutsideAccount`, `${applied.stderr}${workload.stderr}`);

      await served.apply([pod(name, 'fine')]);
      const injected = annotationsOf(audit.last('create', 'pods', name, 'fine'), 'pods.carm-webhook.dev');
      assert.deepEqual(injected, { decision: 'mutate', reason: 'Injected', 'account-id': account, 'role-arn': role });
    });
  }

  test('Unverified, 429: the budget of one namespace is spent, another is not concerned', testLimit, async t => {
    await served.apply([
      boundNamespace('flood', account),
      boundNamespace('calm', account),
      serviceAccount('calm', 'app'),
    ]);
    const flood = new ReviewFlood(served.webhook, 'flood');
    try {
      const path = '/api/v1/namespaces/flood/pods?dryRun=All';
      const refused = await eventually('the budget is spent', async () => {
        const { status, body } = await served.plane.request<Status>('POST', path, pod('flood', 'web'));
        if (status !== 429) assert.match(body.message ?? '', /\(ServiceAccountNotFound\)/, `${status}`);
        return status === 429 ? body : undefined;
      });
      assert.equal(refused.reason, 'TooManyRequests');
      assert.match(
        refused.message ?? '',
        /^admission webhook "pods\.carm-webhook\.dev" denied the request: Pod "web" in namespace "flood": .*too many reads in a short time\. Retry; if this persists, .* \(Unverified\) Ask in #platform\.$/,
      );
      assert.equal((await served.apply([pod('calm', 'web')])).stdout, 'pod/web created\n');
    } finally {
      t.diagnostic(`${await flood.stop()} reviews`);
    }
  });

  test('Unverified, 503: the permission to read is taken away', testLimit, async () => {
    await served.apply([boundNamespace('blind', account, { labels: { 'carm-webhook.dev/mode': 'warn' } })]);
    await served.plane.kubectl(['delete', 'clusterrolebinding', 'carm-webhook']);
    await eventually('the API server refuses the reads', async () => {
      const answer = await served.plane.request<Status>(
        'POST',
        '/api/v1/namespaces/blind/pods?dryRun=All',
        pod('blind', 'x'),
      );
      return answer.status === 503 ? true : undefined;
    });
    const refused = await served.apply([pod('blind', 'web')], { expectCode: 1 });
    const message =
      'Error from server (ServiceUnavailable): error when creating "STDIN": admission webhook "pods.carm-webhook.dev" denied the request: Pod "web" in namespace "blind": ';
    assert.ok(refused.stderr.startsWith(message), refused.stderr);
    assert.match(
      refused.stderr,
      /\. Retry; if this persists, ask your platform team to check carm-webhook \(Unverified\) Ask in #platform\.\n$/,
    );
    const event = audit.last('create', 'pods', 'blind', 'web');
    assert.equal(event?.responseStatus?.code, 503);
    assert.equal(annotationsOf(event, 'pods.carm-webhook.dev')['reason'], 'Unverified');

    const warned = await served.apply([deployment('blind', 'web')]);
    assert.equal(warned.stdout, 'deployment.apps/web created\n');
    assert.match(
      warned.stderr,
      /^Warning: carm-webhook could not check the pods of Deployment "web" in namespace "blind": .*\(Unverified\) Ask in #platform\.\n$/,
    );
    prose.check('Unverified: the webhook may not read ServiceAccounts', `${refused.stderr}${warned.stderr}`);
    shown.add('Unverified');
  });

  test('no denial that the catalogue has for pods is left out', () => {
    // The API server looks for the namespace before it asks a webhook; only a race could show this one.
    const never = 'NamespaceNotFound';
    assert.deepEqual(
      [...shown, never].sort(),
      [...Object.keys({ ...bindingDenials, ...roleDenials }), 'Unverified'].sort(),
    );
    prose.finish();
  });
});
