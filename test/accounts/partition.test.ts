import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { partitionOfRegion } from '../../src/accounts/partition.ts';

describe('the partition of a region', () => {
  const regions = {
    'us-east-1': 'aws',
    'eu-central-1': 'aws',
    'ap-southeast-5': 'aws',
    'mx-central-1': 'aws',
    'il-central-1': 'aws',
    'cn-north-1': 'aws-cn',
    'cn-northwest-1': 'aws-cn',
    'us-gov-west-1': 'aws-us-gov',
    'us-iso-east-1': 'aws-iso',
    'us-isob-east-1': 'aws-iso-b',
    'eu-isoe-west-1': 'aws-iso-e',
    'us-isof-south-1': 'aws-iso-f',
    'eusc-de-east-1': 'aws-eusc',
  };
  for (const [region, partition] of Object.entries(regions)) {
    test(`${region} is of ${partition}`, () => assert.equal(partitionOfRegion(region), partition));
  }
  for (const text of [
    '',
    'Frankfurt',
    'us-east',
    'us-east-1a',
    'US-EAST-1',
    ' us-east-1',
    'us-east-1\n',
    'aws-global',
    '$(X)',
    'us-east-１',
  ]) {
    test(`${JSON.stringify(text)} has not the form of a region`, () =>
      assert.equal(partitionOfRegion(text), undefined));
  }
});
