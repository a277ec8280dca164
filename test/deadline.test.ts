import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../src/deadline.ts';

const late = () => new Error('too late');
// An unreferenced timer alone would let the process end.
const forAWhile = <T>(value: T) => sleep(200, value);

describe('an answer with a deadline', () => {
  test('is given as it comes', async () => {
    assert.equal(await withDeadline(Promise.resolve(7), 1000, late), 7);
    await assert.rejects(withDeadline(Promise.reject(new Error('its own')), 1000, late), /its own/);
  });

  test('is given up when its time is over, by an error that is made then', async () => {
    let reading = 'the first page';
    const begun = performance.now();
    const waiting = withDeadline(forAWhile(1), 20, () => new Error(`no answer from ${reading}`));
    reading = 'the second page';
    await assert.rejects(waiting, /the second page/);
    assert.ok(performance.now() - begun < 150);
  });

  test('wins over a deadline that has passed, if it is there', async () => {
    assert.equal(await withDeadline(Promise.resolve(1), -5, late), 1);
    await assert.rejects(withDeadline(forAWhile(1), -5, late), /too late/);
  });

  test('may fail after its deadline without anyone to notice', async () => {
    const failing = forAWhile(1).then(() => Promise.reject(new Error('nobody waits')));
    await assert.rejects(withDeadline(failing, 5, late), /too late/);
    await forAWhile(1);
    await sleep(50);
  });

  test('keeps no timer when it is there', async () => {
    const before = process.getActiveResourcesInfo().filter(each => each === 'Timeout').length;
    await withDeadline(Promise.resolve(1), 60_000, late);
    assert.equal(process.getActiveResourcesInfo().filter(each => each === 'Timeout').length, before);
  });
});
