import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { oneOf, optionalFlag, readFlags, repeatedFlag, switchFlag, valueFlag } from '../../../src/cli/flags/flag.ts';

const flags = {
  form: valueFlag('-o, --output-form FORM', '', oneOf(['yaml', 'json']), 'yaml'),
  count: optionalFlag('--count NUMBER', '', Number),
  files: repeatedFlag('-f, --filename FILE', ''),
  dry: switchFlag('--dry', ''),
};

describe('a flag is declared as its help spells it', () => {
  test('its letter, name and placeholder are read from that', () => {
    const { name, short, placeholder } = flags.form;
    assert.deepEqual([name, short, placeholder], ['output-form', 'o', 'FORM']);
    assert.deepEqual([flags.count.short, flags.count.placeholder], [undefined, 'NUMBER']);
    assert.deepEqual([flags.dry.short, flags.dry.placeholder], [undefined, undefined]);
  });

  test('a default is parsed as what a user writes; without one, nothing is given', () => {
    assert.deepEqual(readFlags(flags, [], {}).values, { form: 'yaml', count: undefined, files: [], dry: false });
  });

  test('what is given counts, the last of several', () => {
    const argv = ['-o', 'json', '--count=1', '--count', '2', '-f', 'a,b', '--filename=c', '--dry'];
    const expected = { form: 'json', count: 2, files: ['a,b', 'c'], dry: true };
    assert.deepEqual(readFlags(flags, argv, {}).values, expected);
  });
});
