import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { boundNamespace, pod, roleMap, serviceAccount } from './cluster-objects.ts';
import { assertInjected } from './injected-pod.ts';
import { ServedPlane } from './served-plane.ts';

const rounds = 100;
/** Rounds that meet a server that has just started, with caches that hold what was there before. */
const restartEvery = 20;

/** Account ids that begin with zeros are strings too. */
const accountOf = (round: number): string => String(round + 1).padStart(12, '0');
const roleOf = (round: number): string => `arn:aws:iam::${accountOf(round)}:role/team/pods-${round}`;

describe('one kubectl apply of one file with namespace, map, ServiceAccount and pod', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({ controllerManager: true });
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  /** The account of a round is new in the map, so what is remembered of the map is always wrong for it. */
  const fileOf = (round: number): readonly object[] => {
    const entries = Array.from({ length: round + 1 }, (_, index) => [accountOf(index), roleOf(index)] as const);
    const name = `team-${round}`;
    return [
      boundNamespace(name, accountOf(round)),
      roleMap(Object.fromEntries(entries)),
      serviceAccount(name, `app-${round}`),
      pod(name, 'web', { serviceAccountName: `app-${round}` }),
    ];
  };

  async function applyRound(round: number): Promise<void> {
    const { stdout } = await served.apply(fileOf(round));
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      `namespace/team-${round} created`,
      `configmap/ack-role-account-map ${round === 0 ? 'created' : 'configured'}`,
      `serviceaccount/app-${round} created`,
      'pod/web created',
    ]);
    assertInjected(await served.pod(`team-${round}`, 'web'), roleOf(round));
  }

  test(`${rounds} times, with fresh names: every pod is injected`, { timeout: 180_000 }, async t => {
    let slowestMs = 0;
    for (let round = 0; round < rounds; round++) {
      if (round % restartEvery === 0) {
        await served.webhook.stopProcess();
        await served.webhook.startProcess();
      }
      const start = performance.now();
      await applyRound(round);
      slowestMs = Math.max(slowestMs, performance.now() - start);
    }
    t.diagnostic(`slowest: ${Math.round(slowestMs)} ms`);
    const stored = await Promise.all(Array.from({ length: rounds }, (_, round) => served.pods(`team-${round}`)));
    assert.equal(stored.flat().length, rounds);
  });

  test('with server-side apply too', { timeout: 60_000 }, async () => {
    for (let round = rounds; round < rounds + 5; round++) {
      await served.apply(fileOf(round), { flags: ['--server-side'] });
      assertInjected(await served.pod(`team-${round}`, 'web'), roleOf(round));
    }
  });
});
