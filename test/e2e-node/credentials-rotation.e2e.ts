import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { eventually } from '../e2e/eventually.ts';
import { assertIdentity } from './assert-identity.ts';
import { type ClientSdk, clientPod, clientSdks, clients } from './client-pods.ts';
import { type ClientAnswer, RunningPods } from './running-pods.ts';
import { type SharedCluster, sharedCluster, startLimit } from './shared-cluster.ts';
import { assertRenewedInTime, lifeSeconds, renewedAfterSeconds, renewedLimitMs } from './token-renewal.ts';

const namespace = 'rotation';
const name = 'steady';
const region = 'eu-central-1';
const accountId = '100000000021';
const roleArn = `arn:aws:iam::${accountId}:role/rotation`;
const longRun = process.env['NODE_TESTS'] === 'all';
const soonMs = 120_000;

describe('a token is renewed while its pod runs, and no call fails', () => {
  let shared: SharedCluster;
  let pods: RunningPods;

  before(async () => {
    shared = await sharedCluster();
    await shared.bind({ namespace, accountId, roleArn, annotations: { 'services.k8s.aws/default-region': region } });
    pods = new RunningPods(shared, namespace);
    await pods.create(
      clientPod(namespace, name, {
        annotations: { 'eks.amazonaws.com/token-expiration': String(lifeSeconds) },
        containers: clients({ args: ['--every', '1'] }),
      }),
    );
    for (const sdk of clientSdks) await pods.answer(name, sdk);
  }, startLimit);
  after(() => shared?.remove(namespace));

  /** When the tokens were issued that a client has used, in order. Every answer must be a good one. */
  async function issueTimes(sdk: ClientSdk): Promise<readonly number[]> {
    const answers: readonly ClientAnswer[] = await pods.answers(name, sdk);
    const pod = await pods.get(name);
    for (const answer of answers) assertIdentity(shared.sts, pod, answer, { roleArn, region });
    return [...new Set(answers.map(({ tokenIssuedAt = 0 }) => tokenIssuedAt))];
  }

  /** Waits until each client has used a newer token; the times of issue of the last one and of this one. */
  async function untilRenewed(t: TestContext, renew: () => Promise<void>, limitMs: number): Promise<readonly number[]> {
    const [last = 0] = (await issueTimes('js')).slice(-1);
    await renew();
    const newer: number[] = [];
    for (const sdk of clientSdks) {
      const look = async (): Promise<number | undefined> => (await issueTimes(sdk)).find(time => time > last);
      newer.push(await eventually(`a newer token used by ${sdk}`, look, limitMs));
    }
    const [first = 0] = newer;
    assert.deepEqual(newer, [first, first], 'all containers have the same token');
    const counts = await Promise.all(clientSdks.map(async sdk => (await pods.answers(name, sdk)).length));
    t.diagnostic(`renewed after ${first - last} s; calls so far: ${clientSdks.map((sdk, i) => `${sdk} ${counts[i]}`)}`);
    return [last, first];
  }

  test('when kubelet has restarted, which keeps no token', { timeout: soonMs + 30_000 }, async t => {
    await untilRenewed(t, () => shared.cluster.node.restartKubelet(), soonMs);
  });

  test('when four fifths of its life are over', {
    timeout: renewedLimitMs + 60_000,
    skip: !longRun && `takes ${renewedAfterSeconds} s: NODE_TESTS=all`,
  }, async t => {
    const [last = 0, newer = 0] = await untilRenewed(t, async () => {}, renewedLimitMs);
    assertRenewedInTime(newer - last);
  });
});
