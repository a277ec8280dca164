import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlPlane } from '../testbed/control-plane.ts';
import { BoundNamespace, type PodAnswer, setAccountMap } from './bound-namespace.ts';
import { eventually } from './eventually.ts';
import { FaultyProxy, type Freeze, kubeconfigThrough } from './faulty-proxy.ts';
import { credentialsOf } from './injected-credentials.ts';
import { liveReadsIn, sumOf } from './metric-sum.ts';
import { SeededRandom } from './seeded-random.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const accounts = ['111122223333', '444455556666'] as const;
const [oldAccount, newAccount] = accounts;
const roleOf = (account: string): string => `arn:aws:iam::${account}:role/team`;
const oldRole = roleOf(oldAccount);
const newRole = roleOf(newAccount);

/** The shortest that the flag takes. */
const maxStalenessMs = 5000;
/** From the last moment at which something could pass the frozen proxy to the moment at which the webhook noted it. */
const noteMs = 500;
const chaosMs = 20_000;
const testLimit = { timeout: 100_000 };

/** A pod that was asked for, and when, by performance.now(). */
interface Attempt {
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  readonly answer: PodAnswer;
}

describe('a watch that does not tell', () => {
  let plane: ControlPlane;
  let proxy: FaultyProxy;
  let webhook: WebhookUnderTest;
  let namespaces = 0;

  before(
    async () => {
      plane = await ControlPlane.start();
      proxy = await FaultyProxy.start(plane.url);
      const kubeconfig = await kubeconfigThrough(plane, proxy);
      await setAccountMap(plane, { [oldAccount]: oldRole, [newAccount]: newRole });
      webhook = await WebhookUnderTest.start(plane, { kubeconfig, flags: [`--max-staleness=${maxStalenessMs}ms`] });
      await webhook.install();
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await webhook?.stop();
    await proxy?.stop();
    await plane?.stop();
  });

  async function freshNamespace(): Promise<BoundNamespace> {
    namespaces += 1;
    return BoundNamespace.create(plane, `team-${namespaces}`, { accountId: oldAccount });
  }

  async function attempt(team: BoundNamespace): Promise<Attempt> {
    const askedAtMs = performance.now();
    const answer = await team.tryPod();
    return { askedAtMs, answeredAtMs: performance.now(), answer };
  }

  const roleIn = ({ answer: { status, body } }: Attempt): string | undefined =>
    status === 201 ? credentialsOf(body)?.roleArn : undefined;

  /** Until pods get a role, and from the cache alone. */
  async function answeredByMemory(team: BoundNamespace, role: string): Promise<void> {
    const limitMs = 30_000;
    const look = async () => {
      const before = liveReadsIn(await webhook.metrics());
      const asked = await attempt(team);
      const known = liveReadsIn(await webhook.metrics()) === before;
      return known && roleIn(asked) === role ? true : undefined;
    };
    await eventually(`pods in ${team.name} get ${role} by memory`, look, limitMs);
  }

  /** Freezes, rebinds, and asks for pods, several at a time, until well past the age at which memory must not be used. */
  async function rebindWhileFrozen(freeze: Freeze, team: BoundNamespace) {
    await answeredByMemory(team, oldRole);
    proxy.freeze(freeze);
    await sleep(noteMs);
    await team.bindPastTheWebhook(newAccount);
    const reboundAtMs = performance.now();
    const asked: Promise<Attempt>[] = [];
    while (performance.now() < reboundAtMs + maxStalenessMs + 2000) {
      asked.push(attempt(team));
      await sleep(100);
    }
    const attempts = await Promise.all(asked);
    // What was noted last was noted before the rebind: from here on it is too old.
    const late = attempts.filter(({ askedAtMs }) => askedAtMs > reboundAtMs + maxStalenessMs);
    assert.ok(late.length > 0);
    assert.deepEqual(
      late.filter(asked => roleIn(asked) === oldRole).map(({ askedAtMs }) => askedAtMs - reboundAtMs),
      [],
      'ms after the rebind at which a pod still got the old role',
    );
    return { early: attempts.filter(({ askedAtMs }) => askedAtMs <= reboundAtMs + maxStalenessMs), late };
  }

  for (const direction of ['both', 'from-server'] as const) {
    const what = direction === 'both' ? 'nothing is forwarded' : "the API server's answers are not forwarded";
    test(`${what}: past --max-staleness nothing is guessed`, testLimit, async t => {
      const team = await freshNamespace();
      const { early, late } = await rebindWhileFrozen({ direction, connections: 'all' }, team);
      // Nobody could know of the rebind: every pod got the old role, or was told to come again.
      assert.ok(early.some(asked => roleIn(asked) === oldRole));
      for (const asked of [...early, ...late]) {
        if (roleIn(asked) === oldRole) continue;
        const { status, body } = asked.answer;
        assert.equal(status, 503, body.message);
        assert.match(
          body.message ?? '',
          /admission webhook "pods.carm-webhook.dev" denied the request: .*\(Unverified\)/,
        );
      }
      const slowest = Math.max(...late.map(({ askedAtMs, answeredAtMs }) => answeredAtMs - askedAtMs));
      t.diagnostic(`${late.length} pods told to come again, the slowest after ${Math.round(slowest)} ms`);
      // It does not end the server: it stays ready, for live reads may work again at any moment.
      assert.equal((await fetch(`${webhook.opsUrl}/readyz`)).status, 200);
      proxy.thaw();
      await answeredByMemory(team, newRole);
    });
  }

  test(
    'only connections that were open are frozen: no call fails, and the new role comes in time',
    testLimit,
    async t => {
      const team = await freshNamespace();
      const { early, late } = await rebindWhileFrozen({ direction: 'both', connections: 'open' }, team);
      for (const asked of early) assert.ok([oldRole, newRole].includes(roleIn(asked) ?? ''), asked.answer.body.message);
      for (const asked of late) assert.equal(roleIn(asked), newRole, asked.answer.body.message);
      const old = early.filter(asked => roleIn(asked) === oldRole).length;
      t.diagnostic(`${old} of ${early.length + late.length} pods got the old role before it was too old`);
      proxy.thaw();
      await answeredByMemory(team, newRole);
    },
  );

  test(
    'connections cut at random: never a role that was outdated for too long, and memory converges',
    testLimit,
    async t => {
      const random = new SeededRandom(process.env['SEED']);
      t.diagnostic(`SEED=${random.seed}`);
      const teams = await Promise.all([freshNamespace(), freshNamespace(), freshNamespace()]);
      for (const team of teams) await answeredByMemory(team, oldRole);
      const restartsBefore = sumOf(await webhook.metrics(), 'carm_webhook_watch_restarts_total');
      const endMs = performance.now() + chaosMs;
      let cuts = 0;
      const cutter = async () => {
        while (performance.now() < endMs) {
          cuts += proxy.cut(() => random.next() < 0.4);
          await sleep(50 + 500 * random.next());
        }
      };
      let pods = 0;
      let unverified = 0;
      let caughtBetween = 0;
      const tenant = async (team: BoundNamespace, accountOf: (account: string) => void) => {
        let bound: string = oldAccount;
        let other: string = newAccount;
        // Pods of before the first change have no other role to get.
        let reboundAtMs = Number.NEGATIVE_INFINITY;
        while (performance.now() < endMs) {
          if (random.next() < 0.05) {
            [bound, other] = [other, bound];
            await team.bindPastTheWebhook(bound);
            reboundAtMs = performance.now();
          }
          const asked = await attempt(team);
          pods += 1;
          const { status, body } = asked.answer;
          const justRebound = asked.askedAtMs <= reboundAtMs + maxStalenessMs + noteMs;
          if (status === 201 && roleIn(asked) !== roleOf(bound)) {
            assert.equal(roleIn(asked), roleOf(other));
            assert.ok(justRebound, 'the old role after too long');
          } else if (status === 403) {
            // The rebind became known between the injection and the look at the final pod.
            assert.ok(justRebound, body.message);
            assert.match(body.message ?? '', /\(RoleOutsideAccount\)/);
            caughtBetween += 1;
          } else if (status !== 201) {
            assert.ok([429, 503].includes(status), body.message);
            assert.match(body.message ?? '', /\(Unverified\)/);
            unverified += 1;
          }
          await sleep(40);
        }
        accountOf(bound);
      };
      const lastAccounts = new Map<BoundNamespace, string>();
      await Promise.all([cutter(), ...teams.map(team => tenant(team, account => lastAccounts.set(team, account)))]);
      for (const [team, account] of lastAccounts) await answeredByMemory(team, roleOf(account));
      const restarts = sumOf(await webhook.metrics(), 'carm_webhook_watch_restarts_total') - restartsBefore;
      t.diagnostic(
        `${cuts} connections cut, ${restarts} watches begun anew, ${pods} pods, ${unverified} told to come again, ${caughtBetween} caught between two accounts`,
      );
      assert.ok(restarts > 0);
      assert.ok(pods > 0);
      // Memory with live reads behind it: a cut connection costs an attempt, seldom an answer.
      assert.ok(unverified < pods / 20, `${unverified} of ${pods}`);
    },
  );
});
