import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isTeamId } from '../../src/accounts/team-id.ts';

describe('a team id is letters, digits, _ and -', () => {
  for (const text of ['a', 'platform', 'Team_1-b', '-', '_', '0', '__proto__', 'constructor', '123456789012']) {
    test(`${text} is one`, () => assert.ok(isTeamId(text)));
  }
  for (const text of ['', 'a.b', 's3.team', '.', 'a b', ' a', 'a\n', 'é', 'ａ', 'a/b', 'a:b', '$(x)', 'a,b']) {
    test(`${JSON.stringify(text)} is none`, () => assert.ok(!isTeamId(text)));
  }
});
