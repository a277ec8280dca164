import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultFeatureGates, parseFeatureGates, parseGoBool } from '../../src/accounts/feature-gates.ts';

describe('feature gates', () => {
  test('are off as in ACK, until they are given', () => {
    assert.deepEqual(parseFeatureGates([]), defaultFeatureGates);
    assert.equal(defaultFeatureGates.TeamLevelCARM, false);
    assert.equal(defaultFeatureGates.ServiceLevelCARM, false);
    assert.equal(defaultFeatureGates.IAMRoleSelector, false);
  });

  test('are read as GATE=BOOL, the last one wins, and the defaults stay as they were', () => {
    const gates = parseFeatureGates(['ServiceLevelCARM=true', ' TeamLevelCARM = t ', 'ServiceLevelCARM=0']);
    assert.equal(gates.ServiceLevelCARM, false);
    assert.equal(gates.TeamLevelCARM, true);
    assert.equal(defaultFeatureGates.TeamLevelCARM, false);
  });

  test("ACK's own gates are accepted, so that one value serves both", () => {
    assert.equal(parseFeatureGates(['ResourceAdoption=false']).ResourceAdoption, false);
  });

  for (const item of [
    '',
    'TeamLevelCARM',
    'TeamLevelCARM=',
    'TeamLevelCARM=yes',
    'teamlevelcarm=true',
    'Nope=true',
    '__proto__=true',
    'constructor=true',
    'TeamLevelCARM=true=true',
  ]) {
    test(`${JSON.stringify(item)} is refused, quoted, with the gates there are`, () => {
      assert.throws(
        () => parseFeatureGates([item]),
        (error: Error & { code?: string }) =>
          error.code === 'InvalidFeatureGate' &&
          error.message.includes(JSON.stringify(item)) &&
          error.message.includes('TeamLevelCARM'),
      );
    });
  }

  test('truth is written as in Go', () => {
    for (const text of ['1', 't', 'T', 'true', 'TRUE', 'True']) assert.equal(parseGoBool(text), true);
    for (const text of ['0', 'f', 'F', 'false', 'FALSE', 'False']) assert.equal(parseGoBool(text), false);
    for (const text of ['', 'yes', 'tRUE', ' true', 'on']) assert.equal(parseGoBool(text), undefined);
  });
});
