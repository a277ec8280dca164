import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodyBudget } from '../../src/server/body.ts';

test('bodies that are received at once are bounded together, and what is given back can be taken again', () => {
  const budget = new BodyBudget(100);
  assert.ok(budget.take(60));
  assert.ok(!budget.take(41), 'nothing is taken when it is too much');
  assert.ok(budget.take(40));
  budget.give(60);
  assert.ok(budget.take(60));
  assert.ok(!budget.take(1));
});
