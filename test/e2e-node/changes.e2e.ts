import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BoundNamespace } from '../e2e/bound-namespace.ts';
import { eventually } from '../e2e/eventually.ts';
import { IssuedCertificates, leaf } from '../e2e/issued-certificates.ts';
import { servedSerialNumber } from '../e2e/served-certificate.ts';
import { SteadyPods } from '../e2e/steady-pods.ts';
import { type NodeCluster, webhookNamespace } from './node-cluster.ts';
import { type Replica, readyReplicas } from './replicas.ts';
import { sharedCluster } from './shared-cluster.ts';

const account = '333344445555';
const roleArn = `arn:aws:iam::${account}:role/changes`;
const podsPerSecond = 80;
/** A shared machine may be slow for a while; far fewer would prove less. */
const leastPerSecond = 40;

/** NODE_TESTS=all makes these tests take ten minutes, as is worth it before a release. */
const all = process.env['NODE_TESTS'] === 'all';
const rollingRestarts = all ? 10 : 1;
const kills = all ? 10 : 1;
const testLimit = { timeout: all ? 1_200_000 : 300_000 };

const replacedLimitMs = 90_000;
/** Behind each change, so that what it leaves shows as its own. */
const quietMs = 2000;

const aroundKill = 'around the kill';
const slowCallMs = 2000;
const afterKillMs = 5000;

interface Report {
  diagnostic(text: string): void;
}

describe('pods are created without a failed call while everything around the webhook changes', () => {
  let cluster: NodeCluster;
  let team: BoundNamespace;

  before(
    async () => {
      const shared = await sharedCluster();
      cluster = shared.cluster;
      team = await shared.team('changes', account, roleArn);
    },
    { timeout: 180_000 },
  );

  /** Creates pods while `change` runs, `times` times. */
  async function during(t: Report, times: number, change: (pods: SteadyPods) => Promise<void>): Promise<SteadyPods> {
    const pods = new SteadyPods(team, roleArn, podsPerSecond, { dryRun: true });
    await pods.during(async () => {
      await sleep(quietMs);
      for (let count = 1; count <= times; count++) {
        pods.phase = `${count} of ${times}`;
        await change(pods);
        await sleep(quietMs);
      }
    });
    t.diagnostic(
      `${pods.started} pods, ${pods.perSecond.toFixed(1)} a second, the slowest ${Math.round(pods.slowestMs)} ms, ${pods.failures.length} failed`,
    );
    return pods;
  }

  function assertNoneFailed(pods: SteadyPods): void {
    assert.deepEqual(pods.failures.slice(0, 5), []);
    assert.equal(pods.count('injected') + pods.count('api-server-away'), pods.started);
    assert.ok(pods.perSecond >= leastPerSecond, `${pods.perSecond} a second`);
  }

  const podNames = async (): Promise<readonly string[]> => {
    const { stdout } = await cluster.plane.kubectl(['get', 'pods', '-n', webhookNamespace, '-o', 'name']);
    return stdout.trim().split('\n');
  };

  async function restart(): Promise<void> {
    const old = await podNames();
    await cluster.plane.kubectl(['rollout', 'restart', 'deployment/carm-webhook', '-n', webhookNamespace]);
    await cluster.rolledOut();
    // Those that stop are there until they have drained.
    const areGone = async () => {
      const names = await podNames();
      return names.length === 2 && !old.some(name => names.includes(name)) ? true : undefined;
    };
    await eventually('the old replicas are gone', areGone, replacedLimitMs);
  }

  /** kubelet waits longer each time before it starts a container again: pods that it started again twice make room for new ones. */
  async function leastRestarted(): Promise<Replica> {
    const replicas = await readyReplicas(cluster.plane);
    const [replica] = replicas.toSorted((one, other) => one.restarts - other.restarts);
    assert.ok(replica);
    if (replica.restarts < 2) return replica;
    await restart();
    return leastRestarted();
  }

  test(`rolling restarts: ${rollingRestarts}`, testLimit, async t => {
    assertNoneFailed(await during(t, rollingRestarts, restart));
  });

  test('the certificate renewed', testLimit, async t => {
    const certificates = new IssuedCertificates(cluster.plane);
    const pods = await during(t, 1, async () => {
      const replicas = await readyReplicas(cluster.plane);
      const serials = () => Promise.all(replicas.map(({ url }) => servedSerialNumber(url)));
      const old = await serials();
      await certificates.renew(leaf);
      const areServed = async () => ((await serials()).some(serial => old.includes(serial)) ? undefined : true);
      await eventually('both replicas serve the new certificate', areServed, replacedLimitMs);
    });
    assertNoneFailed(pods);
  });

  test('kubelet killed and started again', testLimit, async t => {
    const before = (await readyReplicas(cluster.plane)).map(({ name }) => name);
    const pods = await during(t, 1, () => cluster.node.restartKubelet());
    assertNoneFailed(pods);
    const after = await readyReplicas(cluster.plane);
    assert.deepEqual(after.map(({ name }) => name).toSorted(), before.toSorted());
  });

  test('the API server stopped and started again', testLimit, async t => {
    const pods = new SteadyPods(team, roleArn, podsPerSecond, { dryRun: true });
    await pods.during(async () => {
      await sleep(quietMs);
      for (const abrupt of [false, true]) {
        pods.phase = abrupt ? 'killed' : 'stopped';
        await pods.whileApiServerIsAway(
          () => cluster.plane.stopApiServer({ abrupt }),
          () => cluster.plane.startApiServer(),
        );
        await sleep(quietMs);
      }
    });
    t.diagnostic(
      `${pods.started} pods, ${pods.failures.length} failed, ${pods.count('api-server-away')} calls without an answer of the API server itself`,
    );
    assertNoneFailed(pods);
  });

  /*
   * What a killed process was answering is lost: kube-apiserver calls a webhook once. And until kubelet has seen the end, a second or
   * so, the Service leads new connections to the dead replica too, where they are refused.
   * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#failure-policy
   */
  test(
    `kills of a replica: ${kills}; only calls of the seconds around it fail, for want of an answer`,
    testLimit,
    async t => {
      const pods = await during(t, kills, async pods => {
        const replica = await leastRestarted();
        pods.phase = aroundKill;
        // Calls that are open when it is killed have begun by now.
        await sleep(slowCallMs);
        for (const pid of replica.controlGroup().pids) process.kill(pid, 'SIGKILL');
        await sleep(afterKillMs);
        pods.phase = 'later';
        const isBack = async () => {
          const replicas = await readyReplicas(cluster.plane);
          const same = replicas.find(({ name }) => name === replica.name);
          return same !== undefined && same.restarts > replica.restarts && replicas.length === 2 ? true : undefined;
        };
        await eventually('its container runs again', isBack, replacedLimitMs);
      });
      const unanswered = /failed to call webhook: .*(?:connection reset by peer|broken pipe|connection refused|EOF)$/;
      assert.deepEqual(
        pods.failures.filter(({ phase, why }) => phase === 'later' || !unanswered.test(why)),
        [],
      );
      assert.ok(
        pods.failures.length < (kills * podsPerSecond * afterKillMs) / 1000 / 10,
        `${pods.failures.length} failed`,
      );
      assert.equal(pods.count('injected') + pods.failures.length, pods.started);
      assert.ok(pods.perSecond >= leastPerSecond, `${pods.perSecond} a second`);
    },
  );
});
