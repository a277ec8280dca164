import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BudgetSpentError, LiveReadError } from '../../../src/cluster/live/live-read-result.ts';
import { type SharedRead, SharedReads } from '../../../src/cluster/live/shared-reads.ts';

type Run = (read: SharedRead<string>) => Promise<string | undefined>;

/** Shared reads, of which each ends when it is told to. */
function start(run: Run) {
  const results: string[] = [];
  const reads = new SharedReads<string>({
    resource: 'things',
    onResult: (resource, result) => results.push(`${resource} ${result}`),
  });
  const read = (key = 'a', limitMs = 5000, budgetNamespace = 'team') =>
    reads.read(key, { what: `thing ${key}`, budgetNamespace, run }, performance.now() + limitMs);
  return { reads, read, results };
}

describe('shared reads', { timeout: 10_000 }, () => {
  test('who comes before a read has begun shares it; who comes later waits for the next one', async () => {
    const ends: (() => void)[] = [];
    let count = 0;
    const { read, results, reads } = start(async () => {
      const mine = ++count;
      await new Promise<void>(resolve => ends.push(resolve));
      return `answer ${mine}`;
    });
    const first = [read(), read()];
    await null;
    const later = [read(), read()];
    ends.shift()?.();
    assert.deepEqual(await Promise.all(first), ['answer 1', 'answer 1']);
    assert.equal(reads.inFlight, 1);
    ends.shift()?.();
    assert.deepEqual(await Promise.all(later), ['answer 2', 'answer 2']);
    assert.deepEqual(results, ['things shared', 'things shared', 'things found', 'things found']);
    await null;
    assert.equal(reads.inFlight, 0);
  });

  test('things do not wait for one another', async () => {
    const { read } = start(({ what }) => (what === 'thing slow' ? new Promise(() => {}) : Promise.resolve(what)));
    const slow = read('slow', 50);
    assert.equal(await read('quick'), 'thing quick');
    await assert.rejects(slow, { name: 'LiveReadError', message: /no answer came in time/ });
  });

  test('a read is given up when all its callers have left, and lasts until the latest deadline', async () => {
    const deadlines: number[] = [];
    const { read } = start(async ({ abandoned, deadlineAt }) => {
      deadlines.push(deadlineAt - performance.now());
      await new Promise(resolve => abandoned.signal.addEventListener('abort', resolve));
      return undefined;
    });
    await Promise.all([assert.rejects(read('a', 20), LiveReadError), assert.rejects(read('a', 60), LiveReadError)]);
    assert.equal(deadlines.length, 1);
    assert.ok((deadlines[0] ?? 0) > 40, `the later deadline counts: ${deadlines[0]}`);
  });

  test('failures are told, and end no later read', async () => {
    const failures: Error[] = [new BudgetSpentError('thing a'), new TypeError('bug')];
    const { read, results } = start(async () => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return undefined;
    });
    await assert.rejects(read(), BudgetSpentError);
    await assert.rejects(read(), { name: 'LiveReadError', message: 'thing a could not be read: bug' });
    assert.equal(await read(), undefined);
    assert.deepEqual(results, ['things throttled', 'things error', 'things absent']);
  });
});
