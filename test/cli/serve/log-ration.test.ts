import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogRation } from '../../../src/cli/serve/log-ration.ts';

test('what comes too often is left out, and the next line says how much was', () => {
  let nowMs = 0;
  const ration = new LogRation(() => nowMs);
  const granted = Array.from({ length: 100 }, () => ration.take('namespaces') !== undefined);
  assert.deepEqual([granted.indexOf(false), granted.lastIndexOf(true)], [20, 19]);
  assert.deepEqual(ration.take('serviceaccounts'), {}, 'another has its own');
  nowMs += 6000;
  assert.deepEqual(ration.take('namespaces'), { leftOut: 80 });
  assert.equal(ration.take('namespaces'), undefined);
  nowMs += 3_600_000;
  assert.equal(Array.from({ length: 100 }, () => ration.take('namespaces') !== undefined).filter(Boolean).length, 20);
});
