import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ControlPlane } from '../testbed/control-plane.ts';
import { BoundNamespace, type PodAnswer, pastTheWebhookHeaders, setAccountMap } from './bound-namespace.ts';
import { eventually } from './eventually.ts';
import { credentialsOf } from './injected-credentials.ts';
import { liveReadsIn } from './metric-sum.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const accounts = ['111122223333', '444455556666'] as const;
const [first, second] = accounts;
const roleOf = (account: string, name = 'team'): string => `arn:aws:iam::${account}:role/${name}`;
const testLimit = { timeout: 60_000 };

describe('changes of the cluster, without a restart', () => {
  let plane: ControlPlane;
  let webhook: WebhookUnderTest;
  let pid: number | undefined;
  let namespaces = 0;

  before(
    async () => {
      plane = await ControlPlane.start();
      // Staleness of production length: within these tests no list is made again for age.
      webhook = await WebhookUnderTest.start(plane, { flags: ['--max-staleness=90s'] });
      ({ pid } = webhook);
      await webhook.install();
      await setAccountMap(plane, { [first]: roleOf(first), [second]: roleOf(second) });
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function boundTo(accountId: string): Promise<BoundNamespace> {
    namespaces += 1;
    return BoundNamespace.create(plane, `team-${namespaces}`, { accountId });
  }

  function roleIn({ status, body }: PodAnswer): string | undefined {
    assert.equal(status, 201, body.message);
    return credentialsOf(body)?.roleArn;
  }

  /** Makes pods until one gets the role; milliseconds from the call on. Every pod before it must have got `before`. */
  async function untilRole(team: BoundNamespace, before: string, role: string): Promise<number> {
    const startedAt = performance.now();
    await eventually(`a pod in ${team.name} gets ${role}`, async () => {
      const answer = await team.tryPod();
      // A rebind became known between the injection and the look at the final pod.
      if (answer.status === 403 && answer.body.message?.includes('(RoleOutsideAccount)') === true) return undefined;
      const found = roleIn(answer);
      if (found !== role) assert.equal(found, before);
      return found === role ? true : undefined;
    });
    return performance.now() - startedAt;
  }

  async function denialOf(team: BoundNamespace): Promise<string> {
    return eventually(`pods in ${team.name} are refused`, async () => {
      const { status, body } = await team.tryPod();
      if (status === 201) return undefined;
      assert.equal(status, 403, body.message);
      return body.message;
    });
  }

  /** Until a pod is answered without asking the API server: all that it needs is in the cache. */
  async function warm(team: BoundNamespace): Promise<void> {
    await eventually(`${team.name} is known`, async () => {
      const before = liveReadsIn(await webhook.metrics());
      roleIn(await team.tryPod());
      return liveReadsIn(await webhook.metrics()) === before ? true : undefined;
    });
  }

  test('100 pods whose namespace is known cost no read', testLimit, async t => {
    const team = await boundTo(first);
    await warm(team);
    const before = liveReadsIn(await webhook.metrics());
    const startedAt = performance.now();
    for (let made = 0; made < 100; made++) assert.equal(roleIn(await team.createPod()), roleOf(first));
    t.diagnostic(`100 pods in ${Math.round(performance.now() - startedAt)} ms`);
    assert.equal(liveReadsIn(await webhook.metrics()), before);
  });

  test('a denial that rests on what is known is read again before it is spoken', testLimit, async () => {
    const team = await boundTo('999999999999');
    await warm(await boundTo(first));
    const before = liveReadsIn(await webhook.metrics());
    assert.match(await denialOf(team), /AccountNotMapped/);
    assert.ok(liveReadsIn(await webhook.metrics()) > before);
  });

  test('the map edited: the next pods get the new role, within a second', testLimit, async t => {
    const team = await boundTo(first);
    await warm(team);
    const reads = liveReadsIn(await webhook.metrics());
    const durations: number[] = [];
    let role = roleOf(first);
    for (let edit = 1; edit <= 9; edit++) {
      const next = roleOf(first, `edit-${edit}`);
      await setAccountMap(plane, { [first]: next, [second]: roleOf(second) });
      durations.push(await untilRole(team, role, next));
      role = next;
    }
    durations.sort((a, b) => a - b);
    const [, , , , median = Number.NaN] = durations;
    t.diagnostic(
      `new role after ${Math.round(median)} ms in the middle, ${Math.round(durations.at(-1) ?? 0)} ms at most`,
    );
    // Of nine, so that one moment of a busy machine decides nothing.
    assert.ok(median < 1000, `${durations.map(Math.round)} ms`);
    // The watch told of it.
    assert.equal(liveReadsIn(await webhook.metrics()), reads);
  });

  test('the entry of the map removed: denied; back again: injected at once', testLimit, async () => {
    const team = await boundTo(second);
    await warm(team);
    await setAccountMap(plane, { [first]: roleOf(first) });
    assert.match(await denialOf(team), /AccountNotMapped/);
    await setAccountMap(plane, { [first]: roleOf(first), [second]: roleOf(second) });
    // No wait: what memory would refuse is read live.
    assert.equal(roleIn(await team.tryPod()), roleOf(second));
  });

  test('bound to another account: the next pods get its role', testLimit, async () => {
    const team = await boundTo(first);
    await warm(team);
    await team.bind(second);
    await untilRole(team, roleOf(first), roleOf(second));
  });

  test('the binding removed: the next pods are denied; bound again: injected at once', testLimit, async () => {
    const team = await boundTo(first);
    await warm(team);
    await team.bind(null);
    assert.match(await denialOf(team), /NamespaceNotBound/);
    await team.bind(second);
    assert.equal(roleIn(await team.tryPod()), roleOf(second));
  });

  test("a ServiceAccount's wish comes, changes, is wrong, goes", testLimit, async () => {
    const requested = 'carm-webhook.dev/role';
    const team = await boundTo(first);
    await warm(team);
    await team.annotateServiceAccount('app', { [requested]: 'reader' });
    await untilRole(team, roleOf(first), roleOf(first, 'reader'));
    await team.annotateServiceAccount('app', { [requested]: 'path/writer' });
    await untilRole(team, roleOf(first, 'reader'), roleOf(first, 'path/writer'));
    await team.annotateServiceAccount('app', { [requested]: roleOf(second) });
    assert.match(await denialOf(team), /RoleOutsideAccount/);
    await team.annotateServiceAccount('app', { [requested]: null });
    assert.equal(roleIn(await team.tryPod()), roleOf(first));
  });

  test('a ServiceAccount deleted: its pods are denied; made again: injected at once', testLimit, async () => {
    const team = await boundTo(first);
    await warm(team);
    await plane.request('DELETE', `/api/v1/namespaces/${team.name}/serviceaccounts/app`);
    assert.match(await denialOf(team), /ServiceAccountNotFound/);
    await team.addServiceAccount('app');
    assert.equal(roleIn(await team.tryPod()), roleOf(first));
  });

  test('the map deleted: denied; made again: injected at once', testLimit, async () => {
    const team = await boundTo(first);
    await warm(team);
    const path = '/api/v1/namespaces/ack-system/configmaps/ack-role-account-map';
    const { status } = await plane.request('DELETE', path, undefined, { headers: pastTheWebhookHeaders });
    assert.equal(status, 200);
    assert.match(await denialOf(team), /AccountMapMissing/);
    await setAccountMap(plane, { [first]: roleOf(first), [second]: roleOf(second) });
    assert.equal(roleIn(await team.tryPod()), roleOf(first));
  });

  test('all of it by one process', () => {
    assert.ok(pid !== undefined);
    assert.equal(webhook.pid, pid);
    // Signal 0 only looks whether it is there.
    assert.ok(process.kill(pid, 0));
  });
});
