import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listSettings, type SdkSettings, sdkVariables } from '../../src/injection/sdk-settings.ts';

test('every variable that a setting can be is given, once each setting has a value, and no other', () => {
  const each: { readonly [S in keyof SdkSettings]: NonNullable<SdkSettings[S]> } = {
    region: 'eu-central-1',
    regionalSts: true,
  };
  const given = listSettings(each).flatMap(setting => setting.map(({ name }) => name));
  assert.deepEqual(given, sdkVariables);
});
