import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Schedule, type ScheduleOptions, type Urgency } from '../../../src/aws/verify-roles/schedule.ts';
import { propertyRuns } from '../../property-runs.ts';

const options: ScheduleOptions = {
  intervalMs: 600_000,
  callsPerSecond: 5,
  mostInFlight: 5,
  mostRoles: 10_000,
  random: () => 0.5,
};

const rolesUpTo = (count: number): Set<string> =>
  new Set(Array.from({ length: count }, (_, index) => `arn:aws:iam::${String(index).padStart(12, '0')}:role/pods`));

function scheduleOf(
  count: number,
  replicas: readonly string[] | 'unknown' = [],
  more: Partial<ScheduleOptions> = {},
): Schedule {
  const schedule = new Schedule({ ...options, ...more });
  schedule.setReplicas('a', replicas === 'unknown' ? undefined : replicas);
  schedule.setRoles(rolesUpTo(count));
  return schedule;
}

interface Call {
  readonly role: string;
  readonly atMs: number;
}

/** Runs a schedule in time that is counted, not waited for: each call is answered after `answerMs`. */
function run(
  schedule: Schedule,
  untilMs: number,
  urgencyOf: (role: string, atMs: number) => Urgency = () => 'settled',
  answerMs = 100,
  stepMs = 50,
): readonly Call[] {
  const calls: Call[] = [];
  const inFlight: Call[] = [];
  for (let nowMs = 0; nowMs < untilMs; nowMs += stepMs) {
    while (inFlight[0] !== undefined && inFlight[0].atMs + answerMs <= nowMs) {
      const { role } = inFlight.shift() as Call;
      schedule.done(role, urgencyOf(role, nowMs), nowMs);
    }
    const role = schedule.take(nowMs);
    if (role === undefined) continue;
    const call = { role, atMs: nowMs };
    calls.push(call);
    inFlight.push(call);
  }
  return calls;
}

function timesOf(calls: readonly Call[]): ReadonlyMap<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { role, atMs } of calls) times.set(role, [...(times.get(role) ?? []), atMs]);
  return times;
}

