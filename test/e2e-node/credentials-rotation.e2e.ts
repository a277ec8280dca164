import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../e2e/eventually.ts';
import { assertIdentity } from './assert-identity.ts';
import { clientPod, clientSdks, clients } from './client-pods.ts';
import { type ClientAnswer, RunningPods } from './running-pods.ts';
import { type SharedCluster, sharedCluster, startLimit } from './shared-cluster.ts';

const namespace = 'rotation';
const region = 'eu-central-1';
const accountId = '100000000021';
const roleArn = `arn:aws:iam::${accountId}:role/rotation`;
/** The shortest life that the API server gives a token; kubelet renews it when 80 % are over. */
const shortestLifeSeconds = 600;
const everySeconds = 2;
const restartLimitMs = 100_000;
const longRun = process.env['NODE_TESTS'] === 'all';
/** A token is renewed within 480 s, a tenth of a minute by chance, and kubelet's next look at the pod. */
const longWatchMs = 570_000;

describe('a token is renewed while pods run', () => {
  let shared: SharedCluster;
  let pods: RunningPods;

  before(async () => {
    shared = await sharedCluster();
    await shared.bind({
      namespace,
      accountId,
      roleArn,
      annotations: { 'services.k8s.aws/default-region': region },
    });
    pods = new RunningPods(shared, namespace);
    await pods.create(
      clientPod(namespace, 'long', {
        annotations: { 'eks.amazonaws.com/token-expiration': String(shortestLifeSeconds) },
        containers: clients({ args: ['--every', String(everySeconds)] }),
      }),
    );
  }, startLimit);

  /** When the tokens were issued that a client has used, in order. */
  function issueTimes(answers: readonly ClientAnswer[]): readonly number[] {
    return [...new Set(answers.map(({ tokenIssuedAt = 0 }) => tokenIssuedAt))];
  }

  async function assertAllGood(name: string): Promise<readonly number[]> {
    const pod = await pods.get(name);
    const counts: number[] = [];
    for (const sdk of clientSdks) {
      const answers = await pods.answers(name, sdk);
      for (const answer of answers) assertIdentity(shared.sts, pod, answer, { roleArn, region });
      counts.push(answers.length);
    }
    return counts;
  }

  test('a restart of kubelet', { timeout: 150_000 }, async t => {
    for (const sdk of clientSdks) await pods.answer('long', sdk);
    await sleep(1500);
    const restarted = Date.now();
    await shared.cluster.node.restartKubelet();
    const times: Record<string, readonly number[]> = {};
    for (const sdk of clientSdks) {
      times[sdk] = await eventually(
        `a newer token in ${sdk}`,
        async () => {
          const seen = issueTimes(await pods.answers('long', sdk));
          return seen.length > 1 ? seen : undefined;
        },
        restartLimitMs,
      );
    }
    t.diagnostic(`a new token ${Date.now() - restarted} ms after the restart`);
    t.diagnostic(`${JSON.stringify(times)} answers ${await assertAllGood('long')}`);
  });

  test('when most of its life is over', { skip: !longRun, timeout: longWatchMs + 60_000 }, async t => {
    const before = issueTimes(await pods.answers('long', 'js'));
    await sleep(longWatchMs);
    const after = issueTimes(await pods.answers('long', 'js'));
    t.diagnostic(`${before} ${after} answers ${await assertAllGood('long')}`);
    assert.ok(after.length > before.length);
  });
});
