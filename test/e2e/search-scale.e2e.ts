/**
 * By hand, `SEARCH_SCALE=all node --test test/e2e/search-scale.e2e.ts`: searches of 20,000 resources that a real API server
 * holds, all of ACK's kinds installed, and what they cost the webhook, the API server and pods. It takes some minutes.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlPlane } from '../testbed/control-plane.ts';
import { type AckKind, ackPath, ackStatus, installAckKinds } from './ack-crds.ts';
import { boundNamespace, namespace, ownerAnnotation, pod, roleMap, serviceAccount } from './cluster-objects.ts';
import { eachAtOnce, everyAckKind } from './every-ack-kind.ts';
import { asList } from './manifests.ts';
import { sumOf } from './metric-sum.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const a = '111122223333';
const b = '222233334444';
const unused = '333344445555';
const roleOf = (accountId: string): string => `arn:aws:iam::${accountId}:role/ack`;
const kinds = everyAckKind();
const used = kinds.filter((_, index) => index % Math.floor(kinds.length / 20) === 0).slice(0, 20);
const inNamespace = 250;
const others = Array.from({ length: 40 }, (_, index) => `team-${index}`);
const inOthers = 750 / 40;
const settleMs = 30_000;
const skip = process.env['SEARCH_SCALE'] === undefined;

describe('searches of 20,000 resources on a real API server', { skip }, () => {
  let plane: ControlPlane;
  let webhook: WebhookUnderTest;

  before(
    async () => {
      plane = await ControlPlane.start();
      await installAckKinds(plane, kinds);
      // While there is no status subresource, a status is created with its object.
      const withoutStatus = [{ op: 'remove', path: '/spec/versions/0/subresources' }];
      await eachAtOnce(used, kind => patchDefinition(kind, withoutStatus));
      const places = ['big', 'huge', ...others].map(name => namespace(name));
      await plane.kubectl(['apply', '-f', '-'], { input: asList(places) });
      await eachAtOnce(objects(), async ([kind, place, name]) => {
        const { status, body } = await plane.request('POST', ackPath(kind, place), resource(kind, place, name));
        assert.equal(status, 201, JSON.stringify(body));
      });
      const withStatus = [{ op: 'add', path: '/spec/versions/0/subresources', value: { status: {} } }];
      await eachAtOnce(used, kind => patchDefinition(kind, withStatus));
      webhook = await WebhookUnderTest.start(plane);
      const map = roleMap({ [a]: roleOf(a), [b]: roleOf(b), [unused]: roleOf(unused) });
      // Once the webhook is there, it would deny that: ACK has the resources in the other account.
      await plane.kubectl(['apply', '-f', '-'], { input: asList([map, boundNamespace('big', a)]) });
      await webhook.install();
      await plane.kubectl(['apply', '-f', '-'], {
        input: asList([boundNamespace('shop', a), serviceAccount('shop', 'app')]),
      });
    },
    { timeout: 900_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function patchDefinition({ plural, group }: AckKind, patch: readonly object[]): Promise<void> {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`;
    const contentType = 'application/json-patch+json';
    assert.equal((await plane.request('PATCH', path, patch, { contentType })).status, 200);
  }

  function* objects(): Generator<readonly [AckKind, string, string]> {
    for (const kind of used) {
      for (let index = 0; index < inNamespace; index++) yield [kind, 'big', `thing-${index}`];
      for (const [at, place] of others.entries()) {
        const count = Math.floor(inOthers * (at + 1)) - Math.floor(inOthers * at);
        for (let index = 0; index < count; index++) yield [kind, place, `thing-${index}`];
      }
    }
  }

  /** 4 kB of spec, which the API server adds managed fields of as many fields to. */
  function resource({ group, kind, versions }: AckKind, place: string, name: string, bytes = 4000): object {
    const spec = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`field${index}`, 'x'.repeat(bytes / 40)]),
    );
    // In the account that a namespace is bound to next, so that nothing stands in the way and all of it is looked at.
    const status = ackStatus(b, 'eu-central-1', name);
    return {
      apiVersion: `${group}/${versions[0]}`,
      kind,
      metadata: { name, namespace: place },
      spec: { name, ...spec },
      status,
    };
  }

  function memoryMb(field: 'VmHWM' | 'VmRSS'): number {
    const status = readFileSync(`/proc/${webhook.pid}/status`, 'utf8');
    return Math.round(Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
  }

  /** Milliseconds of CPU that the webhook has taken. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
  function cpuMs(): number {
    const fields = readFileSync(`/proc/${webhook.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** How long the webhook took for a pod at /mutate, as it measured itself: all of it, and how many. */
  async function podReviews(): Promise<readonly [seconds: number, count: number]> {
    const text = await webhook.metrics();
    const labels = { webhook: 'pods.carm-webhook.dev' };
    const name = 'carm_webhook_review_duration_seconds';
    return [sumOf(text, `${name}_sum`, labels), sumOf(text, `${name}_count`, labels)];
  }

  /** Calls of ACK's resources that the API server has counted. */
  async function calls(): Promise<number> {
    const { body } = await plane.request<string>('GET', '/metrics');
    const lines = body.split('\n').filter(line => /^apiserver_request_total\{.*services\.k8s\.aws/.test(line));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  async function podsMs(forMs: number): Promise<readonly number[]> {
    const times: number[] = [];
    for (const endsAt = performance.now() + forMs; performance.now() < endsAt; ) {
      const start = performance.now();
      const path = '/api/v1/namespaces/shop/pods?dryRun=All';
      assert.equal((await plane.request('POST', path, pod('shop', 'web'))).status, 201);
      times.push(performance.now() - start);
    }
    return times.toSorted((x, y) => x - y);
  }
  const middle = (times: readonly number[], part: number) => (times[Math.floor(times.length * part)] ?? 0).toFixed(1);

  async function measured(
    t: TestContext,
    what: string,
    ask: () => Promise<{ status: number; warnings: readonly string[] }>,
  ) {
    const before = await calls();
    const cpuBefore = cpuMs();
    const start = performance.now();
    const { status, warnings } = await ask();
    const ms = Math.round(performance.now() - start);
    const workMs = cpuMs() - cpuBefore;
    t.diagnostic(
      `${what}: ${ms} ms (${workMs} ms of CPU in the webhook), status ${status}, ${(await calls()) - before} calls, ${memoryMb('VmRSS')} MB, at most ${memoryMb('VmHWM')} MB`,
    );
    return { status, warnings };
  }

  const rebind = (to: string) => () =>
    plane.request('PATCH', '/api/v1/namespaces/big?dryRun=All', {
      metadata: { annotations: { [ownerAnnotation]: to } },
    });
  const removeEntry = () =>
    plane.request('PATCH', '/api/v1/namespaces/ack-system/configmaps/ack-role-account-map?dryRun=All', {
      data: { [unused]: null },
    });

  test('end in time, in bounded memory', { timeout: 120_000 }, async t => {
    t.diagnostic(`${kinds.length} kinds, ${memoryMb('VmRSS')} MB before`);
    // The API server is at work for a while on what so many definitions come to.
    await sleep(settleMs);
    const [kind = assert.fail('no kind')] = used;
    for (const limit of [100, 500]) {
      const start = performance.now();
      const { body } = await plane.request<object>('GET', `${ackPath(kind, 'big')}?limit=${limit}`);
      const kB = Math.round(JSON.stringify(body).length / 1000);
      t.diagnostic(`a page of ${limit}: ${Math.round(performance.now() - start)} ms, ${kB} kB`);
    }
    for (let time = 0; time < 3; time++) {
      const one = await measured(t, '5,000 in a namespace, none is in the way', rebind(b));
      t.diagnostic(one.warnings.join('; '));
      const all = await measured(t, '20,000 in the cluster, none is in the way', removeEntry);
      assert.equal(all.status, 200);
      t.diagnostic(all.warnings.join('; '));
    }
    const denied = await measured(t, 'the first of 5,000 are in the way', rebind(unused));
    assert.equal(denied.status, 403);
  });

  test('hold up no pods', { timeout: 120_000 }, async t => {
    const start = await podReviews();
    const alone = await podsMs(5000);
    const between = await podReviews();
    let isOver = false;
    const searching = (async () => {
      for (; !isOver; ) await Promise.all([rebind(b)(), removeEntry()]);
    })();
    const beside = await podsMs(5000);
    const end = await podReviews();
    isOver = true;
    await searching;
    const meanMs = ([sum, count]: readonly [number, number], [sumThen, countThen]: readonly [number, number]) =>
      (((sumThen - sum) / (countThen - count)) * 1000).toFixed(1);
    t.diagnostic(`a review of a pod: ${meanMs(start, between)} ms alone, ${meanMs(between, end)} ms beside searches`);
    for (const [what, times] of [
      ['alone', alone],
      ['beside searches', beside],
    ] as const) {
      t.diagnostic(`a pod ${what}: ${middle(times, 0.5)} ms, p99 ${middle(times, 0.99)} ms, of ${times.length}`);
    }
    t.diagnostic(`at most ${memoryMb('VmHWM')} MB`);
  });

  test('say so where objects of 1 MB are too many', { timeout: 240_000 }, async t => {
    const [kind = assert.fail('no kind')] = used;
    await patchDefinition(kind, [{ op: 'remove', path: '/spec/versions/0/subresources' }]);
    const past = {
      headers: {
        'Impersonate-User': 'break-glass',
        'Impersonate-Group': ['system:masters', 'carm-webhook:break-glass'],
      },
    };
    for (const most of [50, 300]) {
      await eachAtOnce(
        Array.from({ length: most }, (_, index) => index),
        async index => {
          const body = resource(kind, 'huge', `large-${index}`, 1_000_000);
          const { status } = await plane.request('POST', ackPath(kind, 'huge'), body, past);
          assert.ok(status === 201 || status === 409, String(status));
        },
      );
      const { status, warnings } = await measured(t, `${most} of 1 MB besides`, removeEntry);
      assert.equal(status, 200);
      t.diagnostic(warnings.join('; '));
    }
  });
});
