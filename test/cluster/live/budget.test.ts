import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReadBudget } from '../../../src/cluster/live/budget.ts';

test('property: never more than burst and rate allow, for a namespace and in all', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 2000 }),
    namespace: fc.constantFrom('a', 'b', 'c', '__proto__'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      let nowMs = 0;
      const namespace = { perSecond: 2, burst: 5 };
      const total = { perSecond: 4, burst: 8 };
      const budget = new ReadBudget({ namespace, total, nowMs: () => nowMs });
      const taken = new Map<string, number>();
      let all = 0;
      for (const step of steps) {
        nowMs += step.waitMs;
        if (!budget.take(step.namespace)) continue;
        taken.set(step.namespace, (taken.get(step.namespace) ?? 0) + 1);
        all += 1;
        assert.ok(all <= total.burst + (nowMs / 1000) * total.perSecond + 1e-6);
        for (const count of taken.values())
          assert.ok(count <= namespace.burst + (nowMs / 1000) * namespace.perSecond + 1e-6);
      }
    }),
  );
});

test('a refused take costs neither bucket', () => {
  const budget = new ReadBudget({
    namespace: { perSecond: 1, burst: 1 },
    total: { perSecond: 1, burst: 3 },
    nowMs: () => 0,
  });
  assert.deepEqual(
    ['a', 'a', 'a', 'a', 'b', 'c', 'd'].map(namespace => budget.take(namespace)),
    [true, false, false, false, true, true, false],
  );
});

test('an empty bucket fills again', () => {
  let nowMs = 0;
  const budget = new ReadBudget({ namespace: { perSecond: 10, burst: 1 }, nowMs: () => nowMs });
  assert.equal(budget.take('a'), true);
  nowMs = 99;
  assert.equal(budget.take('a'), false);
  nowMs = 101;
  assert.equal(budget.take('a'), true);
});

test('idle buckets are forgotten', () => {
  let nowMs = 0;
  const budget = new ReadBudget({ namespace: { perSecond: 10, burst: 20 }, nowMs: () => nowMs });
  for (let i = 0; i < 100_000; i += 1) {
    nowMs += 1;
    budget.take(`namespace-${i}`);
  }
  assert.ok(budget.size <= 2001, `${budget.size} buckets`);
  nowMs += 2000;
  budget.take('one');
  assert.equal(budget.size, 1);
});

test('what can be no namespace is not remembered, and pays out of one bucket', () => {
  const bucket = { perSecond: 1, burst: 3 };
  const budget = new ReadBudget({ namespace: bucket, total: { perSecond: 1, burst: 100 }, nowMs: () => 0 });
  const impossible = ['x'.repeat(1_000_000), 'A', 'a/b', '../x'];
  assert.deepEqual(
    impossible.map(name => budget.take(name)),
    [true, true, true, false],
  );
  assert.equal(budget.size, 1);
  assert.equal(budget.take(''), true, 'reviews of what has no namespace have their own');
  assert.equal(budget.take('team'), true);
});
