import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { promlint } from '../testbed/promlint.ts';
import { boundNamespace, containerWith, deployment, type PodFields, pod, serviceAccount } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { sumOf } from './metric-sum.ts';
import { PatchingWebhook } from './patching-webhook.ts';
import { ServedPlane } from './served-plane.ts';

/** The figures by which a platform team goes from mode warn to enforce. */

const account = '111122223333';
const unmapped = '444455556666';
const role = `arn:aws:iam::${account}:role/shop`;
const foreignRole = 'arn:aws:iam::999999999999:role/admin';
const testLimit = { timeout: 30_000 };
const reviews = 'carm_webhook_reviews_total';
const dryRuns = 'carm_webhook_dry_run_reviews_total';
const naming = (value: string): PodFields => ({ containers: [containerWith({ name: 'AWS_ROLE_ARN', value })] });

describe('what is softened is counted', () => {
  let served: ServedPlane;
  let other: PatchingWebhook | undefined;

  before(
    async () => {
      served = await ServedPlane.start({ map: { [account]: role } });
      for (const mode of ['warn', 'audit', 'enforce']) {
        const labels = { 'carm-webhook.dev/mode': mode };
        await served.apply([
          boundNamespace(`mapped-${mode}`, account, { labels }),
          boundNamespace(`unmapped-${mode}`, unmapped, { labels }),
          ...['mapped', 'unmapped'].map(name => serviceAccount(`${name}-${mode}`, 'app')),
        ]);
      }
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await other?.stop();
    await served?.stop();
  });

  /** The query of docs/metrics.md. */
  const wouldBeDenied = (page: string): number =>
    ['warned', 'audited'].reduce((sum, outcome) => {
      const labels = { endpoint: 'validate', outcome };
      const ofWorkloads = { ...labels, webhook: 'workloads.carm-webhook.dev' };
      return sum + sumOf(page, reviews, labels) - sumOf(page, reviews, ofWorkloads);
    }, 0);
  const denied = (page: string): number => sumOf(page, reviews, { outcome: 'denied' });

  /** The last page: a fresh one takes a second to come. */
  let seen: string | undefined;

  async function counted(act: () => Promise<unknown>) {
    const before = seen ?? (await served.webhook.metrics());
    await act();
    const page = await served.webhook.metrics();
    seen = page;
    const grew = (sum: (text: string) => number): number => sum(page) - sum(before);
    return {
      softened: grew(wouldBeDenied),
      denied: grew(denied),
      all: grew(text => sumOf(text, reviews)),
      page,
      before,
    };
  }

  const pods: readonly (readonly [string, string, PodFields])[] = [
    ['has no role, which /mutate alone looks for', 'unmapped', {}],
    ['names a foreign role, which both endpoints see', 'mapped', naming(foreignRole)],
    ['has no role, and names a foreign one', 'unmapped', naming(foreignRole)],
  ];
  for (const [index, [what, where, fields]] of pods.entries()) {
    for (const mode of ['warn', 'audit']) {
      test(`once: a pod that ${what}, mode ${mode}`, testLimit, async () => {
        const { softened, denied: refused } = await counted(() =>
          served.apply([pod(`${where}-${mode}`, `pod-${index}`, fields)]),
        );
        assert.deepEqual([softened, refused], [1, 0]);
      });
    }

    test(`once: the same pod where mode enforce denies it: it ${what}`, testLimit, async () => {
      const { softened, denied: refused } = await counted(() =>
        served.apply([pod(`${where}-enforce`, `pod-${index}`, fields)], { expectCode: 1 }),
      );
      assert.deepEqual([softened, refused], [0, 1]);
    });
  }

  test('not at all: a valid pod in mode warn', testLimit, async () => {
    const { softened, denied: refused, all } = await counted(() => served.apply([pod('mapped-warn', 'valid')]));
    assert.deepEqual([softened, refused, all], [0, 0, 2]);
  });

  test('not as its pods: a Deployment, which is warned of in every mode', testLimit, async () => {
    const { softened, page, before } = await counted(() => served.apply([deployment('unmapped-warn', 'web')]));
    assert.equal(softened, 0);
    const labels = { webhook: 'workloads.carm-webhook.dev', outcome: 'warned' };
    assert.equal(sumOf(page, reviews, labels) - sumOf(before, reviews, labels), 1);
  });

  test('apart: a dry run, by endpoint and outcome', testLimit, async () => {
    const dryRun = { flags: ['--dry-run=server'] };
    const {
      softened,
      denied: refused,
      all,
      page,
      before,
    } = await counted(async () => {
      await served.apply([pod('unmapped-warn', 'tried')], dryRun);
      await served.apply([pod('mapped-warn', 'tried')], dryRun);
      await served.apply([pod('unmapped-enforce', 'tried')], { ...dryRun, expectCode: 1 });
    });
    assert.deepEqual([softened, refused, all], [0, 0, 0]);
    const grew = (endpoint: string, outcome: string): number =>
      sumOf(page, dryRuns, { endpoint, outcome }) - sumOf(before, dryRuns, { endpoint, outcome });
    assert.deepEqual(
      [grew('mutate', 'warned'), grew('validate', 'warned'), grew('mutate', 'mutated'), grew('validate', 'allowed')],
      [1, 1, 1, 1],
    );
    assert.deepEqual([grew('mutate', 'denied'), grew('validate', 'denied')], [1, 0]);
  });

  test('once: a pod that another webhook made wrong after /mutate had seen it', testLimit, async () => {
    const patching = await PatchingWebhook.start(({ spec }) => {
      const env = spec.containers[0]?.env ?? [];
      const index = env.findIndex(({ name, value }) => name === 'AWS_ROLE_ARN' && value !== foreignRole);
      return index < 0 ? [] : [{ op: 'replace', path: `/spec/containers/0/env/${index}/value`, value: foreignRole }];
    });
    other = patching;
    await served.apply([patching.configuration('zzz-after-us', 'mapped-warn')]);
    await eventually('the API server calls the other webhook', async () => {
      await served.plane.request('POST', '/api/v1/namespaces/mapped-warn/pods?dryRun=All', pod('mapped-warn', 'probe'));
      return patching.asked > 0 ? true : undefined;
    });
    seen = undefined;
    const { softened } = await counted(() => served.apply([pod('mapped-warn', 'changed')]));
    assert.equal(softened, 1);
  });

  test('and whoever reads the page by promtool finds nothing wrong with it', testLimit, async () => {
    const page = await served.webhook.metrics();
    assert.deepEqual(await promlint(page), []);
    assert.notDeepEqual(await promlint('# HELP x_total A gauge.\n# TYPE x_total gauge\nx_total 1\n'), []);
    assert.doesNotMatch(page, /mapped-|unmapped-|111122223333|444455556666/);
    const samples = page.split('\n').filter(line => /^[a-z]/.test(line));
    assert.ok(samples.length < 1200, `${samples.length} series`);
  });

  test('and each of these denials is one line of the log, with who asked for what', testLimit, async () => {
    const lines = (await readFile(served.webhook.logFile, 'utf8'))
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const ofDenied = lines.filter(({ msg, name }) => msg === 'review denied' && name === 'pod-1');
    assert.equal(ofDenied.length, 1);
    const [{ user, kind, namespace: inNamespace, reason, account: ofNamespace, foreignAccount } = {}] = ofDenied;
    assert.deepEqual(
      { user, kind, inNamespace, reason, ofNamespace, foreignAccount },
      {
        user: 'admin',
        kind: 'Pod',
        inNamespace: 'mapped-enforce',
        reason: 'RoleOutsideAccount',
        ofNamespace: account,
        foreignAccount: '999999999999',
      },
    );
  });
});