/** The most calls in any second. */
function busiestSecond(calls: readonly Call[]): number {
  let first = 0;
  let most = 0;
  for (const [index, { atMs }] of calls.entries()) {
    while ((calls[first]?.atMs ?? 0) <= atMs - 1000) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

describe('when roles are asked for', () => {
  test('2,000 roles by one replica: each within ten minutes, again and again, at no more than five calls a second', () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const calls = run(scheduleOf(2000, [], { random }), 3_600_000);
    assert.ok(busiestSecond(calls) <= 5, `${busiestSecond(calls)}`);
    const times = timesOf(calls);
    assert.equal(times.size, 2000);
    for (const [role, of] of times) {
      assert.ok((of[0] ?? 0) <= 401_000, `${role} first at ${of[0]}`);
      for (const [index, atMs] of of.entries()) {
        const before = of[index - 1] ?? atMs;
        assert.ok(atMs - before <= 600_000, `${role} waited ${atMs - before} ms`);
      }
      assert.ok(3_600_000 - (of.at(-1) ?? 0) <= 600_000, `${role} last at ${of.at(-1)}`);
    }
  });

  test('two replicas ask for each role once between them, and for as many a second as one alone', () => {
    const [a, b] = [scheduleOf(2000, ['b']), scheduleOf(2000)];
    b.setReplicas('b', ['a']);
    const ofA = timesOf(run(a, 590_000));
    const ofB = timesOf(run(b, 590_000));
    assert.equal(a.rate + b.rate, 5);
    assert.equal(ofA.size + ofB.size, 2000);
    assert.ok([...ofA.keys()].every(role => !ofB.has(role)));
  });

  test('while nobody knows how many replicas there are, each asks for all, at a third of the rate', () => {
    const schedule = scheduleOf(100, 'unknown');
    assert.equal(schedule.rate, 5 / 3);
    const calls = run(schedule, 70_000);
    assert.equal(timesOf(calls).size, 100);
    assert.ok(busiestSecond(calls) <= 2);
  });

  test('what may change soon is asked for again sooner, and less and less often', () => {
    const calls = run(scheduleOf(1), 1_200_000, () => 'may change soon');
    const gaps = calls.slice(1).map(({ atMs }, index) => Math.round((atMs - (calls[index]?.atMs ?? 0)) / 1000));
    assert.deepEqual(gaps, [13, 26, 53, 105, 210, 420]);
  });

  test('it never delays what is due in its ordinary turn', () => {
    const broken = (role: string) => Number(role.slice(13, 25)) >= 100;
    const calls = run(scheduleOf(3000), 2_400_000, role => (broken(role) ? 'may change soon' : 'settled'));
    for (const [role, of] of timesOf(calls)) {
      if (broken(role)) continue;
      for (const [index, atMs] of of.entries()) {
        if (index > 0) assert.ok(atMs - (of[index - 1] ?? 0) <= 600_000, `${role}: ${of.join()}`);
      }
    }
  });

  test('while STS gives no answers, one call in half a minute finds out whether it is back; then all goes on', () => {
    const schedule = scheduleOf(1000);
    const calls = run(schedule, 1_200_000, (_role, atMs) => (atMs < 600_000 ? 'unheard' : 'settled'));
    const silent = calls.filter(({ atMs }) => atMs > 120_000 && atMs < 600_000);
    assert.ok(silent.length <= 22 && silent.length >= 15, `${silent.length} calls in eight minutes`);
    assert.ok(calls.filter(({ atMs }) => atMs > 640_000 && atMs < 700_000).length > 290);
  });

  test('calls that hang hold up no more than there is room for', () => {
    const schedule = scheduleOf(100);
    for (let nowMs = 0; nowMs < 20_000; nowMs += 50) schedule.take(nowMs);
    assert.equal(schedule.take(30_000), undefined);
    schedule.done(rolesUpTo(1).values().next().value ?? '', 'settled', 30_000);
    assert.notEqual(schedule.take(30_000), undefined);
  });

  test('a role that is new is due at once, and one that is gone is forgotten', () => {
    const schedule = scheduleOf(3);
    run(schedule, 10_000);
    assert.equal(schedule.take(10_000), undefined);
    schedule.setRoles(new Set([...rolesUpTo(2), 'new']));
    assert.equal(schedule.take(10_000), 'new');
    assert.deepEqual([...schedule.owned()].length, 3);
  });

  test('a role that went while it was asked for, and came back, is asked for again', () => {
    const schedule = scheduleOf(1);
    const role = schedule.take(0);
    assert.ok(role);
    schedule.setRoles(new Set());
    schedule.setRoles(rolesUpTo(1));
    schedule.done(role, 'settled', 500);
    assert.equal(schedule.take(1000), role);
  });

  test('there is room for ten thousand', () => {
    const schedule = scheduleOf(10_007);
    assert.equal([...schedule.owned()].length, 10_000);
    assert.equal(schedule.leftOut, 7);
  });

  test('a round is over when every role was asked for', () => {
    const schedule = scheduleOf(3);
    assert.equal(schedule.roundIsOver, false);
    run(schedule, 2000);
    assert.equal(schedule.roundIsOver, true);
    schedule.beginRound();
    assert.equal(schedule.roundIsOver, false);
    schedule.setRoles(new Set());
    assert.equal(schedule.roundIsOver, true);
  });

  test('however long answers take and whatever they say, the rate is kept and no call is made twice at once', () => {
    const urgency = fc.constantFrom<Urgency>('settled', 'may change soon', 'unheard');
    const cases = fc.record({
      roles: fc.integer({ min: 0, max: 60 }),
      replicas: fc.option(fc.uniqueArray(fc.constantFrom('b', 'c', 'd')), { nil: 'unknown' as const }),
      answerMs: fc.integer({ min: 0, max: 6000 }),
      stepMs: fc.integer({ min: 1, max: 700 }),
      urgencies: fc.array(urgency, { minLength: 1, maxLength: 20 }),
    });
    const holds = fc.property(cases, ({ roles, replicas, answerMs, stepMs, urgencies }) => {
      const schedule = scheduleOf(roles, replicas);
      let answers = 0;
      const next = () => urgencies[answers++ % urgencies.length] ?? 'settled';
      const calls = run(schedule, 200_000, next, answerMs, stepMs);
      for (const [index, { atMs }] of calls.entries()) {
        const before = calls[index - 1];
        if (before !== undefined) assert.ok(atMs - before.atMs >= 1000 / schedule.rate - 1e-6);
      }
      for (const of of timesOf(calls).values()) {
        for (const [index, atMs] of of.entries()) if (index > 0) assert.ok(atMs - (of[index - 1] ?? 0) >= answerMs);
      }
    });
    fc.assert(holds, { numRuns: propertyRuns(40) });
  });
});
