import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  defaultFeatureGates,
  featureGatesOf,
  parseFeatureGate,
  parseGoBool,
  unknownGates,
} from '../../src/accounts/feature-gates.ts';

describe('feature gates', () => {
  test('are off as in ACK, until they are given', () => {
    assert.deepEqual(featureGatesOf([]), defaultFeatureGates);
    assert.equal(defaultFeatureGates.TeamLevelCARM, false);
    assert.equal(defaultFeatureGates.ServiceLevelCARM, false);
    assert.equal(defaultFeatureGates.IAMRoleSelector, false);
  });

  test('are read as GATE=BOOL, the last one wins, and the defaults stay as they were', () => {
    const items = ['ServiceLevelCARM=true', ' TeamLevelCARM = t ', 'ServiceLevelCARM=0'];
    const gates = featureGatesOf(items.map(parseFeatureGate));
    assert.equal(gates.ServiceLevelCARM, false);
    assert.equal(gates.TeamLevelCARM, true);
    assert.equal(defaultFeatureGates.TeamLevelCARM, false);
  });

  test("ACK's own gates are accepted, so that one value serves both", () => {
    assert.equal(featureGatesOf([parseFeatureGate('ResourceAdoption=false')]).ResourceAdoption, false);
  });

  test('one that we do not know is accepted, kept apart, and changes none that we know', () => {
    const given = featureGatesOf(['IgnoreFieldDrift=true', 'TeamLevelCARM=true'].map(parseFeatureGate));
    assert.deepEqual(unknownGates(given), ['IgnoreFieldDrift']);
    assert.deepEqual({ ...defaultFeatureGates, IgnoreFieldDrift: true, TeamLevelCARM: true }, given);
    assert.deepEqual(unknownGates(defaultFeatureGates), []);
  });

  for (const item of [
    '',
    'TeamLevelCARM',
    'TeamLevelCARM=',
    'TeamLevelCARM=yes',
    'teamlevelcarm=true',
    'Nope=yes',
    'IgnoreFieldDrift',
    'ServiceLevelCARMs=true',
    'TeamLevelCarm=true',
    '__proto__=true',
    'constructor=true',
    'TeamLevelCARM=true=true',
  ]) {
    test(`${JSON.stringify(item)} is none, and names those that there are`, () => {
      assert.throws(
        () => parseFeatureGate(item),
        (error: Error & { code?: string }) =>
          error.code === 'InvalidFeatureGate' && error.message.includes('TeamLevelCARM'),
      );
    });
  }

  test('truth is written as in Go', () => {
    for (const text of ['1', 't', 'T', 'true', 'TRUE', 'True']) assert.equal(parseGoBool(text), true);
    for (const text of ['0', 'f', 'F', 'false', 'FALSE', 'False']) assert.equal(parseGoBool(text), false);
    for (const text of ['', 'yes', 'tRUE', ' true', 'on']) assert.equal(parseGoBool(text), undefined);
  });
});
