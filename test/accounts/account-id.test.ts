import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isAccountId } from '../../src/accounts/account-id.ts';
import { anyCharacter } from '../any-character.ts';

describe('an account id is exactly 12 ASCII digits', () => {
  for (const text of ['000000000000', '000000000012', '123456789012']) {
    test(`${text} is one`, () => assert.ok(isAccountId(text)));
  }
  const others = [
    '',
    '12345678901',
    '1234567890123',
    ' 123456789012',
    '123456789012 ',
    '123456789012\n',
    '1234 5678 9012',
    '1234-5678-9012',
    '١٢٣٤٥٦٧٨٩٠١٢',
    '１２３４５６７８９０１２',
    '12345678901a',
    '+12345678901',
    '-12345678901',
    '1.2345678901',
    '0x1234567890',
    '1e1100000000',
    '__proto__',
    'constructor',
  ];
  for (const text of others) test(`${JSON.stringify(text)} is none`, () => assert.ok(!isAccountId(text)));

  test('no other text is one', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, minLength: 10, maxLength: 14 }), text => {
        assert.equal(isAccountId(text), text.length === 12 && [...text].every(digit => digit >= '0' && digit <= '9'));
      }),
      { numRuns: 1000 },
    );
  });
});
