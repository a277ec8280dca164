import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attacks } from './attacks.ts';
import { besiege, type Position, positions, type Report } from './siege.ts';

/**
 * Every attack on the built bundle, with the heap of a small pod. SIEGE=all attacks from every position, and for longer;
 * without it (`make siege`) each attack has one position, in turns.
 */
const all = process.env['SIEGE'] === 'all';
const seconds = all ? 10 : 2.5;
const places = Object.keys(positions) as Position[];

const mebibyte = 1024 * 1024;
/** The design allows 100 ms; the machine of a test is shared, with attackers too. */
const longestHoldMs = 600;

function check({ alive, strain, experience, probes }: Report): void {
  const seen = JSON.stringify({ strain, experience });
  assert.ok(alive, 'the server ended');
  assert.deepEqual(experience.failures, [], seen);
  assert.ok(experience.reviews >= seconds * 5, seen);
  assert.ok(strain.peakRssBytes < 256 * mebibyte, `${Math.round(strain.peakRssBytes / mebibyte)} MiB`);
  assert.ok(strain.heldMs < longestHoldMs, `the event loop was held for ${Math.round(strain.heldMs)} ms`);
  assert.deepEqual(
    probes.filter(({ status }) => status !== 200),
    [],
  );
}

describe('no review of a bystander fails, and the server lives on', () => {
  for (const [index, name] of Object.keys(attacks).entries()) {
    for (const position of all ? places : [places[index % places.length] ?? 'one address']) {
      test(`${name}, from ${position}`, async t => {
        const attack = async () => {
          const report = await besiege([name], position, seconds);
          const { strain, experience } = report;
          t.diagnostic(
            `${Math.round(strain.peakRssBytes / mebibyte)} MiB, held ${Math.round(strain.heldMs)} ms, worst review ${Math.round(experience.worstMs)} ms of ${experience.reviews}`,
          );
          check(report);
        };
        // The machine is shared: what fails twice is no accident.
        await attack().catch(attack);
      });
    }
  }
});
