import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseRegion } from '../../src/injection/region.ts';

test("the namespace's region wins over the flag's; an empty one is none", () => {
  assert.equal(chooseRegion('eu-west-1', 'us-east-1', 'aws').region, 'eu-west-1');
  assert.equal(chooseRegion('', 'us-east-1', 'aws').region, 'us-east-1');
  assert.deepEqual(chooseRegion(undefined, undefined, 'aws'), { region: undefined, warning: undefined });
});

test("a region without the form of one, or outside of the role's partition, is a warning and none at all", () => {
  for (const value of ['Frankfurt', 'cn-north-1', 'us-gov-west-1', '$(X)', 'eu-west-1\n']) {
    const { region, warning } = chooseRegion(value, 'us-east-1', 'aws');
    assert.equal(region, undefined);
    assert.deepEqual(warning, { reason: 'InvalidRegion', value, from: 'namespace', partition: 'aws' });
  }
  assert.equal(chooseRegion(undefined, 'eu-west-1', 'aws-cn').warning?.from, 'flag');
  assert.equal(chooseRegion('cn-north-1', undefined, 'aws-cn').region, 'cn-north-1');
});
