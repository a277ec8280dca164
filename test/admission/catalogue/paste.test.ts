import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { toPaste } from '../../../src/admission/catalogue/paste.ts';
import { anyCharacter } from '../../any-character.ts';

describe('a command to paste', () => {
  test('holds its values', () => {
    assert.equal(toPaste`kubectl create namespace ${'team-a'}`, 'kubectl create namespace team-a');
  });

  for (const value of [
    '',
    ' ',
    'a b',
    '-n',
    '--all',
    '$(x)',
    '`x`',
    'a;b',
    'a&b',
    'a|b',
    '"',
    "'",
    'a\nb',
    '~',
    '*',
    'é',
    '{a,b}',
    'a=b',
    '#',
  ]) {
    test(`is left out for ${JSON.stringify(value)}`, () => assert.equal(toPaste`kubectl get ${value}`, undefined));
  }

  test('is one plain word for each value, whatever the values', () => {
    const value = fc.oneof(
      fc.stringMatching(/^[\w.:/@+,-]{1,9}$/),
      fc.string({ maxLength: 8 }),
      fc.string({ unit: anyCharacter, maxLength: 8 }),
    );
    fc.assert(
      fc.property(value, value, (first, second) => {
        const command = toPaste`do ${first} to ${second}`;
        if (command === undefined) return;
        assert.deepEqual(command.split(' '), ['do', first, 'to', second]);
        assert.match(first + second, /^[\w.:/@+,-]+$/);
      }),
      { numRuns: 1000 },
    );
  });
});
