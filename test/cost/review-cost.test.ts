import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { bodyLimitBytes } from '../../src/server/body-headers.ts';
import { config, costOf, rulesWithSelectors } from './review-cost.ts';
import { grownFields, type ReviewKind, reviewBytes, reviewKinds } from './review-kinds.ts';

/**
 * Whatever a tenant makes large, a review costs a few times what its JSON costs to parse, and grows with its bytes.
 * REVIEW_COST_RUNS=500 tries many more objects than `make test` has time for.
 */
const runs = Number(process.env['REVIEW_COST_RUNS'] ?? 15);

const allowance = (parseMs: number) => 4 * parseMs + 2;

function rulesFor(name: string) {
  return name.startsWith('selector') ? rulesWithSelectors : config;
}

async function costWithin(name: string, kind: ReviewKind, bytes: Buffer) {
  // The machine is shared, and code that has not run often is slow: the least of many runs is what the review costs.
  for (const tries of [2, 4, 20]) {
    const cost = await costOf(bytes, kind.endpoint, rulesFor(name), tries);
    if (cost.reviewMs <= allowance(cost.parseMs)) return;
    if (tries === 20) {
      const { parseMs, reviewMs, reason } = cost;
      assert.fail(
        `${reviewMs.toFixed(1)} ms, ${parseMs.toFixed(1)} ms of it to parse ${bytes.length} bytes: ${reason}`,
      );
    }
  }
}

const kinds = Object.keys(reviewKinds);
const size = fc.double({ min: 3, max: 6.48, noNaN: true }).map(power => Math.floor(10 ** power));
const grown = fc.constantFrom(...kinds).chain(name => {
  const fields = Object.keys(reviewKinds[name]?.fields ?? {});
  const field = fc.tuple(fc.constantFrom(...fields), size);
  return fc.tuple(fc.constant(name), fc.array(field, { minLength: 1, maxLength: 3 }));
});

test('a review costs at most 4 times the parsing of its JSON and 2 ms', async () => {
  await fc.assert(
    fc.asyncProperty(grown, async ([name, fields]) => {
      const kind = reviewKinds[name];
      assert.ok(kind);
      const bytes = reviewBytes(kind, fields);
      if (bytes.length <= bodyLimitBytes) await costWithin(name, kind, bytes);
    }),
    { numRuns: runs, interruptAfterTimeLimit: runs > 15 ? 3_600_000 : 12_000 },
  );
});

describe('the cost of a review grows with its bytes', () => {
  for (const [name, field] of Object.entries(grownFields)) {
    test(`${name}, by ${field}`, async () => {
      const kind = reviewKinds[name];
      assert.ok(kind);
      const perByte = async (bytes: number, tries: number): Promise<number> => {
        const body = reviewBytes(kind, [[field, bytes]]);
        const { reviewMs } = await costOf(body, kind.endpoint, rulesFor(name), tries);
        return reviewMs / body.length;
      };
      let times = Number.POSITIVE_INFINITY;
      // As above: the least of many runs is what it costs.
      for (const tries of [3, 6, 20]) {
        times = (await perByte(1_500_000, tries)) / (await perByte(150_000, tries));
        // What is quadratic would be ten times as much.
        if (times <= 5) return;
      }
      assert.fail(`${times.toFixed(1)} times as much a byte`);
    });
  }
});
