import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearestName } from '../../src/objects/edit-distance.ts';

/** The same by its definition. */
function byDefinition(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const [shortA, shortB] = [a.slice(0, -1), b.slice(0, -1)];
  const replaced = byDefinition(shortA, shortB) + (a.at(-1) === b.at(-1) ? 0 : 1);
  const swapped =
    a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1)
      ? [byDefinition(a.slice(0, -2), b.slice(0, -2)) + 1]
      : [];
  return Math.min(replaced, byDefinition(shortA, b) + 1, byDefinition(a, shortB) + 1, ...swapped);
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });

describe('the distance of two texts', () => {
  test('is what its definition says, up to the most that is asked for', () => {
    fc.assert(
      fc.property(word, word, fc.nat({ max: 4 }), (a, b, most) => {
        assert.equal(editDistance(a, b, most), Math.min(byDefinition(a, b), most + 1));
      }),
    );
  });

  for (const [a, b, distance] of [
    ['rolearn', 'role-arn', 1],
    ['regoin', 'region', 1],
    ['deletion_policy', 'deletion-policy', 1],
    ['owner-account', 'owner-account-id', 3],
  ] as const) {
    test(`is ${distance} from ${a} to ${b}`, () => assert.equal(editDistance(a, b, 4), distance));
  }
});

describe('the nearest name', () => {
  const names = ['pods', 'dynamodb', 's3', 'ecr', 'ecs', 'lambda'];
  for (const [written, name] of [
    ['pod', 'pods'],
    ['dynamo', 'dynamodb'],
    ['lamdba', 'lambda'],
    ['pods', 'pods'],
    ['ecz', undefined],
    ['s4', undefined],
    ['workloads', undefined],
    ['', undefined],
  ] as const) {
    test(`of ${JSON.stringify(written)} is ${name}`, () => assert.equal(nearestName(written, names), name));
  }
});
